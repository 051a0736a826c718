"""Scorers and metrics: axenic's judges inside Inspect.

In: an answered sample. Out: a `Score` with the judge's label as its answer; an unreadable response or a judge that broke is
unscored (Inspect's NaN, left out of every metric and counted), never a 0. Metrics take a stem's variants, and after Inspect's own
reduction its repetitions, as one unit: mean, clustered standard error (Miller 2024, arXiv 2411.00640), and Wilson's interval.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, mean, metric, scorer
from inspect_ai.solver import TaskState

from axenic.evals.inspect.answering import READINGS
from axenic.evals.inspect.batching import Batcher
from axenic.evals.inspect.problems import told_to_inspect
from axenic.evals.inspect.samples import item, response
from axenic.evals.judges.base import Judge, verdicts
from axenic.evals.judges.load import load_judge
from axenic.schema import Item, Response, Status, Verdict
from axenic.stats.intervals import one_run

REASONS: dict[Status, str] = {
    "unparseable": "invalid_response_format",
    "unclosed": "invalid_response_format",
    "error": "scoring_failed",
    "skipped": "skipped",
}
"""Inspect's word for each way of having no score."""


@metric
def stderr() -> Metric:
    """Standard error of the mean over stems; NaN, not 0, where it cannot be estimated (one stem, or no variation at all)."""

    def compute(scores: list[SampleScore]) -> float:
        values = _by_stem(scores)
        n = sum(len(v) for v in values)
        centre = sum(float(v.sum()) for v in values) / max(n, 1)
        squares = sum(float((v - centre).sum()) ** 2 for v in values)
        if len(values) < 2 or squares == 0:
            return float("nan")
        return float(np.sqrt(squares * len(values) / (len(values) - 1)) / n)

    return compute


@metric
def interval(level: float = 0.95) -> Metric:
    """Wilson's interval for the rate over stems, as `low` and `high`; NaN where there is none."""

    def compute(scores: list[SampleScore]) -> dict[str, float]:
        found = one_run(np.array([v.mean() for v in _by_stem(scores)]), level=level)
        return {"low": float("nan") if found.low is None else found.low, "high": float("nan") if found.high is None else found.high}

    return compute


def scored(verdict: Verdict, *, judge: str, note: str = "") -> Score:
    """A verdict as Inspect keeps it."""
    metadata = {"judge": judge, "status": verdict.status}
    if verdict.score is None:
        return Score.unscored(reason=REASONS[verdict.status], explanation=note or verdict.status, metadata=metadata)
    return Score(value=verdict.score, answer=verdict.verdict, metadata=metadata)


@cache
def scorer_named(name: str) -> Callable[..., Scorer]:
    """The judge scorer under a name of its own, so that Inspect's results say what was measured."""

    @scorer(metrics=METRICS, name=name)
    def ruling(judge: str = "refusal", positive: str = "", eval: str = "") -> Scorer:
        return _ruling(judge, positive, eval)

    return ruling


def _ruling(judge: str, positive: str, eval: str) -> Scorer:
    with told_to_inspect():
        loaded = load_judge(judge)
    label = positive or loaded.positive or ""
    batcher: Batcher[tuple[Item, Response], Verdict] = Batcher(lambda asked: _rule(loaded, label, asked))

    async def score(state: TaskState, target: Target) -> Score | None:
        if eval and state.metadata.get("eval") != eval:
            return None
        verdict = await batcher.ask((item(state), response(state)))
        return scored(verdict, judge=loaded.name, note=state.output.error or "")

    return score


def _rule(judge: Judge, positive: str, asked: Any) -> list[Verdict]:
    return verdicts(judge, [i for i, _ in asked], [r for _, r in asked], positive=positive)


@scorer(metrics={"*": [mean()]})
def readings() -> Scorer:
    """Means of what an eval read inside a model, by condition and category. One sample: they carry no interval."""

    async def score(state: TaskState, target: Target) -> Score | None:
        cells: dict[str, list[float]] = defaultdict(list)
        for r in state.metadata[READINGS]:
            if r["score"] is not None:
                cells[" ".join(filter(None, (r["condition"], r["category"]))) or state.metadata["eval"]].append(r["score"])
        if not cells:
            return Score.unscored(reason=REASONS["error"], explanation="nothing could be read")
        return Score(value={name: float(np.mean(values)) for name, values in cells.items()})

    return score


def _by_stem(scores: list[SampleScore]) -> list[npt.NDArray[np.float64]]:
    """The scores of each stem; a sample without one stands for itself."""
    found: dict[str, list[float]] = defaultdict(list)
    for s in scores:
        found[str((s.sample_metadata or {}).get("stem", s.sample_id))].append(s.score.as_float())
    return [np.array(values) for values in found.values()]


METRICS: list[Metric] = [mean(), stderr(), interval()]
judge = scorer_named("judge")
