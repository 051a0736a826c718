"""The variance components of one cube: which mean squares estimate which source, on balanced and on unbalanced tables.

In: a `cube.Cube`. Out: a `Design`: mean squares and, per source of `findings.Source`, a linear combination of them. Balanced
tables by the method of moments; others by REML, whose estimates are written as the mean squares they imply so that one set of
intervals serves both (docs/variance.md).
"""

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from axenic.findings import Items, Source
from axenic.stats.crossed import Floats
from axenic.stats.cube import Cube, Within, without_levels
from axenic.stats.mean_squares import Combination, Key, MeanSquare, add, component, mean_squares, subsets, value_of
from axenic.stats.reml import Labels, Stratum, fit

MOMENTS = "method of moments"
FILL_ROUNDS = 60
FEW_EMPTY, MANY_EMPTY = 0.2, 0.5
"""Crossed designs with up to FEW_EMPTY cells empty are filled, which is much faster than REML; beyond MANY_EMPTY never."""
LARGEST_REML = 20_000_000


@dataclass(frozen=True)
class Design:
    """Mean squares, and the components as combinations of them; `squares` may be edited to ask what another table would say."""

    cube: Cube
    squares: dict[Key, MeanSquare]
    parts: dict[Source, Combination]
    method: str

    def variance(self, source: Source) -> float:
        """The component, negative estimates cut off at 0; 0 for a source that the design does not have."""
        return max(0.0, value_of(self.parts.get(source, {}), self.squares))


def design(found: Cube, *, items: Items = "sampled") -> Design | str:
    """Estimate every source that the cube can tell apart; or say why there is nothing to estimate."""
    if found.size.get("item", 1) < 2:
        return "one item: its spread over items is unknown"
    affordable = "judge" not in found.facets and _cost(found) < LARGEST_REML
    if too_sparse(found.mean) and not affordable:
        share = np.isnan(found.mean).mean()
        return f"{share:.0%} of the cells of {' x '.join(found.facets)} are empty: too sparse to be crossed"
    parts = _parts(found, items)
    filled = int(np.isnan(found.mean).sum())
    full = fill(found.mean) if filled else found.mean
    squares = mean_squares(full, found.facets, filled=filled) | _below(found)
    if found.complete and found.even:
        return Design(found, squares, parts, MOMENTS)
    if affordable and (len(found.facets) < 3 or filled > FEW_EMPTY * full.size):
        return Design(found, squares | _restricted(found, squares), parts, "REML")
    how = f"{filled} empty cells filled by least squares" if filled else "unweighted cell means"
    return Design(found, squares, parts, f"{MOMENTS}, {how}")


def _cost(found: Cube) -> int:
    """Numbers that one evaluation of the restricted likelihood touches."""
    levels = sum(int(np.prod([found.size[f] for f in e if f != "item"])) for e in subsets(found.facets) if len(e) < 3)
    return found.size["item"] * levels**2 * len(found.within)


def fill(y: Floats) -> Floats:
    """Empty cells take the value that leaves no residual of the highest interaction (Yates 1933); at least one value per level."""
    empty = np.isnan(y)
    found = np.where(empty, np.nanmean(y), y)
    for _ in range(FILL_ROUNDS):
        left = found
        for axis in range(y.ndim):
            left = left - left.mean(axis=axis, keepdims=True)
        step = np.where(empty, left, 0.0)
        found = found - step
        if float(np.abs(step).max()) < 1e-6:
            break
    return found


def too_sparse(y: Floats) -> bool:
    """Whether filling the empty cells would make up most of the table."""
    return bool(np.isnan(y).mean() > MANY_EMPTY)


def drop_empty_levels(found: Cube) -> Cube:
    """Without levels that have no score at all, which fill nothing and tell nothing."""
    for axis, facet in enumerate(found.facets):
        other = tuple(a for a in range(found.mean.ndim) if a != axis)
        seen = np.asarray(~np.isnan(found.mean).all(axis=other))
        found = found if seen.all() else without_levels(found, facet, seen)
    return found


def source_of(effect: frozenset[str], found: Cube) -> Source:
    """The name under which an effect is reported. An effect that repetitions are needed to see alone is "residual"."""
    top = frozenset(found.facets)
    if effect in (top, top - {"judge"}) and not all(w.known for w in found.within):
        return "residual"
    name = ":".join(f for f in found.facets if f in effect)
    return next((s for s in get_args(Source) if s == name), "residual")


def _parts(found: Cube, items: Items) -> dict[Source, Combination]:
    effects = {e: component(e, found.size) for e in subsets(found.facets)}
    top, judges = frozenset(found.facets), found.size.get("judge", 1)
    each = 1 / len(found.within)
    measured = [w for w in found.within if w.df > 0]
    for w in measured:
        once = each * w.share
        if judges > 1:
            effects[top] = add((effects[top], 1.0), ({f"judge {w.temperature}": 1.0}, -once))
            effects[top - {"judge"}] = add((effects[top - {"judge"}], 1.0), (_response(w, judges), -once))
        else:
            effects[top] = add((effects[top], 1.0), (_response(w, judges), -once))
    if items == "fixed":
        n = found.size["item"]
        effects |= {e: add((effects[e], 1.0), (effects[e | {"item"}], 1 / n)) for e in effects if "item" not in e}
    parts: dict[Source, Combination] = {}
    for effect, part in effects.items():
        source = source_of(effect, found)
        parts[source] = add((parts.get(source, {}), 1.0), (part, 1.0))
    for w in measured:
        source = "repetition" if w.temperature > 0 else "numerical"
        parts[source] = add((parts.get(source, {}), 1.0), (_response(w, judges), each))
        if judges > 1:
            parts["residual"] = add((parts.get("residual", {}), 1.0), ({f"judge {w.temperature}": 1.0}, each))
    return parts


def _response(w: Within, judges: int) -> Combination:
    """Variance between repetitions of one response, as all its judges see it."""
    name = f"response {w.temperature}"
    return {name: 1.0} if judges == 1 else {name: 1 / judges, f"judge {w.temperature}": -1 / judges}


def _below(found: Cube) -> dict[Key, MeanSquare]:
    squares: dict[Key, MeanSquare] = {}
    for w in found.within:
        if w.df > 0:
            squares[f"response {w.temperature}"] = MeanSquare(w.response, w.spread_df)
        if w.by_judge_df > 0:
            squares[f"judge {w.temperature}"] = MeanSquare(w.by_judge, w.by_judge_df)
    return squares


def _restricted(found: Cube, squares: dict[Key, MeanSquare]) -> dict[Key, MeanSquare]:
    """The mean squares that a balanced table with the REML estimates would be expected to show."""
    sampled = replace(found, within=tuple(replace(w, df=max(w.df, 1.0)) for w in found.within))
    top = frozenset(found.facets)
    named = [e for e in subsets(found.facets) if e != top and source_of(e, sampled) != "residual"]
    place = np.indices(found.mean.shape[:-1]).reshape(found.mean.ndim - 1, -1)
    label = {e: _labels(place, found, e - {"item"}) for e in named}
    item, plain = [e for e in named if "item" in e], [e for e in named if "item" not in e]
    stratum_C = (
        place[found.facets.index("temperature")] if "temperature" in found.facets else np.zeros(place.shape[1], dtype=np.int64)
    )
    strata = [Stratum(w.response, w.df) for w in found.within]
    n_items, size = found.mean.shape[-1], found.size
    got = fit(
        found.mean.reshape(-1, n_items), repetitions_C_I=found.count.reshape(-1, n_items), stratum_C=stratum_C, strata=strata,
        item_blocks=[label[e] for e in item], plain_blocks=[label[e] for e in plain],
        start=np.array([value_of(component(e, size), squares) for e in (*item, *plain, top)]),
    )  # fmt: skip
    variance = dict(zip([*item, *plain], [*got.item_blocks, *got.plain_blocks], strict=True)) | {top: got.residual}
    base = float(np.mean([v * w.share for v, w in zip(got.noise, found.within, strict=True)]))
    implied: dict[Key, MeanSquare] = {
        f"response {w.temperature}": MeanSquare(float(v), w.spread_df)
        for v, w in zip(got.noise, found.within, strict=True)
        if w.df > 0
    }
    for effect in subsets(found.facets):
        above = [(v, np.prod([size[f] for f in size if f not in e])) for e, v in variance.items() if e >= effect]
        value = float(sum(v * n for v, n in above)) + base
        implied[effect] = MeanSquare(value, squares[effect].df)
    return implied


def _labels(place: Labels, found: Cube, effect: frozenset[str]) -> Labels:
    """The level of every column for an effect without the item; one level for the item alone."""
    key: Labels = np.zeros(place.shape[1], dtype=np.int64)
    for axis, facet in enumerate(found.facets[:-1]):
        if facet in effect:
            key = key * found.size[facet] + place[axis]
    return key
