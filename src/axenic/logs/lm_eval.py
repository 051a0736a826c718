"""lm-evaluation-harness `samples_TASK_DATE.jsonl` -> a frame with one row per document, metric and filter.

In: the rows of such a file, and the `results_*.json` beside it, which knows model, seed and temperature. Out: `item_id`,
`judge` ("metric" or "metric,filter", as the harness names it), `score`, `prompt`, `response`, `target`.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from axenic.errors import UserError

FIELDS = {
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash",
    "target_hash", "repeat", "task_name",
}  # fmt: skip
"""Members that are no metric; older versions do not list their metrics."""

KNOWN = ("acc", "acc_norm", "exact_match", "pass@1", "prompt_level_strict_acc", "em", "mc1", "mc2")
"""Metrics shown first."""


def is_samples(value: Any) -> bool:
    """Are these parsed rows the harness's samples?"""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return "doc_id" in value[0] and ("resps" in value[0] or "filtered_resps" in value[0])


def read_samples(path: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[pd.DataFrame, str]:
    """The rows as a frame, and a note on metrics that are no share and were left out.

    Raises:
        UserError: No metric of the file lies in [0, 1].
    """
    metrics = _metrics(rows)
    shares = [m for m in metrics if all(_is_share(r.get(m)) for r in rows)]
    if not shares:
        raise UserError(
            f"{path} has no metric that lies between 0 and 1 (it has {', '.join(metrics) or 'none'}). "
            "Shares such as acc or exact_match can be analysed; perplexities cannot."
        )
    task = _task(path, rows)
    about = {"task": task} | _beside(path, task)
    filters = {str(r.get("filter", "none")) for r in rows}
    frame = pd.DataFrame([row for r in rows for row in _long(r, about, shares, several=len(filters) > 1)])
    left = [m for m in metrics if m not in shares]
    return frame, f"{path.name}: metrics that are no share were left out: {', '.join(left)}" if left else ""


def _metrics(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the metrics, the usual ones first."""
    named = dict.fromkeys(m for r in rows for m in (r.get("metrics") or _unlisted(r)) if m in r)
    return sorted(named, key=lambda m: KNOWN.index(m) if m in KNOWN else len(KNOWN))


def _unlisted(row: Mapping[str, Any]) -> list[str]:
    return [k for k, v in row.items() if k not in FIELDS and isinstance(v, bool | int | float | list)]


def _is_share(value: Any) -> bool:
    """A number in [0, 1], or a failure to give one, which is counted later."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, bool | int | float) and 0 <= value <= 1


def _long(row: Mapping[str, Any], about: Mapping[str, Any], metrics: list[str], *, several: bool) -> Iterator[dict[str, Any]]:
    doc = row.get("doc") if isinstance(row.get("doc"), dict) else {}
    extra = {k: v for k, v in doc.items() if isinstance(v, str | int | float)}  # type: ignore[union-attr]
    shared = extra | _temperature(row) | dict(about)
    shared |= {
        "item_id": str(row["doc_id"]), "repetition": row.get("repeat", 0), "target": str(row.get("target", "")),
        "prompt": _prompt(row), "response": _response(row),
    }  # fmt: skip
    for metric in metrics:
        if not row.get("metrics") or metric in row["metrics"]:
            judge = f"{metric},{row.get('filter')}" if several else metric
            yield shared | {"judge": judge, "score": row.get(metric)}


def _prompt(row: Mapping[str, Any]) -> str:
    arguments = row.get("arguments")
    first: Any = next(iter(arguments.values()), None) if isinstance(arguments, dict) else next(iter(arguments or []), None)
    found = first.get("arg_0") if isinstance(first, dict) else first[0] if isinstance(first, list) and first else first
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False) if found is not None else ""


def _response(row: Mapping[str, Any]) -> str:
    found = row.get("filtered_resps") or row.get("resps")
    while isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False) if found is not None else ""


def _temperature(row: Mapping[str, Any]) -> dict[str, float]:
    """The temperature that the row itself names, 0 where it says that nothing was sampled."""
    arguments = row.get("arguments")
    first: Any = next(iter(arguments.values()), {}) if isinstance(arguments, dict) else {}
    settings = first.get("arg_1") if isinstance(first, dict) else None
    if not isinstance(settings, dict):
        return {}
    if settings.get("do_sample") is False or "temperature" not in settings:
        return {"temperature": 0.0} if settings.get("do_sample") is False else {}
    return {"temperature": float(settings["temperature"])}


def _task(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    if rows[0].get("task_name"):
        return str(rows[0]["task_name"])
    name = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json").removeprefix("samples_")
    return re.sub(r"_\d{4}-\d{2}-\d{2}T[\d.\-:]+$", "", name)


def _beside(path: Path, task: str) -> dict[str, Any]:
    """Model, seed and temperature from the results file of the same run; the folder's name is the model's where there is none."""
    date = re.search(r"_(\d{4}-\d{2}-\d{2}T[\d.\-:]+?)(?:\.jsonl|\.json)", path.name)
    candidates = [path.parent / f"results_{date.group(1)}.json"] if date else []
    others = sorted(path.parent.glob("results*.json"))
    for file in [*candidates, *(others if len(others) == 1 else [])]:
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and isinstance(record.get("config"), dict):
            return _settings(record, task) | ({} if record.get("model_name") else {"model": path.parent.name})
    return {"model": path.parent.name}


def _settings(record: Mapping[str, Any], task: str) -> dict[str, Any]:
    config = record["config"]
    found: dict[str, Any] = {"model": record.get("model_name")}
    if config.get("random_seed") is not None:
        found["seed"] = config["random_seed"]
    generation = (record.get("configs") or {}).get(task, {}).get("generation_kwargs") or {}
    if "temperature" in generation:
        found["temperature"] = float(generation["temperature"])
    return found
