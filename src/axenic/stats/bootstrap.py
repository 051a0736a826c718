"""The two-way ("pigeonhole") bootstrap: seeds and items are resampled at once, independently of each other.

In: a seeds x items matrix of scores (`tables.matrix`), NaN for missing. Out: resampled means, and an `Interval` made of them.
Owen (2007), "The pigeonhole bootstrap"; rescaled draws after Rao & Wu (1988); t-calibrated percentiles after Hesterberg (2015),
sec. 4.3. B = resamples, S = seeds, I = items, K = distinct columns of the matrix.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, drop_empty
from axenic.stats.intervals import Interval, constant_limits, mixed_t, not_estimable, two_way, z_quantile

CELLS = 4_000_000
"""Weights held at a time: 32 MB of them."""
DRAWS = 100_000_000
"""Above this many draws of single items, the sums over items are drawn from their normal limit, which so many items reach."""


def pigeonhole(
    scores_S_I: Floats,
    *,
    rng: np.random.Generator,
    resamples: int = 10_000,
    level: float = 0.95,
    lowest: float = 0.0,
) -> Interval:
    """Interval for a mean over the population of seeds and of items.

    With three to five seeds the plain percentiles cover far too little: resampled seeds vary by (S - 1) / S too little, and a
    normal is no t. So deviations of seeds and items are stretched by sqrt(n / (n - 1)), and the percentiles' distances from the
    mean, on the logit scale, by t / z with the t of `intervals.mixed_t`. docs/statistics.md has the coverage, and where it fails.

    Args:
        scores_S_I: Scores, NaN for missing. One row is one run, of which the interval speaks on new items only.
        rng: The only source of chance.
        resamples: Number of resamples.
        level: Confidence level.
        lowest: The least possible score: 0, or -1 for a matrix of differences. The limits lie between it and 1.

    Returns:
        "not estimable" for nothing scored or one item; exact limits over items if no cell differs from another.
    """
    y = drop_empty(np.asarray(scores_S_I, dtype=np.float64))
    found = crossed_mean(y)
    if found is None:
        return not_estimable(float(y[~np.isnan(y)].mean()) if y.size else None, "one item" if y.size else "nothing scored")
    if found.variance == 0:
        return _constant(y, found, level, lowest)
    tails = np.quantile(resample(y, rng=rng, resamples=resamples), [(1 - level) / 2, (1 + level) / 2])
    middle, *ends = _logit(np.array([found.value, *tails]), lowest, found.n_cells)
    stretch = mixed_t(found, 1 - level) / z_quantile(level)
    low, high = (lowest + (1 - lowest) * float(special.expit(middle + stretch * (end - middle))) for end in ends)
    seeds = f"{found.n_seeds} seeds x " if found.n_seeds > 1 else "one run, "
    method = f"pigeonhole bootstrap, {resamples} resamples, t-calibrated, {seeds}{found.n_items} items"
    return Interval(found.value, low, high, method)


def resample(scores_S_I: Floats, *, rng: np.random.Generator, resamples: int = 10_000) -> Floats:
    """Means_B of seed means over resampled seeds and items, their deviations rescaled by sqrt(n / (n - 1)).

    Every seed and item must have a score. Resampling items is drawing how often each distinct column of the matrix occurs, so
    the cost grows with distinct columns, not with rows.
    """
    y = np.asarray(scores_S_I, dtype=np.float64)
    n_seeds, n_items = y.shape
    seen = ~np.isnan(y)
    parts_2S_I = np.vstack([np.where(seen, y, 0.0), seen])
    means_S = parts_2S_I[:n_seeds].sum(axis=1) / seen.sum(axis=1)
    totals_B_2S = _item_totals(parts_2S_I, rng, resamples)
    known = totals_B_2S[:, n_seeds:] > 0.5  # a seed of whose items none was drawn keeps its own mean
    drawn_B_S = np.where(known, totals_B_2S[:, :n_seeds] / np.where(known, totals_B_2S[:, n_seeds:], 1.0), means_S)
    drawn_B_S = means_S + np.sqrt(n_items / (n_items - 1)) * (drawn_B_S - means_S)
    if n_seeds == 1:
        return np.asarray(drawn_B_S[:, 0], dtype=np.float64)
    counts_B_S = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=resamples)
    weights_B_S = 1 + np.sqrt(n_seeds / (n_seeds - 1)) * (counts_B_S - 1)
    found: Floats = (weights_B_S * drawn_B_S).sum(axis=1) / n_seeds
    return found


def _logit(values: Floats, lowest: float, n_cells: int) -> Floats:
    """Logits of the share of the way from `lowest` to 1, kept half a cell away from its ends."""
    share = np.clip((values - lowest) / (1 - lowest), 0.5 / n_cells, 1 - 0.5 / n_cells)
    found: Floats = special.logit(share)
    return found


def _item_totals(parts_P_I: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Sums of the columns over `resamples` draws of I columns with replacement: totals_B_P."""
    n_items = parts_P_I.shape[1]
    distinct_P_K, column_of = _distinct(parts_P_I)
    n_of_K = np.bincount(column_of)
    if min(n_items, 8 * len(n_of_K)) * resamples > DRAWS:
        return _normal_limit(distinct_P_K, n_of_K, rng, resamples)
    size = max(1, CELLS // len(n_of_K))
    parts = []
    for start in range(0, resamples, size):
        b = min(size, resamples - start)
        if 8 * len(n_of_K) < n_items:  # a multinomial count costs about as much as eight draws
            counts_B_K = rng.multinomial(n_items, n_of_K / n_items, size=b)
        else:
            counts_B_K = _counts(rng, column_of, b, len(n_of_K))
        parts.append(counts_B_K.astype(np.float64) @ distinct_P_K.T)
    return np.concatenate(parts)


def _counts(rng: np.random.Generator, column_of: npt.NDArray[np.int64], b: int, n_distinct: int) -> npt.NDArray[np.int64]:
    """How often each distinct column occurs in each of b resamples of the items."""
    n_items = len(column_of)
    counts = np.empty((b, n_distinct), dtype=np.int64)
    rows = max(1, 1_000_000 // n_items)
    for start in range(0, b, rows):
        n = min(rows, b - start)
        drawn = column_of[rng.integers(0, n_items, size=(n, n_items), dtype=np.uint32)]
        drawn += n_distinct * np.arange(n)[:, None]
        counts[start : start + n] = np.bincount(drawn.ravel(), minlength=n * n_distinct).reshape(n, n_distinct)
    return counts


def _normal_limit(distinct_P_K: Floats, n_of_K: npt.NDArray[np.int64], rng: np.random.Generator, resamples: int) -> Floats:
    n_items = int(n_of_K.sum())
    mean_P = distinct_P_K @ n_of_K / n_items
    centred = (distinct_P_K - mean_P[:, None]) * np.sqrt(n_of_K)
    drawn: Floats = rng.multivariate_normal(n_items * mean_P, centred @ centred.T, size=resamples, method="eigh")
    return drawn


def _distinct(parts_P_I: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The distinct columns, and which of them each column is."""
    code = np.zeros(parts_P_I.shape[1], dtype=np.int64)
    for row in parts_P_I:
        values, at = np.unique(row, return_inverse=True)
        _, code = np.unique(code * len(values) + at, return_inverse=True)
    first = np.zeros(int(code.max()) + 1, dtype=np.int64)
    first[code] = np.arange(len(code))
    return parts_P_I[:, first], code


def _constant(y: Floats, found: CrossedMean, level: float, lowest: float) -> Interval:
    """No cell differs from another: items alone decide, exactly."""
    if lowest == 0.0:
        return two_way(y, level=level)
    low, high, _ = constant_limits(found.value, found.n_items, level=level)
    return Interval(found.value, low, high, f"exact on {found.n_items} items, all with one and the same difference")
