"""How much of the way from a bare model to its ceiling an arm has gone: gap closed = (arm - bare) / (ceiling - bare).

In: scores of the three on the same stems. Out: an interval by Fieller's theorem (Fieller 1954): the ratios r for which the mean of
arm - bare - r (ceiling - bare) is not told apart from 0 by the test of every other contrast, seed x item. Not estimable where the
ceiling is not clearly above the bare model. Its coverage is simulated as the method `gap_closed` (docs/statistics.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize

from axenic.findings import Denominator, Estimate
from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, has_score, known_mean
from axenic.stats.intervals import Interval, mixed_t, not_estimable
from axenic.stats.tables import Scores, Table

GAP = "gap_closed"
FARTHEST = 1e4  # no limit lies beyond; a ratio this large says that the ceiling is as good as the bare model


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A gap to measure: which arm, between which two."""

    arm: str
    bare: str
    ceiling: str
    eval: str
    condition: str | None = None  # None = over all
    denominator: Denominator = "all"


def gaps_closed(rows: pd.DataFrame, wanted: Sequence[Gap], *, level: float = 0.95) -> list[Estimate]:
    """One record per gap, with eval "gap_closed" and the eval that was asked as its category.

    Args:
        rows: The result table of one study, one temperature and judge per eval.
        wanted: The gaps. Every arm counts at its last epoch.
        level: Confidence level.
    """
    table = Table.of(rows)
    return [_estimate(table, gap, level) for gap in wanted]


def gap_closed(arm_S_I: Floats, bare_I: Floats, ceiling_I: Floats, *, level: float = 0.95) -> Interval:
    """The ratio with its interval.

    Args:
        arm_S_I: Scores of the arm, seeds x items, NaN for missing.
        bare_I: Scores of the bare model on the same items.
        ceiling_I: Scores of the ceiling.
        level: Confidence level.
    """
    known = ~np.isnan(bare_I) & ~np.isnan(ceiling_I) & has_score(arm_S_I, axis=0)
    arm, bare, ceiling = arm_S_I[:, known], bare_I[known], ceiling_I[known]
    arm = arm[has_score(arm, axis=1)]
    if not arm.size:
        return not_estimable(note="nothing scored in all three")
    gain, room = float((known_mean(arm, axis=1) - _mean_where(arm, bare)).mean()), ceiling - bare

    def apart(ratio: float) -> float:
        found = crossed_mean(arm - bare - ratio * room)
        return 1.0 if found is None else _excess(found, ratio, level)

    whole = crossed_mean(room[None, :])
    if whole is None:
        return not_estimable(note="one item: its spread over items is unknown")
    if whole.value <= 0 or _excess(whole, 1.0, level) <= 0:
        return not_estimable(note=f"the ceiling is not clearly above the bare model: {whole.value:+.3f} on {whole.n_items} items")
    value = float(optimize.brentq(lambda r: _mean_at(arm, bare, room, r), *_around(gain / whole.value)))
    low, high = (_limit(apart, value, sign) for sign in (-1.0, 1.0))
    if low is None or high is None:
        return not_estimable(value, "the ceiling is too close to the bare model for an interval")
    return Interval(value, low, high, f"Fieller, seed x item, {len(arm)} seeds x {arm.shape[1]} items")


def _mean_where(arm: Floats, bare: Floats) -> Floats:
    """The bare model's mean over the items that each seed has scores for."""
    return known_mean(np.where(np.isnan(arm), np.nan, bare), axis=1)


def _mean_at(arm: Floats, bare: Floats, room: Floats, ratio: float) -> float:
    return float(known_mean(arm - bare - ratio * room, axis=1).mean())


def _around(guess: float) -> tuple[float, float]:
    width = 10 * (1 + abs(guess))
    return guess - width, guess + width


def _excess(found: CrossedMean, ratio: float, level: float) -> float:
    """How far the mean is from 0, beyond what the test at this level allows; at most 0 where it is not told apart from it.

    The bare model and the ceiling are one run each: as in `contrasts.with_one_run`, it is as if one more item had differed.
    """
    once = ((ratio - 1) ** 2 + ratio**2) * (found.n_items + 2.0) ** -2
    wider = replace(found, items=(found.items[0] + once, found.items[1]))
    return abs(found.value) - mixed_t(wider, 1 - level) * float(np.sqrt(wider.variance))


def _limit(apart: Callable[[float], float], value: float, sign: float) -> float | None:
    """The nearest ratio on one side that is told apart; None if there is none."""
    step = 0.05
    while step < FARTHEST and apart(value + sign * step) <= 0:
        step *= 2
    if step >= FARTHEST:
        return None
    return float(optimize.brentq(apart, value + sign * step / 2 if step > 0.05 else value, value + sign * step, xtol=1e-9))


# --- from the result table -------------------------------------------------------------------------------------------------


def _estimate(table: Table, gap: Gap, level: float) -> Estimate:
    index = [_last(table, gap, name) for name in (gap.arm, gap.bare, gap.ceiling)]
    counts = table.counts(index[0], gap.denominator)
    found = _over(*(table.scores(i, gap.denominator) for i in index), level=level) if all(map(len, index)) else not_estimable()
    gone = [name for name, i in zip((gap.arm, gap.bare, gap.ceiling), index, strict=True) if not len(i)]
    seeds = table.scores(index[0], gap.denominator).seeds if len(index[0]) else []
    return Estimate(
        **{c: table.only(c) for c in ("study", "recipe", "tier")}, arm=gap.arm, eval=GAP, category=gap.eval,
        condition=gap.condition, measure="gap closed", denominator=gap.denominator, value=found.value, low=found.low,
        high=found.high, level=level, method=found.method, n_seeds=0 if seeds == [None] else len(seeds),
        n_items=len({table.stem_of_item[i] for i in table.codes["item_id"][index[0]]}), attempted=counts.attempted,
        scored=counts.scored, missing=counts.missing, note=f"no rows for {', '.join(gone)}" if gone else found.note,
    )  # fmt: skip


def _last(table: Table, gap: Gap, arm: str) -> np.ndarray:
    """The rows of one of the three, at its last epoch."""
    fixed = {"arm": arm, "eval": gap.eval} | ({"condition": gap.condition} if gap.condition else {})
    index = table.where(**fixed)
    codes = table.codes["epoch"][index]
    return index[codes == codes.max()] if len(index) else index


def _over(arm: Scores, bare: Scores, ceiling: Scores, *, level: float) -> Interval:
    """On the stems that all three have."""
    shared = [t for t in arm.stems if t in set(bare.stems) & set(ceiling.stems)]
    columns = [s.matrix_S_I[:, [s.stems.index(t) for t in shared]] for s in (arm, bare, ceiling)]
    bare_I, ceiling_I = (_one(m) for m in columns[1:])
    return gap_closed(columns[0], bare_I, ceiling_I, level=level)


def _one(scores_S_I: Floats) -> Floats:
    """The scores of a single run, by item."""
    if len(scores_S_I) != 1:
        raise ValueError(f"the bare model and the ceiling are single runs, but there are {len(scores_S_I)} of one")
    found: Floats = scores_S_I[0]
    return found
