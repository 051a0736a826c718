"""Intervals for a mean score: over items (Wilson), over seeds (t), over both (seed x item).

In: counts, seed means or a seeds x items matrix of scores in [0, 1]. Out: an `Interval` that is never zero-width.
Wilson (1927); Clopper & Pearson (1934); effective sample size with t adjustment after Korn & Graubard (1998).
Measured coverage is in docs/statistics.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special

from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, drop_empty

LEAST_P = 1e-100
"""No test on a few seeds and items says more than this; p is never 0."""


@dataclass(frozen=True)
class Interval:
    """A value with its limits. Both limits are None when the uncertainty cannot be estimated; they are never equal."""

    value: float | None
    low: float | None
    high: float | None
    method: str
    note: str = ""


def not_estimable(value: float | None = None, note: str = "") -> Interval:
    """No limits, and why."""
    return Interval(value, None, None, "not estimable", note)


def t_quantile(df: float, level: float) -> float:
    """Two-sided quantile of Student's t."""
    return float(special.stdtrit(df, (1 + level) / 2))


def z_quantile(level: float) -> float:
    """Two-sided quantile of the normal."""
    return float(special.ndtri((1 + level) / 2))


def wilson_limits(p: float, n: float, quantile: float) -> tuple[float, float]:
    """The score interval: every p0 with |p - p0| <= quantile * sqrt(p0 (1 - p0) / n)."""
    q2 = quantile * quantile
    half = quantile * np.sqrt(p * (1 - p) / n + q2 / (4 * n * n))
    middle, scale = p + q2 / (2 * n), 1 + q2 / n
    return (float((middle - half) / scale) if p > 0 else 0.0), (float((middle + half) / scale) if p < 1 else 1.0)


def clopper_pearson_limits(p: float, n: float, level: float) -> tuple[float, float]:
    """The exact binomial interval for p n successes of n, both of which may be fractions."""
    k, tail = p * n, (1 - level) / 2
    low = float(special.betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(special.betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return low, high


def wilson(successes: float, n: float, *, level: float = 0.95) -> Interval:
    """Wilson's interval for a share of independent items, without continuity correction."""
    if n <= 0:
        return not_estimable(note="nothing scored")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, n], got {successes} of {n}")
    return Interval(successes / n, *wilson_limits(successes / n, n, z_quantile(level)), method=f"Wilson, {n:g} items")


def t_interval(values: Iterable[float], *, level: float = 0.95) -> Interval:
    """Student's t on seed means: generalises to new seeds on these same items. NaN are left out; limits are not clipped."""
    found = np.asarray(list(values), dtype=np.float64)
    found = found[~np.isnan(found)]
    if found.size == 0:
        return not_estimable(note="nothing scored")
    mean, sd = float(found.mean()), float(found.std(ddof=1)) if found.size > 1 else 0.0
    if found.size < 2:
        return not_estimable(mean, "one seed")
    if sd < 1e-10:
        return not_estimable(mean, "seeds do not vary")
    half = t_quantile(found.size - 1, level) * sd / np.sqrt(found.size)
    return Interval(mean, float(mean - half), float(mean + half), f"t on {found.size} seed means")


def two_way(scores_S_I: Floats, *, level: float = 0.95) -> Interval:
    """Interval for the mean score over the population of seeds and of items, from a seeds x items matrix.

    The variance of the mean (`crossed_mean`) gives an effective number of independent items, p (1 - p) / Var, cut down by
    (z / t)^2 for the few degrees of freedom; the Clopper-Pearson interval for that number keeps the limits inside [0, 1] and
    honest near its ends. With no spread at all, items alone decide: Clopper-Pearson with n = number of items. One row is one
    run, whose interval speaks of items only (`one_run`).

    Args:
        scores_S_I: Scores in [0, 1], NaN for missing.
        level: Confidence level.

    Returns:
        "not estimable" with the value if several seeds share a single item, and without it if nothing was scored.
    """
    y = drop_empty(np.asarray(scores_S_I, dtype=np.float64))
    if y.size and (np.fmin.reduce(y, axis=None) < 0 or np.fmax.reduce(y, axis=None) > 1):
        raise ValueError("scores must lie in [0, 1]")
    if y.shape[0] == 1:
        return one_run(y[0], level=level)
    if y.size == 0:
        return not_estimable(note="nothing scored")
    found = crossed_mean(y)
    if found is None:
        return not_estimable(float(np.nanmean(y)), "one item: its spread over items is unknown")
    return _crossed_interval(found, level=level, binary=_is_binary(y))


def one_run(scores_I: Floats, *, level: float = 0.95) -> Interval:
    """Interval over items for a single run: Wilson, with the effective number of items where scores are fractions."""
    scores = np.asarray(scores_I, dtype=np.float64)
    scores = scores[~np.isnan(scores)]
    if scores.size == 0:
        return not_estimable(note="nothing scored")
    mean, found = float(scores.mean()), crossed_mean(scores[None, :])
    if _is_binary(scores) or found is None or found.variance == 0:
        return wilson(float(scores.sum()), scores.size, level=level)
    n = effective_n(found, mean * (1 - mean), level)
    return Interval(mean, *wilson_limits(mean, n, z_quantile(level)), method=f"Wilson, effective n of {scores.size} items")


def effective_n(found: CrossedMean, spread: float, level: float) -> float:
    """How many independent draws of variance `spread` would be as informative, after (z / t)^2 (Korn & Graubard 1998)."""
    return spread / found.variance * (z_quantile(level) / t_quantile(found.df, level)) ** 2


def difference_limits(found: CrossedMean, *, level: float = 0.95) -> tuple[float, float, float]:
    """Limits and two-sided p for a mean difference d of scores in [0, 1].

    The score form of the t-test: the values d0 that |d - d0| <= t sqrt(V (1 - d0^2) / (1 - d^2)) does not reject, V the variance
    of d; that is Wilson's interval for (1 + d) / 2. Near d = 0 it is the t-interval, to which the limits are widened where
    that is wider; near -1 and 1 it stays inside and honest. p is the level at which the limits reach 0: the two never disagree.
    A difference that never varies goes to `constant_limits`.
    """
    d, variance = found.value, found.variance
    if variance == 0:
        return constant_limits(d, found.n_items, level=level)
    quantile, room = mixed_t(found, 1 - level), max(1 - d * d, 1e-12)
    low, high = (2 * limit - 1 for limit in wilson_limits((1 + d) / 2, room / variance, quantile))
    half = quantile * np.sqrt(variance)
    p = _mixed_p(found, abs(d) * float(np.sqrt(room / variance)))
    return max(-1.0, min(low, float(d - half))), min(1.0, max(high, float(d + half))), p


def one_sided_p(found: CrossedMean, bound: float, *, side: Literal["above", "below"]) -> float:
    """The p of "the mean difference lies above (below) the bound", from the same test as `difference_limits`, never 0.

    Args:
        found: A mean difference d of scores in [0, 1] with its variance.
        bound: In (-1, 1), e.g. minus a margin.
        side: "above" tests the hypothesis that the difference is at most `bound`.
    """
    d, variance = (found.value, found.variance) if side == "above" else (-found.value, found.variance)
    d0 = bound if side == "above" else -bound
    if variance == 0:  # the level at which a limit of `constant_limits` reaches the bound
        return max(((1 + d0) / (1 + d)) ** found.n_items, LEAST_P) if d > d0 else 1.0
    widened = max(1.0, (1 - d0 * d0) / max(1 - d * d, 1e-12))
    p = _mixed_p(found, abs(d - d0) / float(np.sqrt(variance * widened)))
    return p / 2 if d > d0 else 1 - p / 2


def mixed_t(found: CrossedMean, p: float) -> float:
    """Two-sided quantile of t for a sum of terms: t^2 of each term's own degrees of freedom, weighted by the term.

    After Cochran and Cox (1957), whose weights apply to t itself. With three seeds Satterthwaite's degrees of freedom are too
    many when the seed term comes out small by luck: a contrast with one base then covered 91 %, with this 95 %.
    """
    terms = [t for t in (found.items, *found.seeds) if t[0] > 0]
    return float(np.sqrt(sum(v * special.stdtrit(df, p / 2) ** 2 for v, df in terms) / sum(v for v, _ in terms)))


def _mixed_p(found: CrossedMean, statistic: float) -> float:
    """The p at which `mixed_t` equals the statistic, never 0."""
    if mixed_t(found, LEAST_P) <= statistic:
        return LEAST_P
    log_p = optimize.brentq(lambda log: mixed_t(found, float(np.exp(log))) - statistic, np.log(LEAST_P), 0.0, xtol=1e-12)
    return float(np.exp(log_p))


def constant_limits(d: float, n_items: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """Exact limits and p when all n items show one and the same difference d.

    At most a share u = 1 - (tail)^(1/n) of the population can differ otherwise (Clopper-Pearson for 0 of n), by -1 or 1 at worst.
    p is the level at which the limits reach 0; for d = 1 or -1 it is the sign test's 2 / 2^n.
    """
    u = 1 - ((1 - level) / 2) ** (1 / n_items)
    p = min(1.0, 2 * (1 + abs(d)) ** -float(n_items))
    return d - u * (1 + d), d + u * (1 - d), max(p, LEAST_P)


def _crossed_interval(found: CrossedMean, *, level: float, binary: bool) -> Interval:
    p, size = found.value, f"{found.n_seeds} seeds x {found.n_items} items"
    if found.variance == 0:
        limits = clopper_pearson_limits(p, found.n_items, level)
        return Interval(
            p, *limits, method=f"items only ({found.n_seeds} seeds do not vary), Clopper-Pearson, {found.n_items} items"
        )
    n = effective_n(found, p * (1 - p), level)
    if binary:  # as many draws as cells at most: a variance that is small by luck is not information
        n = min(n, found.n_cells * (z_quantile(level) / t_quantile(found.df, level)) ** 2)
    axis = f"seed x item, {size}" if found.seeds_vary else f"items only ({found.n_seeds} seeds do not vary), {found.n_items} items"
    return Interval(p, *clopper_pearson_limits(p, n, level), method=axis)


def _is_binary(scores: Floats) -> bool:
    return bool(((scores == 0) | (scores == 1) | np.isnan(scores)).all())
