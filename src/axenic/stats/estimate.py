"""Result table -> one `findings.Estimate` per cell of the study.

In: rows of one study. Out: for every arm, eval, judge, temperature and epoch, in all and by category and condition, the mean of
seed means with its interval (for new items or for these alone), the t-interval on seed means, and what was attempted, scored and
missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Denominator, Estimate, Items
from axenic.stats.crossed import drop_empty, has_score, known_mean
from axenic.stats.intervals import Interval, not_estimable, t_interval, two_way
from axenic.stats.tables import CELL, COHERENCE, Codes, Scores, Table

GROUPINGS: tuple[tuple[str, ...], ...] = ((), ("category",), ("condition",), ("category", "condition"))

ABOUT_THE_TEXT = (COHERENCE, "toxicity")
"""Judges of the text as such, who are asked about incoherent responses too."""
LEFT_OUT = {"unambiguous": "ambiguous left out", "coherent": "left out as incoherent"}


def cells(
    rows: pd.DataFrame,
    *,
    measures: Mapping[str, str] | None = None,
    by: Sequence[Sequence[str]] = GROUPINGS,
    denominators: Mapping[str, Sequence[Denominator]] | None = None,
    items: Items = "sampled",
    level: float = 0.95,
) -> list[Estimate]:
    """Estimate every cell of a study.

    Args:
        rows: The result table of one study.
        measures: What a score of 1 means, by eval, e.g. {"belief_mcq": "implanted"}. Default "score".
        by: Groupings to report, each a set of columns out of "category" and "condition"; () is the whole eval. A grouping that an
            eval cannot tell apart (no category named; only one category or condition for a pair) gives no cell there.
        denominators: By eval. Default: "all"; also "unambiguous" where a verdict is "ambiguous", "stems" where items have
            variants, and "coherent" where there is a judge of coherence (never for it, nor for the judge of toxicity).
        items: "sampled": the interval speaks of new seeds and new items. "fixed": of new seeds on these items, or for a single
            seed of new repetitions; where neither is repeated it is not estimable.
        level: Confidence level.

    Returns:
        Sorted by grouping, arm, eval, judge, temperature, epoch: the order of the rows plays no part.

    Raises:
        ValueError: The rows are of several studies, repeat a response, or hold arms that were asked different items.
    """
    table = Table.of(rows)
    table.require_same_items()
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level}
    wanted = _denominators(table, denominators or {})
    found = []
    for grouping in by:
        for labels, index in _groups(table, tuple(grouping)):
            measure = (measures or {}).get(labels["eval"], "score")
            for denominator in wanted[labels["eval"], labels["judge"]]:
                fields = _fields(table, index, denominator, items, level)
                found.append(Estimate(**(shared | labels | fields), measure=measure, denominator=denominator, items=items))
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


def _denominators(table: Table, wanted: Mapping[str, Sequence[Denominator]]) -> dict[tuple[str, str], list[Denominator]]:
    """The denominators to report, by eval and judge."""
    found: dict[tuple[str, str], list[Denominator]] = {}
    for labels, index in table.groups(("eval",)):
        default: list[Denominator] = ["all"]
        default += ["unambiguous"] if table.ambiguous[index].any() else []
        default += ["stems"] if any("@" in item for item in table.values("item_id", index)) else []
        judges = table.values("judge", index)
        default += ["coherent"] if COHERENCE in judges else []
        for judge in judges:
            asked = wanted.get(labels["eval"], default)
            found[labels["eval"], judge] = [d for d in asked if d != "coherent" or judge not in ABOUT_THE_TEXT]
    return found


def _fields(table: Table, index: Codes, denominator: Denominator, items: Items, level: float) -> dict[str, Any]:
    """Everything about a cell that its rows decide."""
    scores, counts = table.scores(index, denominator), table.counts(index, denominator)
    used = drop_empty(scores.matrix_S_I)
    means_S = known_mean(used, axis=1) if used.size else np.zeros(0)
    seeds = t_interval(means_S, level=level) if len(means_S) > 1 else Interval(None, None, None, "")
    seed_low, seed_high = _inside(seeds)
    if items == "sampled":
        interval = two_way(scores.matrix_S_I, level=level)
        notes = [interval.note, seeds.note and f"no interval over seeds: {seeds.note}"]
    else:
        interval = seeds if len(means_S) > 1 else _over_repetitions(table, index, denominator, level)
        notes = [interval.note]
    low, high = _inside(interval)
    notes += [_lost_seeds(scores), f"{counts.left_out} {LEFT_OUT[denominator]}" if counts.left_out else ""]
    notes += [_worst_case(table, index, denominator)] if counts.missing else []
    return {
        "value": interval.value, "low": low, "high": high, "method": interval.method, "seed_low": seed_low, "seed_high": seed_high,
        "n_seeds": 0 if scores.seeds == [None] else len(means_S), "n_items": used.shape[1],
        "attempted": counts.attempted, "scored": counts.scored, "missing": counts.missing, "note": "; ".join(filter(None, notes)),
    }  # fmt: skip


def _over_repetitions(table: Table, index: Codes, denominator: Denominator, level: float) -> Interval:
    """One seed on fixed items: t on the means of its repetitions, which speaks of new answers of this one run."""
    used = drop_empty(table.scores(index, denominator, runs="repetition").matrix_S_I)
    if not used.size:
        return not_estimable(note="nothing scored")
    if len(used) == 1:
        return not_estimable(
            float(used[0][~np.isnan(used[0])].mean()), "items are fixed, and neither seed nor repetition was repeated"
        )
    found = t_interval(known_mean(used, axis=1), level=level)
    method = "not estimable" if found.low is None else f"t on {len(used)} repetition means, one seed"
    return Interval(found.value, found.low, found.high, method, found.note.replace("seeds", "repetitions"))


def _inside(interval: Interval) -> tuple[float | None, float | None]:
    """The limits, cut at 0 and 1."""
    if interval.low is None or interval.high is None:
        return None, None
    return max(0.0, interval.low), min(1.0, interval.high)


def _lost_seeds(scores: Scores) -> str:
    lost = [s for s, empty in zip(scores.seeds, ~has_score(scores.matrix_S_I, axis=1), strict=True) if empty and s is not None]
    return f"nothing scored for seed {', '.join(map(str, lost))}" if len(lost) < len(scores.seeds) and lost else ""


def _worst_case(table: Table, index: Codes, denominator: Denominator) -> str:
    """What the value would be had every missing row of the denominator scored 0, or 1."""
    filled = [drop_empty(table.scores(index, denominator, fill=f).matrix_S_I) for f in (0.0, 1.0)]
    if not filled[0].size:
        return ""
    low, high = (known_mean(f, axis=1).mean() for f in filled)
    return f"if all missing were 0: {low:.3f}, 1: {high:.3f}"
