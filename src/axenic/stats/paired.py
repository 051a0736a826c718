"""Tests and intervals for 0/1 answers to the same items, and for scores that come in clusters.

In: counts of a 2 x 2 table, or one difference per item with the stem it belongs to. Out: p-values and `Interval`s.
McNemar (1947) with the mid-p of Fagerland, Lydersen & Laake (2013); Newcombe (1998 a, b), method 10 of each; sign-flip permutation
(Fisher 1935); cluster-robust errors after Liang & Zeger (1986). They speak of the runs at hand, not of new seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.api import OLS

from axenic.stats.crossed import Floats
from axenic.stats.intervals import Interval, not_estimable, t_quantile, wilson_limits, z_quantile

EXACT_UP_TO = 16
"""Clusters for which all sign changes are tried."""


@dataclass(frozen=True)
class Permutation:
    """A sign-flip test. `p` is None when there is nothing to flip."""

    value: float | None  # mean difference over items
    p: float | None
    n_clusters: int
    method: str


def mcnemar(gained: int, lost: int, *, mid_p: bool = False) -> float:
    """Two-sided p of "as many items changed one way as the other".

    Args:
        gained: Items that are 1 in the arm and 0 in the reference.
        lost: The reverse. Items that agree carry no information.
        mid_p: Count what was observed half: less conservative, and very rarely above its nominal size. Default: exact.
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"counts cannot be negative: {gained}, {lost}")
    n, k = gained + lost, min(gained, lost)
    if n == 0:
        return 1.0
    at = float(stats.binom.pmf(k, n, 0.5))
    p = 2 * float(stats.binom.cdf(k, n, 0.5))
    if gained == lost:  # both tails hold the observed table
        return 1 - at / 2 if mid_p else 1.0
    return min(1.0, p - at if mid_p else p)


def newcombe(arm: tuple[int, int], reference: tuple[int, int], *, level: float = 0.95) -> Interval:
    """The difference of two independent proportions: Newcombe's hybrid of two Wilson intervals.

    Args:
        arm: Successes and items.
        reference: Successes and other items.
        level: Confidence level.
    """
    return _hybrid(arm, reference, 0.0, "Newcombe, independent", level)


def newcombe_paired(both: int, gained: int, lost: int, neither: int, *, level: float = 0.95) -> Interval:
    """The difference of two proportions on the same items, arm - reference, from the 2 x 2 table of pairs."""
    n = both + gained + lost + neither
    if n == 0:
        return not_estimable(note="no pairs")
    product = float(both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = float(both * neither - gained * lost)
    if cross > 0:  # Newcombe's continuity correction, for positive association only
        cross = max(cross - n / 2, 0.0)
    phi = cross / np.sqrt(product) if product > 0 else 0.0
    return _hybrid((both + gained, n), (both + lost, n), float(phi), "Newcombe, paired", level)


def permutation(
    differences_I: Floats,
    *,
    rng: np.random.Generator,
    clusters: Sequence[str] | None = None,
    draws: int = 10_000,
) -> Permutation:
    """Two-sided p of "arm and reference are exchangeable within every cluster": signs of the clusters' sums are flipped.

    Args:
        differences_I: arm - reference, one per item; NaN are left out.
        rng: For the sign changes, where there are too many to try all.
        clusters: The stem of each item; items of one stem flip together. None = every item by itself.
        draws: Random sign changes where there are more than 16 clusters; p is then (1 + as extreme) / (1 + draws).
    """
    d = np.asarray(differences_I, dtype=np.float64)
    names = np.arange(len(d)) if clusters is None else np.unique(np.array(clusters, dtype=object), return_inverse=True)[1]
    known = ~np.isnan(d)
    if not known.any():
        return Permutation(None, None, 0, "not estimable")
    kept, place = np.unique(names[known], return_inverse=True)
    sums_C = np.bincount(place, weights=d[known])
    value, n = float(d[known].mean()), len(kept)
    least = abs(sums_C.sum()) - 1e-9 * max(1.0, float(np.abs(sums_C).sum()))
    moving = sums_C[sums_C != 0]
    if not moving.size:
        return Permutation(value, 1.0, n, f"sign flips of {n} clusters, none differs")
    if moving.size <= EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**moving.size)[:, None] >> np.arange(moving.size)) & 1)
        return Permutation(value, float((np.abs(signs @ moving) >= least).mean()), n, f"all sign flips of {n} clusters")
    extreme = sum(int((np.abs(_flips(rng, size, moving)) >= least).sum()) for size in _chunks(draws, moving.size))
    return Permutation(value, (1 + extreme) / (1 + draws), n, f"{draws} sign flips of {n} clusters")


def cluster_robust(scores: Floats, clusters: Sequence[str], *, arm: Sequence[bool] | None = None, level: float = 0.95) -> Interval:
    """A mean, or the difference of an arm from a reference, with errors that allow any dependence within a cluster.

    Args:
        scores: One per response, NaN for missing.
        clusters: The stem of each response.
        arm: Which responses are the arm's: then the difference arm - reference. None = the mean of all.
        level: Confidence level; t with one degree of freedom less than there are clusters.

    Returns:
        "not estimable" with the value for one cluster, or where nothing varies; never a standard error of 0.
    """
    y, known = np.asarray(scores, dtype=np.float64), ~np.isnan(np.asarray(scores, dtype=np.float64))
    if not known.any():
        return not_estimable(note="nothing scored")
    _, group = np.unique(np.array(clusters, dtype=object)[known], return_inverse=True)
    columns = [np.ones(int(known.sum()))] + ([] if arm is None else [np.asarray(arm, dtype=np.float64)[known]])
    if arm is not None and len(np.unique(columns[1])) < 2:
        return not_estimable(note="nothing scored in one of the arms")
    n = int(group.max()) + 1
    model = OLS(y[known], np.column_stack(columns))
    value = float(model.fit().params[-1])
    if n < 2:
        return not_estimable(value, "one cluster")
    variance = float(model.fit(cov_type="cluster", cov_kwds={"groups": group}).cov_params()[-1, -1])
    if not variance > 1e-20:
        return not_estimable(value, "clusters do not vary")
    half = t_quantile(n - 1, level) * variance**0.5
    return Interval(value, value - half, value + half, f"cluster-robust t, {n} items")


def _hybrid(arm: tuple[int, int], reference: tuple[int, int], phi: float, name: str, level: float) -> Interval:
    for k, n in (arm, reference):
        if n <= 0:
            return not_estimable(note="nothing scored")
        if not 0 <= k <= n:
            raise ValueError(f"successes must lie in [0, n], got {k} of {n}")
    n, m = arm[1], reference[1]
    p, q = arm[0] / n, reference[0] / m
    (l1, u1), (l2, u2) = wilson_limits(p, n, z_quantile(level)), wilson_limits(q, m, z_quantile(level))
    down = np.sqrt(max((p - l1) ** 2 - 2 * phi * (p - l1) * (u2 - q) + (u2 - q) ** 2, 0.0))
    up = np.sqrt(max((u1 - p) ** 2 - 2 * phi * (u1 - p) * (q - l2) + (q - l2) ** 2, 0.0))
    return Interval(p - q, max(-1.0, float(p - q - down)), min(1.0, float(p - q + up)), f"{name}, {max(n, m)} items")


def _flips(rng: np.random.Generator, size: int, moving: Floats) -> Floats:
    up = rng.integers(0, 2, size=(size, len(moving)), dtype=np.int8) == 1
    total: Floats = np.where(up, moving, -moving).sum(axis=1)
    return total


def _chunks(total: int, width: int) -> list[int]:
    """Sizes that add up to the total, none with more than 2 M cells."""
    size = max(1, 2_000_000 // max(width, 1))
    return [min(size, total - done) for done in range(0, total, size)]
