"""The variance of the mean of a seeds x items matrix, when both seeds and items are samples of a population.

In: scores_S_I with NaN where nothing was scored. Out: the mean of seed means, its variance and its degrees of freedom.
Two-way crossed random effects as in generalizability theory (Cornfield & Tukey 1956; Brennan 2001, ch. 3); approximate degrees
of freedom after Satterthwaite (1946). S = training seeds, I = items (stems).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Term = tuple[float, float]  # a mean square divided by the number of cells, and its degrees of freedom


@dataclass(frozen=True)
class CrossedMean:
    """A mean and the terms of its variance: Var = seeds + items - residual, where each is mean square / (S I)."""

    value: float
    n_seeds: int
    n_items: int
    n_cells: int  # matrix cells with a score
    items: Term
    seeds: tuple[Term, ...] = ()  # one per set of seeds: two for a difference between arms with seeds of their own
    residual: tuple[Term, ...] = ()

    @property
    def _raw(self) -> float:
        return self.items[0] + sum(t[0] for t in self.seeds) - sum(t[0] for t in self.residual)

    @property
    def variance(self) -> float:
        """Unbiased where the data allow it; never below what seeds alone or items alone imply (components cut off at 0)."""
        return max(self._raw, self.items[0], sum(t[0] for t in self.seeds))

    @property
    def df(self) -> float:
        """Satterthwaite degrees of freedom, at least those of the shortest axis."""
        terms = [t for t in (self.items, *self.seeds, *self.residual) if t[1] > 0]
        spread = sum(v * v / d for v, d in terms)
        least = min((t[1] for t in (self.items, *self.seeds) if t[1] > 0), default=0.0)
        return max(self._raw**2 / spread, least) if spread > 0 else least

    @property
    def seeds_vary(self) -> bool:
        """Whether any cell differs between seeds by more than its item does."""
        return any(t[0] > 0 for t in (*self.seeds, *self.residual))


def drop_empty(scores_S_I: Floats) -> Floats:
    """Without the seeds and the items that have no score at all."""
    return scores_S_I[has_score(scores_S_I, axis=1)][:, has_score(scores_S_I, axis=0)]


def has_score(scores_S_I: Floats, *, axis: int) -> npt.NDArray[np.bool_]:
    """Which items (axis 0) or seeds (axis 1) have a score at all."""
    scored: npt.NDArray[np.int64] = np.sum(~np.isnan(scores_S_I), axis=axis, dtype=np.int64)
    return scored > 0


def known_mean(scores_S_I: Floats, *, axis: int) -> Floats:
    """Mean over the cells that have a score; every item (axis 0) or seed (axis 1) must have one."""
    seen = ~np.isnan(scores_S_I)
    total: Floats = np.where(seen, scores_S_I, 0.0).sum(axis=axis) / seen.sum(axis=axis)
    return total


def crossed_mean(scores_S_I: Floats) -> CrossedMean | None:
    """The mean of seed means with the terms of its variance.

    Missing cells are allowed: terms are then sums of squared cluster totals with the weights of the mean, and the residual comes
    from a least-squares fit of seed + item. On a full matrix they are the mean squares of the analysis of variance exactly.

    Args:
        scores_S_I: Float matrix, NaN for missing.

    Returns:
        None if nothing was scored or if there is one item only (its spread over items is unknown).
    """
    y = drop_empty(np.asarray(scores_S_I, dtype=np.float64))
    n_seeds, n_items = y.shape
    if y.size == 0 or n_items < 2:
        return None
    seen = ~np.isnan(y)
    value = float(known_mean(y, axis=1).mean())
    weight = seen / (n_seeds * seen.sum(axis=1, keepdims=True))
    pull = np.where(seen, weight * (y - value), 0.0)
    items = float((pull.sum(axis=0) ** 2).sum()) * n_items / (n_items - 1)
    base = CrossedMean(value, n_seeds, n_items, int(seen.sum()), (_clean(items), n_items - 1.0))
    if n_seeds == 1:
        return base
    seeds = float((pull.sum(axis=1) ** 2).sum()) * n_seeds / (n_seeds - 1)
    square, df = _residual_mean_square(y, seen)
    residual = square * float((weight**2).sum())
    return CrossedMean(
        value, n_seeds, n_items, base.n_cells, base.items, ((_clean(seeds), n_seeds - 1.0),), ((_clean(residual), df),)
    )


def independent_difference(a_S_I: Floats, b_T_I: Floats) -> CrossedMean | None:
    """The mean difference between two arms on the same items when their seeds have nothing in common.

    Items pair; seed terms add. Both matrices must hold the same I items, with at least two seeds each.
    """
    a, b = crossed_mean(a_S_I), crossed_mean(b_T_I)
    difference = crossed_mean((known_mean(a_S_I, axis=0) - known_mean(b_T_I, axis=0))[None, :])
    if a is None or b is None or difference is None:
        return None
    seeds, residual = (*a.seeds, *b.seeds), (*a.residual, *b.residual)
    return CrossedMean(
        a.value - b.value, min(a.n_seeds, b.n_seeds), a.n_items, a.n_cells + b.n_cells, difference.items, seeds, residual
    )


def _residual_mean_square(y: Floats, seen: npt.NDArray[np.bool_]) -> Term:
    """Mean square left after seed + item effects, with its degrees of freedom. (0, 0) if none are left to estimate it."""
    per_item = seen.sum(axis=0)
    within = np.where(seen, y - known_mean(y, axis=0), 0.0)
    share = seen / per_item
    normal = np.diag(seen.sum(axis=1).astype(np.float64)) - share @ seen.T
    effect_S, _, rank, _ = np.linalg.lstsq(normal, within.sum(axis=1), rcond=1e-9)
    left = np.where(seen, within - (effect_S[:, None] - (effect_S[:, None] * share).sum(axis=0)), 0.0)
    df = int(seen.sum()) - y.shape[1] - int(rank)
    return (float((left**2).sum()) / df, float(df)) if df > 0 else (0.0, 0.0)


def _clean(variance: float) -> float:
    """0 for what is only rounding: scores live in [-1, 1], so 1e-20 is an error of 1e-10 at most."""
    return variance if variance > 1e-20 else 0.0
