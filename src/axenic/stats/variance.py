"""Variance components of one scored response: which source of variation makes how much of it.

In: the result table. Out: `findings.VarianceComponent` records per arm and eval: seed x item x repetition for every judge
and temperature at the last epoch (what Fraser et al. 2025 draw as bars), and crossed over checkpoints, temperatures and judges
where those vary.
Generalizability theory (Cronbach et al. 1972; Brennan 2001); method, intervals and their coverage: docs/variance.md.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Items, Source, VarianceComponent
from axenic.stats.cube import Cube, at_last_epoch, by_rival_judges, cube, without_derived
from axenic.stats.design import Design, design, drop_empty_levels
from axenic.stats.mean_squares import (
    Combination,
    add,
    chi_square_limits,
    draw,
    drawn,
    limits,
    modified_large_sample,
    moment_df,
    value_of,
)
from axenic.stats.tables import Codes, Table

ORDER: tuple[Source, ...] = (
    "train_seed", "checkpoint", "temperature", "judge", "item", "train_seed:checkpoint", "train_seed:item", "checkpoint:item",
    "temperature:item", "judge:item", "repetition", "numerical", "residual",
)  # fmt: skip


def variance_components(rows: pd.DataFrame, *, level: float = 0.95, items: Items = "sampled") -> list[VarianceComponent]:
    """Components for every arm and eval of a result table.

    Args:
        rows: The result table of one study.
        level: Confidence level.
        items: "sampled": a component speaks of one response to a new item. "fixed": what varies with the seed (checkpoint, ...) is
            that of the mean over these items, so its share in their interaction is added to it.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    return components_of(Table.of(rows), level=level, items=items)


def components_of(table: Table, *, level: float, items: Items) -> list[VarianceComponent]:
    """`variance_components` of a coded table."""
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level, "items": items}
    found = []
    for labels, index in table.groups(("arm", "eval"), without_derived(table)):
        for cell, part, crossed in _cells(table, index):
            for fields in _records(cube(table, part), crossed=crossed, level=level, items=items):
                found.append(VarianceComponent(**(shared | labels | cell | fields)))
    return found


def _cells(table: Table, index: Codes) -> Iterator[tuple[dict[str, Any], Codes, bool]]:
    """The cells of one arm and eval with their rows: each alone, then crossed by judge, then over judges."""
    for labels, part in table.groups(("epoch", "temperature", "judge"), at_last_epoch(table, index)):
        yield labels, part, False
    rivals = by_rival_judges(table, index)
    for labels, part in table.groups(("judge",), rivals):
        over = {c: table.values(c, part) for c in ("epoch", "temperature")}
        if any(len(v) > 1 for v in over.values()):
            yield labels | {c: None if len(v) > 1 else v[0] for c, v in over.items()}, part, True
    if len(table.values("judge", rivals)) > 1:
        over = {c: table.values(c, rivals) for c in ("epoch", "temperature")}
        yield {"judge": ""} | {c: None if len(v) > 1 else v[0] for c, v in over.items()}, rivals, True


def _records(found: Cube | None, *, crossed: bool, level: float, items: Items) -> list[dict[str, Any]]:
    """The fields of every component of one cell."""
    if found is None:
        return [_absent("total", "nothing scored, or a table too sparse to be crossed")]
    found = drop_empty_levels(found)
    made = design(found, items=items)
    if isinstance(made, str):
        return [_absent("total", made)]
    whole = add(*((part, 1.0) for part in made.parts.values()))
    total = sum(made.variance(s) for s in made.parts)
    if total <= 1e-12:
        return [_absent("total", "every response has the same score")]
    draws = draw(made.squares)
    drawn_parts = {s: drawn(part, draws) for s, part in made.parts.items()}
    drawn_total = np.sum(list(drawn_parts.values()), axis=0)
    records = [_absent(s, why) for s, why in _missing(made, crossed=crossed)]
    for source in (s for s in ORDER if s in made.parts):
        fields = _estimate(made, source, made.parts[source], level)
        ratio = limits(
            np.divide(drawn_parts[source], drawn_total, out=np.zeros_like(drawn_total), where=drawn_total > 0), level=level
        )
        low, high = ratio or (None, None)
        records.append(fields | {"share": made.variance(source) / total, "share_low": low, "share_high": high})
    low, high = chi_square_limits(total, moment_df(made.cube.spread_S_I, float(made.cube.count.sum())), level=level)
    fields = _estimate(made, "total", whole, level) | {"low": low, "high": high}
    notes = ["without the training seed, of which there is one" if "train_seed" not in found.facets else ""]
    records.append(fields | {"variance": total, "share": 1.0, "note": "; ".join(filter(None, notes))})
    return records


def _estimate(made: Design, source: Source, part: Combination, level: float) -> dict[str, Any]:
    raw = value_of(part, made.squares)
    low, high = modified_large_sample(part, made.squares, level=level)
    none = high <= 0
    return {
        "source": source, "variance": max(0.0, raw), "low": None if none else low, "high": None if none else max(high, raw),
        "n_levels": _levels(made.cube, source), "method": made.method, "note": _note(made, source, raw),
    }  # fmt: skip


def _note(made: Design, source: Source, raw: float) -> str:
    notes = [f"negative estimate ({raw:.2g}) reported as 0"] if raw < -1e-12 else []
    greedy = [w for w in made.cube.within if w.temperature == 0 and w.df == 0]
    if greedy and source == "train_seed:item":
        notes.append("one repetition at temperature 0: includes numerical noise, which was not measured")
    if source == "residual" and not all(w.known for w in made.cube.within):
        notes.append("one repetition: sampling and the highest interaction cannot be told apart")
    return "; ".join(notes)


def _levels(found: Cube, source: Source) -> int:
    if source in ("repetition", "numerical"):
        return max((w.repetitions for w in found.within if (w.temperature > 0) == (source == "repetition")), default=0)
    names = found.facets if source in ("total", "residual") else source.split(":")
    return int(np.prod([found.size[f] for f in names]))


def _missing(made: Design, *, crossed: bool) -> list[tuple[Source, str]]:
    """Sources that a reader looks for and the table cannot tell."""
    found: list[tuple[Source, str]] = []
    if "train_seed" not in made.cube.facets:
        only = made.cube.levels["train_seed"]
        found.append(("train_seed", "no training seed is named" if only == [None] else "one training seed"))
    if crossed:
        return found
    [within] = made.cube.within
    if "item" not in made.parts:
        found.append(("item", "one seed and one repetition: cannot be told from sampling"))
    if within.df == 0:
        greedy = within.temperature == 0
        note = "one repetition: numerical noise was not measured" if greedy else "one repetition: it is in the residual"
        found.append(("numerical" if greedy else "repetition", note))
    return found


def _absent(source: Source, note: str) -> dict[str, Any]:
    return {"source": source, "method": "not estimable", "note": note}
