"""Result table -> one `schema.Estimate` per cell of the study.

In: rows of one study. Out: for every arm, eval, judge, temperature and epoch, in all and by category and condition, the mean of
seed means with a seed x item interval, the t-interval on seed means, and what was attempted, scored and missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from axenic.schema import Denominator, Estimate
from axenic.stats.crossed import drop_empty, has_score, known_mean
from axenic.stats.intervals import Interval, t_interval, two_way
from axenic.stats.tables import CELL, Codes, Counts, Scores, Table

GROUPINGS: tuple[tuple[str, ...], ...] = ((), ("category",), ("condition",), ("category", "condition"))


def cells(
    rows: pd.DataFrame,
    *,
    measures: Mapping[str, str] | None = None,
    by: Sequence[Sequence[str]] = GROUPINGS,
    denominators: Mapping[str, Sequence[Denominator]] | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Estimate every cell of a study.

    Args:
        rows: The result table of one study.
        measures: What a score of 1 means, by eval, e.g. {"belief_mcq": "implanted"}. Default "score".
        by: Groupings to report, each a set of columns out of "category" and "condition"; () is the whole eval. A grouping that an
            eval cannot tell apart (no category named; only one category or condition for a pair) gives no cell there.
        denominators: By eval. Default: "all"; also "unambiguous" where a verdict is "ambiguous" and "stems" where items
            have variants.
        level: Confidence level.

    Returns:
        Sorted by grouping, arm, eval, judge, temperature, epoch: the order of the rows plays no part.

    Raises:
        ValueError: The rows are of several studies, repeat a response, or hold arms that were asked different items.
    """
    table = Table.of(rows)
    table.require_same_items()
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level}
    wanted = {labels["eval"]: _denominators(table, index) for labels, index in table.groups(("eval",))} | dict(denominators or {})
    found = []
    for grouping in by:
        for labels, index in _groups(table, tuple(grouping)):
            measure = (measures or {}).get(labels["eval"], "score")
            for denominator in wanted[labels["eval"]]:
                fields = _fields(table.scores(index, denominator), table.counts(index, denominator), level)
                fields["note"] = "; ".join(filter(None, (fields["note"], _worst_case(table, index, denominator))))
                found.append(Estimate(**(shared | labels | fields), measure=measure, denominator=denominator))
    return found


def _groups(table: Table, grouping: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], Codes]]:
    """The cells of a grouping, for those evals in which it tells something."""
    telling = set()
    for labels, index in table.groups(("eval",)):
        names = [table.values(c, index) for c in grouping]
        if all(len(n) > 1 for n in names) or (len(names) == 1 and names[0] != [""]):
            telling.add(labels["eval"])
    for labels, index in table.groups((*CELL, *grouping)):
        if labels["eval"] in telling:
            yield labels, index


def _denominators(table: Table, index: Codes) -> list[Denominator]:
    found: list[Denominator] = ["all"]
    if table.ambiguous[index].any():
        found.append("unambiguous")
    if any("@" in item for item in table.values("item_id", index)):
        found.append("stems")
    return found


def _fields(scores: Scores, counts: Counts, level: float) -> dict[str, Any]:
    """Everything about a cell that its matrix and its row counts decide."""
    used = drop_empty(scores.matrix_S_I)
    interval = two_way(scores.matrix_S_I, level=level)
    means_S = known_mean(used, axis=1) if used.size else np.zeros(0)
    seeds = t_interval(means_S, level=level) if len(means_S) > 1 else Interval(None, None, None, "")
    notes = [interval.note, seeds.note and f"no interval over seeds: {seeds.note}", _lost_seeds(scores)]
    if counts.ambiguous:
        notes.append(f"{counts.ambiguous} ambiguous left out")
    return {
        "value": interval.value, "low": interval.low, "high": interval.high, "method": interval.method, "items": "sampled",
        "seed_low": None if seeds.low is None else max(0.0, seeds.low),
        "seed_high": None if seeds.high is None else min(1.0, seeds.high),
        "n_seeds": 0 if scores.seeds == [None] else len(means_S), "n_items": used.shape[1],
        "attempted": counts.attempted, "scored": counts.scored, "missing": counts.missing, "note": "; ".join(filter(None, notes)),
    }  # fmt: skip


def _lost_seeds(scores: Scores) -> str:
    lost = [s for s, empty in zip(scores.seeds, ~has_score(scores.matrix_S_I, axis=1), strict=True) if empty and s is not None]
    return f"nothing scored for seed {', '.join(map(str, lost))}" if len(lost) < len(scores.seeds) and lost else ""


def _worst_case(table: Table, index: Codes, denominator: Denominator) -> str:
    """What the value would be had every missing row scored 0, or 1."""
    if not np.isnan(table.score[index]).any():
        return ""
    filled = [drop_empty(table.scores(index, denominator, fill=f).matrix_S_I) for f in (0.0, 1.0)]
    if not filled[0].size:
        return ""
    low, high = (known_mean(f, axis=1).mean() for f in filled)
    return f"if all missing were 0: {low:.3f}, 1: {high:.3f}"
