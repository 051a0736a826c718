"""Reliability: would another run of the same design tell the same arms, seeds or items apart?

In: the result table. Out: `findings.Reliability` records per eval, temperature and judge at each arm's last epoch: the
generalizability coefficient (relative error: differences between objects) and the dependability coefficient (absolute error: the
values themselves), for the design that was run (Brennan 2001, ch. 2, 4). Intervals are generalized ones (Weerahandi 1993).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Items, Reliability
from axenic.stats.crossed import Floats, drop_empty, has_score
from axenic.stats.cube import at_last_epoch, cube, without_derived
from axenic.stats.design import fill, too_sparse
from axenic.stats.mean_squares import Combination, Key, MeanSquare, add, draw, drawn, limits, mean_squares, value_of
from axenic.stats.tables import Codes, Table

SEED, ITEM, BOTH, ARM, ARM_ITEM, ITEM_OF_ARMS, NOISE = "seed", "item", "seed:item", "arm", "arm:item", "item of arms", "noise"
OBJECTS = (ARM, "train_seed", ITEM)


@dataclass(frozen=True)
class Coefficient:
    """Variance of the objects, and the error that blurs it, as combinations of mean squares."""

    objects: Combination
    relative: Combination
    absolute: Combination


@dataclass(frozen=True)
class Size:
    """Levels of the pooled table; seeds are the harmonic mean over arms."""

    arms: int
    seeds: float
    items: int

    def __str__(self) -> str:
        arms = f", {self.arms} arms" if self.arms > 1 else ""
        return f"{self.seeds:.3g} seeds x {self.items} items{arms}"


def reliability(rows: pd.DataFrame, *, level: float = 0.95, items: Items = "sampled") -> list[Reliability]:
    """Coefficients for every eval, temperature and judge.

    Args:
        rows: The result table of one study.
        level: Confidence level.
        items: "fixed": arms and seeds are told apart on these items, whose sampling is then no error.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    return reliability_of(Table.of(rows), level=level, items=items)


def reliability_of(table: Table, *, level: float, items: Items) -> list[Reliability]:
    """`reliability` of a coded table."""
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level}
    last = [at_last_epoch(table, part) for _, part in table.groups(("arm", "eval"), without_derived(table))]
    index = np.sort(np.concatenate(last)) if last else np.zeros(0, dtype=np.int64)
    found = []
    for labels, part in table.groups(("eval", "temperature", "judge"), index):
        for fields in _records(table, part, level=level, items=items):
            found.append(Reliability(**(shared | labels | fields)))
    return found


def _records(table: Table, index: Codes, *, level: float, items: Items) -> Iterator[dict[str, Any]]:
    arms, noise = _matrices(table, index)
    if not arms:
        for name in OBJECTS:
            yield from _absent(name, "needs an arm with two training seeds and two items, half of whose cells are filled")
        return
    size = Size(len(arms), len(arms) / sum(1 / len(y) for y in arms.values()), next(iter(arms.values())).shape[1])
    squares = _pooled(arms) | {NOISE: noise}
    coefficients = _fixed(size, noise) if items == "fixed" else _sampled(size)
    for name in OBJECTS:
        if name in coefficients:
            yield from _both(name, coefficients[name], squares, level=level, method=f"{size}, items {items}")
        else:
            why = "needs two arms with two training seeds each" if name == ARM else "on fixed items it needs two repetitions"
            yield from _absent(name, why)


def _matrices(table: Table, index: Codes) -> tuple[dict[str, Floats], MeanSquare]:
    """By arm, the seeds x stems matrix on the stems that all of them have; and what repetitions leave in one of its cells.

    Only arms with two seeds or more; empty cells are filled by least squares.
    """
    kept, noises = {}, []
    for labels, part in table.groups((ARM,), index):
        found = table.scores(part, "all")
        rows, seen = (has_score(found.matrix_S_I, axis=a) for a in (1, 0))
        if rows.sum() > 1 and not too_sparse(found.matrix_S_I[np.ix_(rows, seen)]):
            kept[labels[ARM]] = (found.matrix_S_I[rows], {s: i for i, s in enumerate(found.stems) if seen[i]})
            shape = cube(table, part)
            noises += [MeanSquare(w.response * w.share, w.df) for w in (shape.within if shape else ())]
    common = sorted(set.intersection(*(set(stems) for _, stems in kept.values()))) if kept else []
    arms = {arm: fill(drop_empty(y[:, [stems[s] for s in common]])) for arm, (y, stems) in kept.items()} if len(common) > 1 else {}
    return arms, _pool(noises)


def _pool(terms: Sequence[MeanSquare]) -> MeanSquare:
    df = sum(t.df for t in terms)
    return MeanSquare(sum(t.value * t.df for t in terms) / df if df else 0.0, df)


def _pooled(arms: dict[str, Floats]) -> dict[Key, MeanSquare]:
    """Mean squares of seeds and items within arms; of arms and items from the arms' means over seeds."""
    each = [mean_squares(y, ("train_seed", "item")) for y in arms.values()]
    named = ((SEED, {"train_seed"}), (ITEM, {"item"}), (BOTH, {"train_seed", "item"}))
    squares: dict[Key, MeanSquare] = {name: _pool([m[frozenset(effect)] for m in each]) for name, effect in named}
    if len(arms) > 1:
        between = mean_squares(np.stack([y.mean(axis=0) for y in arms.values()]), ("arm", "item"))
        named = ((ARM, {"arm"}), (ITEM_OF_ARMS, {"item"}), (ARM_ITEM, {"arm", "item"}))
        squares |= {name: between[frozenset(effect)] for name, effect in named}
    return squares


def _sampled(size: Size) -> dict[str, Coefficient]:
    """Each object's coefficient where items are a sample of more."""
    a, s, i = size.arms, size.seeds, size.items
    found = {
        "train_seed": Coefficient({SEED: 1 / i, BOTH: -1 / i}, {BOTH: 1 / i}, {BOTH: 1 / i - 1 / (s * i), ITEM: 1 / (s * i)}),
        ITEM: Coefficient({ITEM: 1 / s, BOTH: -1 / s}, {BOTH: 1 / s}, {BOTH: 1 / s - 1 / (s * i), SEED: 1 / (s * i)}),
    }
    if a > 1:
        relative: Combination = {ARM_ITEM: 1 / i, SEED: 1 / (s * i), BOTH: -1 / (s * i)}
        absolute = add((relative, 1.0), ({ITEM_OF_ARMS: 1.0, ARM_ITEM: -1.0}, 1 / (a * i)))
        found[ARM] = Coefficient(add(({ARM: 1 / i}, 1.0), (relative, -1.0)), relative, absolute)
    return found


def _fixed(size: Size, noise: MeanSquare) -> dict[str, Coefficient]:
    """Where these items are all there are: an arm's error is its seeds', a seed's error that of its repetitions."""
    s, i = size.seeds, size.items
    error: Combination = {SEED: 1 / (s * i)}
    found = {ITEM: _sampled(size)[ITEM]}
    if size.arms > 1:
        found[ARM] = Coefficient({ARM: 1 / i, SEED: -1 / (s * i)}, error, error)
    if noise.df > 0:
        blur: Combination = {NOISE: 1 / i}
        found["train_seed"] = Coefficient({SEED: 1 / i, NOISE: -1 / i}, blur, blur)
    return found


def _both(name: str, parts: Coefficient, squares: dict[Key, MeanSquare], *, level: float, method: str) -> Iterator[dict[str, Any]]:
    draws = draw(squares)
    for coefficient, error in (("generalizability", parts.relative), ("dependability", parts.absolute)):
        raw = value_of(parts.objects, squares)
        signal, noise = max(0.0, raw), max(0.0, value_of(error, squares))
        fields = {"object": name, "coefficient": coefficient, "method": method}
        if signal + noise <= 1e-15:
            yield fields | {"method": "not estimable", "note": "scores do not vary"}
            continue
        drawn_signal, drawn_noise = drawn(parts.objects, draws), drawn(error, draws)
        whole = drawn_signal + drawn_noise
        found = limits(drawn_signal[whole > 0] / whole[whole > 0], level=level)
        low, high = found or (None, None)
        note = "objects differ by no more than their error would make them" if raw <= 0 else ""
        yield fields | {"value": signal / (signal + noise), "low": low, "high": high, "note": note}


def _absent(name: str, note: str) -> Iterator[dict[str, Any]]:
    for coefficient in ("generalizability", "dependability"):
        yield {"object": name, "coefficient": coefficient, "method": "not estimable", "note": note}
