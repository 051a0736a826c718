"""Rows of one arm and eval become one array over the facets of the design: seed x checkpoint x temperature x judge x item.

In: a coded result table and row positions. Out: cell means over repetitions, and the mean squares within cells. A row without
a score is missing. An item is one (item_id, category, condition); a repetition belongs to its cell and is not matched across cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from axenic.stats.crossed import Floats
from axenic.stats.mean_squares import moment_df
from axenic.stats.tables import Codes, Table

FACETS = ("train_seed", "checkpoint", "temperature", "judge", "item")
COLUMN = {"train_seed": "train_seed", "checkpoint": "epoch", "temperature": "temperature", "judge": "judge"}
LARGEST = 20_000_000
"""Cells of the largest array worth building (160 MB); a table that needs more is far from crossed."""


@dataclass(frozen=True)
class Within:
    """Noise of repetitions at one temperature. Mean squares are per response, summed over judges where judges cross."""

    temperature: float
    response: float  # mean square between repetitions, within cells
    df: float  # as counted
    spread_df: float  # as the cells' own variances spread over seeds and items
    by_judge: float  # mean square of repetition x judge; 0 with one judge
    by_judge_df: float
    share: float  # mean of 1 / repetitions: what of the noise is left in a cell mean
    repetitions: int  # most in a cell

    @property
    def known(self) -> bool:
        """Whether noise was measured, or is absent because decoding is greedy."""
        return self.df > 0 or self.temperature == 0


@dataclass(frozen=True)
class Cube:
    """Cell means with the facets that vary, and the noise below the cells."""

    facets: tuple[str, ...]  # those with two levels or more, in the order of FACETS
    levels: dict[str, list[Any]]  # of every facet
    mean: Floats  # one axis per facet in `facets`; NaN where nothing was scored
    count: Codes  # repetitions behind each mean
    within: tuple[Within, ...]  # one per temperature
    spread_S_I: Floats  # mean squared distance of a response from the mean of all, by seed and item
    even: bool  # every cell has as many repetitions as the others at its temperature

    @property
    def size(self) -> dict[str, int]:
        """Levels of each varying facet."""
        return dict(zip(self.facets, self.mean.shape, strict=True))

    @property
    def complete(self) -> bool:
        """No cell is empty."""
        return not bool(np.isnan(self.mean).any())


def unit_codes(table: Table, index: Codes) -> Codes:
    """A code per row for its (item_id, category, condition)."""
    key = table.codes["item_id"][index]
    for column in ("category", "condition"):
        key = key * max(1, len(table.labels[column])) + table.codes[column][index]
    found: Codes = np.unique(key, return_inverse=True)[1].astype(np.int64)
    return found


def cube(table: Table, index: Codes) -> Cube | None:
    """Array of the scored rows at `index`, which are of one arm and eval.

    Returns:
        None if nothing was scored, or if the array would have more than LARGEST cells.
    """
    index = index[~np.isnan(table.score[index])]
    if not len(index):
        return None
    codes, levels = [], {}
    for facet in FACETS[:-1]:
        seen, code = np.unique(table.codes[COLUMN[facet]][index], return_inverse=True)
        codes.append(code)
        levels[facet] = [table.labels[COLUMN[facet]][c] for c in seen]
    items = unit_codes(table, index)
    seen, code = np.unique(items, return_inverse=True)
    codes.append(code)
    levels["item"] = [int(s) for s in seen]
    rank = _rank(codes, [len(levels[f]) for f in FACETS], table.codes["repetition"][index])
    shape = (*(len(levels[f]) for f in FACETS), int(rank.max()) + 1)
    if np.prod(shape, dtype=np.float64) > LARGEST:
        return None
    y = np.full(shape, np.nan)
    y[(*codes, rank)] = table.score[index]
    return _summary(y, levels)


def without_levels(found: Cube, facet: str, keep: npt.NDArray[np.bool_]) -> Cube:
    """The cube on some levels of a facet that varies; noise stays as it was measured."""
    axis = found.facets.index(facet)
    levels = {**found.levels, facet: [v for v, k in zip(found.levels[facet], keep, strict=True) if k]}
    at = np.flatnonzero(keep)
    mean, count = found.mean.take(at, axis=axis), found.count.take(at, axis=axis)
    return replace(found, mean=mean, count=count, levels=levels)


def _rank(codes: Sequence[Codes], sizes: Sequence[int], repetition: Codes) -> Codes:
    """Number repetitions 0, 1, ... within (seed, checkpoint, temperature, item); judges of one response share the number."""
    cell = np.zeros(len(repetition), dtype=np.int64)
    for facet, code, size in zip(FACETS, codes, sizes, strict=True):
        if facet != "judge":
            cell = cell * size + code
    key, inverse = np.unique(cell * (int(repetition.max()) + 1) + repetition, return_inverse=True)
    first = np.flatnonzero(np.r_[True, np.diff(key // (int(repetition.max()) + 1)) > 0])
    start = np.repeat(first, np.diff(np.r_[first, len(key)]))
    rank: Codes = (np.arange(len(key)) - start)[inverse]
    return rank


def _summary(y: Floats, levels: dict[str, list[Any]]) -> Cube:
    seen = ~np.isnan(y)
    count = seen.sum(axis=-1)
    mean = np.where(count > 0, np.where(seen, y, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
    within = tuple(_within(y[:, :, t], count[:, :, t], float(levels["temperature"][t] or 0.0)) for t in range(y.shape[2]))
    even = all(len(np.unique(count[:, :, t])) == 1 for t in range(y.shape[2]))
    facets = tuple(f for f, n in zip(FACETS, mean.shape, strict=True) if n > 1)
    shape = [n for n in mean.shape if n > 1]
    known = np.where(seen, (np.where(seen, y, 0.0) - y[seen].mean()) ** 2, 0.0).sum(axis=(1, 2, 3, 5))
    n = seen.sum(axis=(1, 2, 3, 5))
    spread = np.where(n > 0, known / np.maximum(n, 1), np.nan)
    return Cube(facets, levels, mean.reshape(shape), count.reshape(shape), within, spread, even)


def _within(y: Floats, count: npt.NDArray[np.int64], temperature: float) -> Within:
    """Noise of y[seed, checkpoint, judge, item, repetition]. With several judges, from responses that all of them scored."""
    judges = y.shape[2]
    whole: npt.NDArray[np.bool_] = np.asarray(~np.isnan(y).any(axis=2))
    n = whole.sum(axis=-1)
    response = np.where(whole, np.where(np.isnan(y), 0.0, y).mean(axis=2), 0.0)
    middle = response.sum(axis=-1) / np.maximum(n, 1)
    off = np.where(whole, response - middle[..., None], 0.0)
    df = float(np.maximum(n - 1, 0).sum())
    ms = judges * float((off**2).sum()) / df if df else 0.0
    spread_df = moment_df(_per_cell((off**2).sum(axis=-1), np.maximum(n - 1, 0)), df) if df else 0.0
    by_judge, by_judge_df = 0.0, df * (judges - 1)
    if by_judge_df:
        known = np.where(whole[:, :, None], y, 0.0)
        per_judge = known.sum(axis=-1) / np.maximum(n, 1)[:, :, None]
        left = known - per_judge[..., None] - off[:, :, None]
        by_judge = float((np.where(whole[:, :, None], left, 0.0) ** 2).sum()) / by_judge_df
    share = float((1 / count[count > 0]).mean()) if (count > 0).any() else 1.0
    return Within(temperature, ms, df, spread_df, by_judge, by_judge_df, share, int(count.max(initial=0)))


def _per_cell(square: Floats, df: Codes) -> Floats:
    """Variance within cells by seed and item, over checkpoints; NaN where no cell repeats."""
    total, n = square.sum(axis=1), df.sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


SIDE_JUDGES = ("coherence", "toxicity")
"""Judges of another question than the eval's: they do not rival its judges."""


def at_last_epoch(table: Table, index: Codes) -> Codes:
    """The rows of the latest epoch among those at `index`."""
    epoch = table.codes["epoch"][index]
    found: Codes = index[epoch == epoch.max()] if len(index) else index
    return found


def by_rival_judges(table: Table, index: Codes) -> Codes:
    """The rows whose judge answers the eval's own question."""
    names = table.labels["judge"]
    aside = np.array([names[c] in SIDE_JUDGES for c in range(len(names))], dtype=bool)
    found: Codes = index[~aside[table.codes["judge"][index]]]
    return found


def without_derived(table: Table) -> Codes:
    """Positions of all rows but those of arms named "x | y", which are made of other arms."""
    names = table.labels["arm"]
    derived = np.array([" | " in names[c] for c in range(len(names))], dtype=bool)
    found: Codes = np.flatnonzero(~derived[table.codes["arm"]]) if len(table) else np.zeros(0, dtype=np.int64)
    return found
