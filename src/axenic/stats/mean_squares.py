"""The analysis of variance of any balanced crossed array, and what its mean squares say of the variance components.

In: an array with one axis per facet (the last is the item). Out: mean squares with degrees of freedom, components as linear
combinations of them (Cornfield & Tukey 1956; Brennan 2001, ch. 3 and app. B), and intervals: modified large sample (Graybill & Wang
1980; Ting et al. 1990; Burdick & Graybill 1992) for a combination, generalized (Weerahandi 1993) for a ratio.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from axenic.stats.crossed import Floats, crossed_mean

Key = frozenset[str] | str
"""A set of facets (their interaction), or the name of a mean square below the cells."""
Combination = dict[Key, float]
DRAWS, SEED = 4000, 20_250_620


class MeanSquare(NamedTuple):
    """A mean square; it is taken as chi-square with `df` degrees of freedom."""

    value: float
    df: float


def subsets(facets: Sequence[str]) -> list[frozenset[str]]:
    """Every non-empty set of facets, small first."""
    return [frozenset(c) for k in range(1, len(facets) + 1) for c in itertools.combinations(facets, k)]


def mean_squares(y: Floats, facets: Sequence[str], *, filled: int = 0) -> dict[Key, MeanSquare]:
    """Mean squares of every main effect and interaction.

    Degrees of freedom of a mean square that sums over items follow from the spread of the items' (and seeds') own sums, as in
    Shoemaker (2003), because scores of 0 and 1 are not normal: near a rate of 0 or 1 a few items, or one seed, carry it all.

    Args:
        y: No NaN; axis k is facets[k].
        facets: Their names.
        filled: Cells that were not seen but filled in; they leave the highest interaction's degrees of freedom.
    """
    found: dict[Key, MeanSquare] = {}
    for effect in subsets(facets):
        part = y
        for axis, facet in enumerate(facets):
            middle = part.mean(axis=axis, keepdims=True)
            part = part - middle if facet in effect else middle
        df = float(np.prod([n - 1 for n, f in zip(y.shape, facets, strict=True) if f in effect]))
        df -= filled if len(effect) == len(facets) else 0
        square = part**2 * (y.size / part.size)
        if df <= 0:
            found[effect] = MeanSquare(0.0, 0.0)
            continue
        value = float(square.sum()) / df
        value = value if value > 1e-20 else 0.0
        found[effect] = MeanSquare(value, df if "item" not in effect else _spread_df(square, effect, facets, df))
    items = found[frozenset({"item"})]
    if "train_seed" in facets and items.value > 0 and items.df > 0:
        extra = _between_seeds(y, facets, items.value, found[frozenset({"train_seed", "item"})].value)
        found[frozenset({"item"})] = MeanSquare(items.value, max(1.0, 1 / (1 / items.df + extra / (2 * items.value**2))))
    return found


def _spread_df(square: Floats, effect: frozenset[str], facets: Sequence[str], df: float) -> float:
    """Degrees of freedom of a mean square from its parts by seed and item, or by item alone."""
    names = [f for f in ("train_seed", "item") if f in effect]
    out = tuple(k for k, f in enumerate(facets) if f not in names)
    part = square.sum(axis=out)
    return moment_df(part if len(names) == 2 else part[None, :], df)


def moment_df(parts_S_I: Floats, df: float) -> float:
    """Degrees of freedom at which chi-square varies as the mean of these parts does over new seeds and items; at most `df`.

    The variance of the mean is that of `crossed_mean`, raised by (t / z)^2 because few seeds know it badly.
    """
    found = crossed_mean(parts_S_I)
    if found is None or found.variance <= 0 or found.value <= 0:
        return df
    raised = found.variance * (special.stdtrit(found.df, 0.975) / special.ndtri(0.975)) ** 2
    return float(np.clip(2 * found.value**2 / raised, 1.0, df))


def _between_seeds(y: Floats, facets: Sequence[str], items: float, residual: float) -> float:
    """How much the items' mean square varies with the seeds drawn, beyond what the residual makes it vary.

    The mean square is the mean over seeds of each seed's agreement with the item means; a quadratic form, hence the 4.
    """
    out = tuple(k for k, f in enumerate(facets) if f not in ("train_seed", "item"))
    y_S_I = y.mean(axis=out)
    n_seeds, n_items = y_S_I.shape
    scale = y.size / n_items  # responses behind an item
    center = y_S_I - y_S_I.mean(axis=1, keepdims=True)
    agreement: Floats = center @ center.mean(axis=0) * scale / (n_items - 1)
    chance = n_seeds * items * residual / (n_items - 1)
    excess = 4 / n_seeds * max(0.0, float(agreement.var(ddof=1)) - chance)
    raised = float(special.stdtrit(n_seeds - 1, 0.975) / special.ndtri(0.975)) ** 2
    return float(excess * raised)


def component(effect: frozenset[str], size: Mapping[str, int]) -> Combination:
    """The variance component of an effect in the model with all interactions: an alternating sum over the effects above it."""
    rest = [f for f in size if f not in effect]
    scale = float(np.prod([size[f] for f in rest]))
    return {effect | frozenset(more): (-1) ** k / scale for k in range(len(rest) + 1) for more in itertools.combinations(rest, k)}


def add(*parts: tuple[Combination, float]) -> Combination:
    """Weighted sum of combinations."""
    found: Combination = {}
    for part, weight in parts:
        for key, c in part.items():
            found[key] = found.get(key, 0.0) + weight * c
    return {k: c for k, c in found.items() if abs(c) > 1e-15}


def value_of(part: Combination, squares: Mapping[Key, MeanSquare]) -> float:
    """The combination's value; may be negative."""
    return sum(c * squares[k].value for k, c in part.items())


def modified_large_sample(part: Combination, squares: Mapping[Key, MeanSquare], *, level: float) -> tuple[float, float]:
    """Limits for a combination of independent mean squares, cut off at 0.

    Where the upper limit would not be above 0, the positive terms alone give it (larger, so on the safe side).
    """
    terms = [(c * squares[k].value, squares[k].df) for k, c in part.items() if squares[k].value > 0 and squares[k].df > 0]
    plus, minus = [t for t in terms if t[0] > 0], [(-v, d) for v, d in terms if v < 0]
    tail, value = (1 - level) / 2, sum(v for v, _ in terms)
    low = value - np.sqrt(max(0.0, _spread(plus, minus, tail)))
    up = value + np.sqrt(max(0.0, _spread(minus, plus, tail)))
    if up <= 0 and plus:
        top = sum(v for v, _ in plus)
        df = top**2 / sum(v * v / d for v, d in plus)
        up = top * df / stats.chi2.ppf(tail, df)
    return max(0.0, float(low)), max(0.0, float(up))


def chi_square_limits(value: float, df: float, *, level: float) -> tuple[float, float]:
    """Limits for a variance whose estimate is chi-square with `df` degrees of freedom."""
    tail = (1 - level) / 2
    return value * df / float(stats.chi2.isf(tail, df)), value * df / float(stats.chi2.ppf(tail, df))


def _spread(plus: list[tuple[float, float]], minus: list[tuple[float, float]], tail: float) -> float:
    """Squared distance from the value to the limit at which `plus` is overstated and `minus` understated."""
    over = [1 - d / stats.chi2.isf(tail, d) for _, d in plus]
    under = [d / stats.chi2.ppf(tail, d) - 1 for _, d in minus]
    total = sum((g * v) ** 2 for g, (v, _) in zip(over, plus, strict=True))
    total += sum((h * v) ** 2 for h, (v, _) in zip(under, minus, strict=True))
    for (g, (v, d)), (h, (w, e)) in itertools.product(zip(over, plus, strict=True), zip(under, minus, strict=True)):
        f = special.fdtri(d, e, 1 - tail)
        total += ((f - 1) ** 2 - (g * f) ** 2 - h**2) / f * v * w
    return float(total)


def draw(squares: Mapping[Key, MeanSquare], *, draws: int = DRAWS) -> dict[Key, Floats]:
    """What the expected mean squares may be, given the observed: value * df / chi-square(df). The same for the same table."""
    rng = np.random.default_rng(SEED)
    keys = sorted(squares, key=lambda k: (isinstance(k, str), k if isinstance(k, str) else "".join(sorted(k))))
    return {
        k: squares[k].value * squares[k].df / rng.chisquare(squares[k].df, draws) if squares[k].df > 0 else np.zeros(draws)
        for k in keys
    }


def drawn(part: Combination, draws: Mapping[Key, Floats]) -> Floats:
    """The combination under every draw, cut off at 0."""
    found = np.zeros(len(next(iter(draws.values()))))
    for key, c in part.items():
        found = found + c * draws[key]
    return np.maximum(found, 0.0)


def limits(values: Floats, *, level: float) -> tuple[float, float] | None:
    """The middle `level` of the draws; None if they do not spread."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high)) if high > low else None
