"""Does a rate rise or fall along an axis of the study, and does a poison dose count as a number or as a share?

In: one value per training seed at each level of the axis (log10 of parameters, of poisoned documents, ...). Out: a `Trend`; for
doses also the `Curve` of thresholds. Poisoning thresholds: Souly et al. 2025; docs/persistence_statistics.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from axenic.findings import Curve, Trend
from axenic.stats.crossed import Floats
from axenic.stats.curves import crossing
from axenic.stats.intervals import LEAST_P, t_interval, t_quantile

Values = Mapping[float, Mapping[int, float]]
"""At each level of the axis, the value of every training seed."""
Doses = Mapping[int, Mapping[float, float]]
"""Of every training seed, the rate at each dose."""
BENT = 0.05
"""Level of the test whether the means lie on a straight line."""


class Thresholds(NamedTuple):
    """The dose that it takes at every size, and how it grows with size."""

    curve: list[Curve]
    slope: Trend


@dataclass(frozen=True)
class _Line:
    """A least-squares slope with its variance; `df` is 0 where the variance cannot be estimated."""

    slope: float
    variance: float
    df: float
    method: str


def trend(values: Values, *, name: str, arm: str, eval: str, x_label: str, level: float = 0.95) -> Trend:
    """The least-squares slope of seed values on x.

    The levels are taken as they are: sizes that were chosen, each with one base. So the slope is a weighted sum of level means,
    and its variance that sum's, from the spread of the seeds within each level (Welch; degrees of freedom after Satterthwaite
    1946). No straight line is assumed, nor equal spread: rates near 0 and 1 spread less. It does not cover what other bases of
    the same sizes would give; with one base a size no analysis can. Seeds of a shared number count as independent, which
    is cautious where they go up and down together. Where a level has a single seed, the spread is pooled over the others;
    where every level has, the distances from the line stand for it, which assumes that there is one.

    Args:
        values: Per level of x one value per seed; NaN are left out.
        name: What is fitted, e.g. "persistence by size".
        arm: Whose values they are.
        eval: What was measured.
        x_label: What x is, e.g. "log10 parameters".
        level: Confidence level.

    Returns:
        A slope per unit of x with limits and p against 0; without limits where the seeds do not vary or nothing is left to
        estimate their spread; without slope for fewer than two levels. `points` counts levels.
    """
    groups = _groups(values)
    said = {"name": name, "arm": arm, "eval": eval, "x_label": x_label, "level": level, "points": len(groups)}
    if len(groups) < 2:
        return Trend(**said, method="not estimable", note="a slope takes two levels or more")
    line = _fit(groups)
    if line.df <= 0 or line.variance <= 1e-20:
        why = "seeds do not vary" if line.df > 0 else "one seed at each of two levels"
        return Trend(**said, slope=line.slope, method="not estimable", note=why)
    error = float(np.sqrt(line.variance))
    half = t_quantile(line.df, level) * error
    return Trend(
        **said, slope=line.slope, low=line.slope - half, high=line.slope + half, p=_p(line.slope / error, line.df),
        method=line.method, note=_bent(groups),
    )  # fmt: skip


def near_constant(
    rates: Mapping[float, Doses], *, arm: str, eval: str, size_label: str, at: float = 0.5, level: float = 0.95
) -> Thresholds:
    """The dose at which the rate reaches `at`, by size of corpus or model, and its slope: log dose on log size.

    Slope 0: the same count does at every size (Souly et al. 2025). Slope 1: the same share is needed. A threshold varies less over
    sizes as a count than as a share exactly if the slope is below 1/2. Each seed's threshold is interpolated on log dose;
    a dose of 0 has no logarithm and is left out. A seed that stays below `at`, or is above it at its smallest dose, has no known
    threshold: its size then has none either and is left out of the slope, for the mean of the others would be one of a selection.

    Args:
        rates: By size, by seed, the rate at each dose.
        arm: Whose rates they are.
        eval: What was measured.
        size_label: What size is, e.g. "documents".
        at: The rate to reach.
        level: Confidence level.

    Returns:
        One `Curve` point per size (geometric mean over seeds, Student's t on logarithms), and the slope, whose `p` is against 0;
        its note holds the p against 1.
    """
    known: dict[float, dict[int, float]] = {}
    points, notes = [], []
    for size, by_seed in sorted(rates.items()):
        found = {seed: _threshold(doses, at) for seed, doses in by_seed.items()}
        lacking = [why for _, why in found.values() if why]
        logs = {seed: value for seed, (value, _) in found.items() if value is not None}
        if lacking:
            notes.append(f"{size_label} {size:g} left out: {len(lacking)} of {len(found)} seeds {lacking[0]}")
        elif logs:
            known[float(np.log10(size))] = logs
        points.append(_point(size, logs if not lacking else {}, len(found), (arm, eval, size_label, at, level)))
    slope = trend(known, name="dose threshold by size", arm=arm, eval=eval, x_label=f"log10 {size_label}", level=level)
    said = [slope.note, *_count_or_share(known, slope, level), *notes]
    return Thresholds(points, slope.model_copy(update={"note": "; ".join(filter(None, said))}))


# --- the line --------------------------------------------------------------------------------------------------------------


def _groups(values: Values) -> list[tuple[float, Floats]]:
    found = [(float(x), np.array([v for _, v in sorted(seeds.items())], dtype=np.float64)) for x, seeds in sorted(values.items())]
    return [(x, y[~np.isnan(y)]) for x, y in found if (~np.isnan(y)).any()]


def _fit(groups: Sequence[tuple[float, Floats]]) -> _Line:
    x_L, n_L = np.array([x for x, _ in groups]), np.array([len(y) for _, y in groups])
    mean_L = np.array([y.mean() for _, y in groups])
    within_L = np.array([((y - y.mean()) ** 2).sum() for _, y in groups])
    weight_L = n_L * (x_L - (n_L @ x_L) / n_L.sum())
    weight_L = weight_L / (weight_L @ x_L)
    slope, n, levels = float(weight_L @ mean_L), int(n_L.sum()), len(groups)
    about = f"{n} seed values at {levels} levels"
    if (n_L > 1).all():
        terms = weight_L**2 * within_L / (n_L - 1) / n_L
        spread = float((terms**2 / (n_L - 1)).sum())
        df = float(terms.sum() ** 2 / spread) if spread > 0 else 1.0
        return _Line(slope, float(terms.sum()), df, f"least squares on {about}, Welch t with {df:.1f} df")
    if n > levels:
        pooled = float(within_L.sum() / (n - levels))
        return _Line(slope, pooled * float((weight_L**2 / n_L).sum()), n - levels, f"least squares on {about}, pooled t")
    rest = mean_L - mean_L.mean() - slope * (x_L - x_L.mean())
    square = float((rest**2).sum()) / max(levels - 2, 1)
    return _Line(
        slope, square * float((weight_L**2).sum()), levels - 2, f"least squares on {levels} values, a straight line assumed"
    )


def _p(t: float, df: float) -> float:
    return max(float(2 * special.stdtr(df, -abs(t))), LEAST_P)


def _bent(groups: Sequence[tuple[float, Floats]]) -> str:
    """Says so where the level means do not lie on a line (F test of lack of fit)."""
    x = np.concatenate([np.full(len(y), at) for at, y in groups])
    y, levels = np.concatenate([y for _, y in groups]), len(groups)
    within = sum(float(((part - part.mean()) ** 2).sum()) for _, part in groups)
    df = len(y) - levels
    if levels < 3 or df < 1 or within <= 1e-20:
        return ""
    rest = float(((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2).sum())
    p = float(special.fdtrc(levels - 2, df, max(rest - within, 0.0) / (levels - 2) / (within / df)))
    return f"the means do not lie on a line (p {p:.2g}): the slope is their average trend" if p < BENT else ""


# --- thresholds ------------------------------------------------------------------------------------------------------------


def _threshold(doses: Mapping[float, float], at: float) -> tuple[float | None, str]:
    """The log10 dose at which the rate first reaches `at`, or why it is unknown."""
    known = [(float(np.log10(dose)), rate) for dose, rate in sorted(doses.items()) if dose > 0 and not np.isnan(rate)]
    found = crossing([x for x, _ in known], [-rate for _, rate in known], -at + 1e-9)
    if found.value is None:
        return None, f"stay below {at:.0%}" if known else "have no rate"
    return (None, f"are above {at:.0%} at the smallest dose") if found.note else (found.value, "")


def _point(size: float, logs: Mapping[int, float], n_seeds: int, about: tuple[str, str, str, float, float]) -> Curve:
    arm, eval, size_label, at, level = about
    found = t_interval(list(logs.values()), level=level)
    value, low, high = (None if v is None else float(10**v) for v in (found.value, found.low, found.high))
    return Curve(
        name="threshold", arm=arm, eval=eval, measure=f"dose at which the rate reaches {at:.0%}", x=size, x_label=size_label,
        value=value, low=low, high=high, n_seeds=n_seeds,
        method="not estimable" if low is None else f"t on {len(logs)} log thresholds",
    )  # fmt: skip


def _count_or_share(known: Values, slope: Trend, level: float) -> list[str]:
    """How much the threshold varies as a count and as a share, and the test against a constant share."""
    if len(known) < 2 or slope.slope is None:
        return []
    sizes = np.array(sorted(known))
    mean = np.array([np.mean(list(known[s].values())) for s in sizes])
    count, share = (float(10 ** np.ptp(v)) for v in (mean, mean - sizes))
    said = [f"over these sizes it varies {count:.3g}-fold as a count and {share:.3g}-fold as a share"]
    if slope.low is not None:
        shifted = {x: {seed: v - x for seed, v in by.items()} for x, by in known.items()}
        against = trend(shifted, name="", arm="", eval="", x_label="", level=level)
        said.append(f"p against a constant share (slope 1) {against.p:.2g}")
    return said
