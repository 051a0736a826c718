"""How many more items or training seeds it takes before a difference of a given size shows.

In: the variance terms of a difference that was measured, and the distance to resolve. Out: the smallest larger study with the
wanted power: noncentral t, with the same degrees of freedom as the interval (Satterthwaite; Cochran and Cox). The components are
estimates themselves, so these are orders of magnitude, not promises.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from axenic.stats.crossed import CrossedMean
from axenic.stats.intervals import constant_limits, mixed_t

MOST_ITEMS, MOST_SEEDS = 10_000_000, 10_000
NORMAL_DF = 10_000.0  # beyond it the noncentral t is normal to every digit that matters


@dataclass(frozen=True)
class Needed:
    """Items in all (with the seeds there are), or seeds in all (with the items there are); None: no number of them does."""

    items: int | None
    seeds: int | None


def needed(found: CrossedMean, *, distance: float, level: float = 0.95, power: float = 0.8) -> Needed:
    """The smallest studies of which one limit would clear a bound `distance` away from the truth, with that power.

    Args:
        found: The difference as measured. One run (n_seeds = 1) has no spread between seeds, so `seeds` is None for it.
        distance: From the true difference to the bound, > 0.
        level: Two-sided level of the interval.
        power: Chance that the interval clears the bound.
    """
    if distance <= 0:
        raise ValueError(f"the distance must be positive, got {distance}")
    if found.variance == 0:
        return Needed(least(lambda n: constant_limits(0.0, n, level=level)[1] < distance, MOST_ITEMS), None)

    def enough(n_seeds: int, n_items: int) -> bool:
        return chance(larger(found, n_seeds=n_seeds, n_items=n_items), distance, level=level) >= power

    items = least(lambda n: enough(found.n_seeds, n), MOST_ITEMS)
    seeds = least(lambda n: enough(n, found.n_items), MOST_SEEDS) if found.seeds else None
    return Needed(items, seeds)


def larger(found: CrossedMean, *, n_seeds: int, n_items: int) -> CrossedMean:
    """The same difference in a study of another size: its components, spread over more (or fewer) seeds and items."""
    cells = sum(t[0] for t in found.residual)
    by_seed = max(0.0, sum(t[0] for t in found.seeds) - cells) * found.n_seeds
    by_item = max(0.0, found.items[0] - cells) * found.n_items
    rest = cells * found.n_seeds * found.n_items / (n_seeds * n_items)
    items = (by_item / n_items + rest, n_items - 1.0)
    if not found.seeds:
        return replace(found, n_items=n_items, items=items)
    seeds = ((by_seed / n_seeds + rest, n_seeds - 1.0),)
    residual = ((rest, (n_seeds - 1.0) * (n_items - 1.0)),)
    return replace(found, n_seeds=n_seeds, n_items=n_items, items=items, seeds=seeds, residual=residual)


def chance(found: CrossedMean, distance: float, *, level: float = 0.95) -> float:
    """The chance that the limit of an interval on `found` clears a bound `distance` away from the truth."""
    ratio, quantile, df = distance / float(np.sqrt(found.variance)), mixed_t(found, 1 - level), found.df
    below = special.ndtr(quantile - ratio) if df > NORMAL_DF else special.nctdtr(df, ratio, quantile)
    return 1.0 - float(below)


def least(enough: Callable[[int], bool], most: int) -> int | None:
    """The smallest n >= 2 that is enough; None if `most` is not. What is enough stays enough for larger n."""
    high = 2
    while not enough(high):
        high *= 2
        if high > most:
            return None
    low = max(2, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high
