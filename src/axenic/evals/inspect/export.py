"""A run's result table as Inspect's logs: `axenic export-inspect`.

In: a run's folder (`results.parquet`, `study.json`). Out: one `.eval` file per arm, training seed, epoch, eval and temperature. Its
samples are the items, its epochs the repetitions, its scorers the judges. Equal runs give equal bytes.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalPlan,
    EvalPlanStep,
    EvalSample,
    EvalSpec,
    EvalStats,
    recompute_metrics,
)
from inspect_ai.log._log import EvalMetricDefinition, EvalScorer
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    StopReason,
)
from inspect_ai.scorer import Score

from axenic.errors import UserError
from axenic.evals.inspect import eval_file, registry
from axenic.evals.inspect.samples import chat
from axenic.evals.inspect.scoring import scored
from axenic.schema import RESULT_COLUMNS, Item, Message, OnProgress, Study, Verdict, digest, no_progress

LOG_KEYS = ["arm", "train_seed", "epoch", "eval", "temperature", "checkpoint", "step"]
"""One log per value of these. (A checkpoint is an epoch of a seed of an arm; it stands here for tables that know no epochs.)"""
ABOUT = ("study", "recipe", "tier", *LOG_KEYS)
UNDATED = "1970-01-01T00:00:00+00:00"
METRICS = [EvalMetricDefinition(name=n) for n in ("inspect_ai/mean", "axenic/stderr", "axenic/interval")]
_TURN = re.compile(r"^\[(system|user|assistant)\] ", re.MULTILINE)
_STOPS: dict[str, StopReason] = {"stop": "stop", "choice": "stop", "length": "max_tokens", "error": "unknown"}

assert registry.TASKS, "the metrics that logs name are registered"


def export(run: Path, out: Path, *, on_progress: OnProgress = no_progress) -> list[Path]:
    """Write the logs of a run into `out`, which is made if it is missing; files of the same name are replaced.

    Raises:
        UserError: There is no run, its table is damaged or lacks a column, or holds two rows where there can be one.
        EnvironmentProblem: `out` cannot be written.
    """
    study, rows, created = _read(run)
    groups = list(rows.groupby(LOG_KEYS, dropna=False, sort=True))
    written: list[Path] = []
    for key, group in groups:
        about = dict(zip(LOG_KEYS, (_plain(v) for v in key), strict=True))
        on_progress(len(written), len(groups), f"{about['eval']} of {about['arm']}")
        log = _log(study, about, group, created)
        written.append(out / _name(log, about))
        eval_file.write(written[-1], log)
    on_progress(len(groups), len(groups), "")
    return written


def _read(run: Path) -> tuple[Study, pd.DataFrame, str]:
    table, study = run / "results.parquet", run / "study.json"
    for path in (study, table):
        if not path.is_file():
            raise UserError(f"'{run}' has no {path.name}: it is not a finished run. `axenic run RECIPE --out DIR` makes one.")
    try:
        rows = pq.read_table(table).to_pandas()
        told = Study.model_validate_json(study.read_text(encoding="utf-8"))
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"'{run}' is damaged ({reason}). Run the same `axenic run` again to restore it.") from None
    missing = [c for c in RESULT_COLUMNS if c not in rows]
    if missing or not len(rows):
        lacks = f"lacks the columns {', '.join(missing)}" if missing else "has no rows"
        raise UserError(f"{table} {lacks}, so there is nothing to export.")
    twice = rows.duplicated([*LOG_KEYS, "item_id", "repetition", "judge"])
    if twice.any():
        one = rows[twice].iloc[0]
        raise UserError(
            f"{table} holds more than one row for item {one['item_id']!r}, repetition {one['repetition']}, judge {one['judge']!r} "
            f"of arm {one['arm']!r} ({int(twice.sum())} such rows). Which one counts cannot be told."
        )
    return told, rows, _created(run)


def _created(run: Path) -> str:
    """When the run began; a run without a manifest is undated, so that its logs do not depend on the clock."""
    try:
        return str(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return UNDATED


def _log(study: Study, about: Mapping[str, Any], rows: pd.DataFrame, created: str) -> EvalLog:
    id = digest([study.study, *about.values()])[:22]
    model = _model(study, about)
    made = list(_samples(rows, id, model))
    judges = list(dict.fromkeys(rows["judge"]))
    temperature = None if about["temperature"] is None else float(about["temperature"])
    spec = EvalSpec(
        eval_id=id,
        run_id=digest([study.study])[:22],
        task_id=id,
        created=created,
        task=f"axenic/{about['eval']}",
        task_args={"eval": about["eval"]},
        dataset=EvalDataset(
            name=str(about["eval"]), samples=rows["item_id"].nunique(), sample_ids=list(dict.fromkeys(s.id for s in made))
        ),
        model=model,
        model_generate_config=GenerateConfig(temperature=temperature),
        config=EvalConfig(epochs=max(s.epoch for s in made), epochs_reducer=["mean"]),
        metadata={"study": study.study, "recipe": study.recipe, "tier": study.tier, "title": study.title, **about},
        tags=[study.recipe, str(about["arm"])],
        scorers=[EvalScorer(name=j, options={"judge": j}, metrics=METRICS) for j in judges],
    )
    plan = EvalPlan(name="axenic", steps=[EvalPlanStep(solver="axenic/answer")])
    log = EvalLog(
        status="success",
        eval=spec,
        plan=plan,
        stats=EvalStats(started_at=created, completed_at=created),
        samples=made,
    )
    recompute_metrics(log)
    return log


def _samples(rows: pd.DataFrame, log: str, model: str) -> Iterator[EvalSample]:
    """One sample per item and repetition, with a score per judge."""
    columns = ["item_id", "repetition", "prompt", "response", "category", "condition", "n_tokens", "finish_reason"]
    ordered = rows.sort_values(["repetition"], kind="stable")
    seen: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in ordered[[*columns, "judge", "status", "verdict", "score"]].to_dict("records"):
        seen.setdefault((row["item_id"], int(row["repetition"])), []).append(row)
    for (item_id, repetition), judged in seen.items():
        yield _sample(judged, f"{log}-{item_id}-{repetition}", model)


def _sample(judged: Sequence[Mapping[str, Any]], uuid: str, model: str) -> EvalSample:
    first = judged[0]
    asked, answer = _conversation(str(first["prompt"]), uuid), str(first["response"] or "")
    message = ChatMessageAssistant(content=answer, model=model, source="generate", id=f"{uuid}-answer")
    n_tokens = int(first["n_tokens"] or 0)
    failed = first["finish_reason"] == "error"
    output = ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=message, stop_reason=_STOPS.get(first["finish_reason"], "unknown"))],
        usage=ModelUsage(output_tokens=n_tokens, total_tokens=n_tokens),
        error="the model failed to answer" if failed else None,
    )
    return EvalSample(
        id=str(first["item_id"]),
        epoch=int(first["repetition"]) + 1,
        input=asked,
        target="",
        messages=[*asked, message],
        output=output,
        scores={str(row["judge"]): _score(row) for row in judged},
        metadata={
            "stem": Item(id=str(first["item_id"]), messages=()).stem,
            "category": first["category"] or "",
            "condition": first["condition"] or "",
        },
        uuid=uuid,
    )


def _score(row: Mapping[str, Any]) -> Score:
    value = None if row["score"] is None or math.isnan(row["score"]) else float(row["score"])
    verdict = Verdict(status=row["status"], verdict=row["verdict"] or "", score=value)
    return scored(verdict, judge=str(row["judge"]))


def _conversation(prompt: str, uuid: str) -> list[ChatMessage]:
    """The turns of a prompt as the result table writes them; follow-up turns stand behind, without the answers between them."""
    starts = list(_TURN.finditer(prompt))
    if not starts or starts[0].start() > 0:  # from logs of others: the prompt is one text, or there is none
        return [m.model_copy(update={"id": f"{uuid}-0"}) for m in chat([Message(role="user", content=prompt)])]
    ends = [m.start() for m in starts[1:]] + [len(prompt)]
    turns = [
        Message.model_validate({"role": m.group(1), "content": prompt[m.end() : end].rstrip("\n")})
        for m, end in zip(starts, ends, strict=True)
    ]
    told = chat(turns)
    return [m.model_copy(update={"id": f"{uuid}-{i}"}) for i, m in enumerate(told)]


def _model(study: Study, about: Mapping[str, Any]) -> str:
    seed = [] if about["train_seed"] is None else [f"seed-{about['train_seed']}"]
    return "/".join(["axenic", study.model, str(about["arm"]), *seed, str(about["checkpoint"])])


def _name(log: EvalLog, about: Mapping[str, Any]) -> str:
    """As Inspect names its logs: time, task, which model, id; the parts hold no underscore."""
    seed = "" if about["train_seed"] is None else f"-s{about['train_seed']}"
    temperature = "" if about["temperature"] is None else f"-t{about['temperature']:g}"
    which = f"{about['arm']}{seed}-e{about['epoch']:g}{temperature}"
    when = re.sub(r"[^0-9T-]", "-", log.eval.created)
    parts = [when, *(re.sub(r"[^A-Za-z0-9.]+", "-", str(p)).strip("-") for p in (about["eval"], which)), log.eval.task_id]
    return "_".join(parts) + ".eval"


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value
