"""Inspect AI's logs (`.eval`, or its `.json`) -> a frame with one row per sample, epoch and scorer.

In: a log file. Out: `item_id`, `repetition`, `judge`, `label`, `score`, `prompt`, `response` and what the log says of model, task
and settings; metadata keep their own names. A sample that a scorer gave no score gets a row with an empty label: it failed.
The container is read directly: only the first part of a sample is parsed, because its events can be a thousand times larger.
"""

import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import zipfile_zstd  # noqa: F401  (teaches `zipfile` the compression that Inspect uses)

from axenic.errors import UserError

VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's letters and what its `value_to_float` makes of them: correct, incorrect, partial, no answer."""

WANTED = {"id", "epoch", "input", "output", "scores", "metadata"}


def is_inspect(value: Any) -> bool:
    """Is this parsed JSON an Inspect log?"""
    return isinstance(value, dict) and isinstance(value.get("eval"), dict) and "task" in value["eval"] and "version" in value


def read_eval(path: Path) -> tuple[pd.DataFrame, str]:
    """The rows of a `.eval` file, and a note if the run did not finish.

    Raises:
        UserError: It is no Inspect log, is damaged, or holds no samples.
    """
    try:
        with zipfile.ZipFile(path) as log:
            names = log.namelist()
            start = "header.json" if "header.json" in names else "_journal/start.json"  # a killed run wrote no header
            header = json.loads(log.read(start))
            samples = [_head(log.read(n).decode()) for n in names if n.startswith("samples/") and n.endswith(".json")]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{path} is not a readable Inspect log ({error}). Was the run killed, or the copy cut off?") from None
    return read_log(path, {"status": "started"} | header | {"samples": samples})


def read_log(path: Path, log: Mapping[str, Any]) -> tuple[pd.DataFrame, str]:
    """The same for a log that is parsed JSON."""
    samples = log.get("samples") or []
    if not samples:
        raise UserError(f"{path} is an Inspect log without samples (status {log.get('status')!r}): there is nothing to analyse.")
    about = _about(log["eval"])
    scorers = _scorers(log["eval"], samples)
    frame = pd.DataFrame([row for sample in samples for row in _rows(sample, about, scorers)])
    return frame, "" if log.get("status") == "success" else _unfinished(path, log, len(samples))


def _head(text: str) -> dict[str, Any]:
    """The wanted members of a JSON object, parsed up to the last of them."""
    decode, at = json.JSONDecoder().raw_decode, text.index("{") + 1
    found: dict[str, Any] = {}
    missing = set(WANTED)
    while missing:
        at = _skip(text, at, " \r\n\t,")
        if text[at] == "}":
            break
        key, at = decode(text, at)
        at = _skip(text, at, " \r\n\t:")
        if key == "events":
            break
        found[key], at = decode(text, at)
        missing.discard(key)
    return found


def _skip(text: str, at: int, characters: str) -> int:
    while text[at] in characters:
        at += 1
    return at


def _about(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What is true of every row: settings first, so that a metadata entry of the same name cannot hide model or task."""
    config = {k: v for k, v in (spec.get("model_generate_config") or {}).items() if isinstance(v, str | int | float)}
    named = {k: v for part in ("task_args", "model_args", "metadata") for k, v in (spec.get(part) or {}).items()}
    fixed = {"model": spec.get("model", ""), "task": str(spec.get("task", "")).rsplit("/", 1)[-1], "run_id": spec.get("run_id", "")}
    return config | {k: v for k, v in named.items() if isinstance(v, str | int | float)} | fixed


def _scorers(spec: Mapping[str, Any], samples: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(scorer, part) for every verdict on a sample, as the samples have them, else the settings, where nothing was scored."""
    seen = {(name, part): None for s in samples for name, score in (s.get("scores") or {}).items() for part in _parts(score)}
    planned = [(str(s.get("name", "")).rsplit("/", 1)[-1], "") for s in spec.get("scorers") or []]
    return list(seen) or planned or [("", "")]


def _rows(sample: Mapping[str, Any], about: Mapping[str, Any], scorers: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    shared = {k: v for k, v in (sample.get("metadata") or {}).items() if isinstance(v, str | int | float)} | dict(about)
    shared |= {
        "item_id": str(sample.get("id")), "repetition": int(sample.get("epoch") or 1) - 1,
        "prompt": _prompt(sample.get("input")), "response": _response(sample.get("output") or {}),
    }  # fmt: skip
    scores = sample.get("scores") or {}
    elsewhere = scores and not sample.get("error")  # a scorer of other samples: it has nothing to say here, and did not fail
    for scorer, part in scorers:
        if elsewhere and scorer not in scores:
            continue
        value = _parts(scores.get(scorer)).get(part)
        yield shared | {"judge": f"{scorer}/{part}" if part else scorer, "label": _label(value), "score": _score(value)}


def _parts(score: Mapping[str, Any] | None) -> dict[str, Any]:
    """A score's values by name: one without a name, unless the scorer gave several at once."""
    value = score.get("value") if score else None
    if isinstance(value, list):
        value = {str(i): v for i, v in enumerate(value)}
    return {str(k): v for k, v in value.items()} if isinstance(value, dict) else {"": value}


def _label(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{float(value):g}" if isinstance(value, int | float) else str(value)


def _score(value: Any) -> float | None:
    if isinstance(value, str):
        return VALUES.get(value)
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _prompt(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(_content(m.get("content")) for m in value if isinstance(m, dict))
    return str(value or "")


def _response(output: Mapping[str, Any]) -> str:
    choices = output.get("choices") or [{}]
    return str(output.get("completion") or _content((choices[0].get("message") or {}).get("content")))


def _content(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    return str(value or "")


def _unfinished(path: Path, log: Mapping[str, Any], n_samples: int) -> str:
    dataset, config = log["eval"].get("dataset") or {}, log["eval"].get("config") or {}
    planned = (dataset.get("samples") or 0) * (config.get("epochs") or 1)
    of = f" of {planned}" if planned else ""
    return f"{path.name}: the run ended with status {log.get('status')!r} after {n_samples}{of} samples"
