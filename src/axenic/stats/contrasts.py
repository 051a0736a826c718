"""Planned differences between arms, paired by item and, where both arms have the same training seeds, by seed.

In: the result table and the comparisons fixed before the run. Out: one `schema.Contrast` each, with Holm's adjustment (1979) over
all that could be estimated. Interval and p are one test and its inversion: see docs/statistics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from axenic.schema import Contrast, Denominator
from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, drop_empty, has_score, independent_difference, known_mean
from axenic.stats.intervals import difference_limits
from axenic.stats.tables import Codes, Scores, Table


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A comparison fixed before the run: arm - reference on one eval, each arm at its last epoch."""

    name: str
    arm: str
    reference: str
    eval: str
    category: str | None = None  # None = over all
    condition: str | None = None
    measure: str = "score"
    denominator: Denominator = "all"
    hypothesis: str = ""
    temperature: float | None = None  # None = the only one there is
    judge: str | None = None


@dataclass(frozen=True)
class Difference:
    """arm - reference with its variance, or why there is none."""

    found: CrossedMean | None
    value: float | None = None
    paired_by: str = ""
    basis: str = ""  # what the interval is conditional on
    notes: tuple[str, ...] = ()


def contrast(rows: pd.DataFrame, planned: Sequence[Planned], *, level: float = 0.95) -> list[Contrast]:
    """Estimate the planned contrasts, in their order.

    Args:
        rows: The result table of one study.
        planned: What was to be compared.
        level: Confidence level of the intervals, which are not adjusted; `p_holm` is.

    Raises:
        ValueError: The arms were asked different items, or several temperatures or judges fit a plan that names none.
    """
    table = Table.of(rows)
    table.require_same_items()
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")}
    found = [Contrast(**(shared | _one(table, plan, level))) for plan in planned]
    tested = [i for i, c in enumerate(found) if c.p is not None]
    if tested:
        adjusted = multipletests([found[i].p for i in tested], method="holm")[1]
        for i, p in zip(tested, adjusted, strict=True):
            found[i] = found[i].model_copy(update={"p_holm": float(p)})
    return found


def difference(arm: Scores, reference: Scores) -> Difference:
    """The difference of the arms on the stems that both have, with the closest pairing that their seeds allow."""
    a, b, n_stems, lost = _common_stems(arm, reference)
    notes: tuple[str, ...] = (f"{lost} of {n_stems} stems left out: not scored in both arms",) if lost else ()
    if not a.matrix_S_I.size or not b.matrix_S_I.size:
        return Difference(None, notes=("nothing scored in both arms",))
    both: list[int | None] = [s for s in a.seeds if s in b.seeds and s is not None]
    if len(both) > 1:
        odd = len(set(a.seeds) ^ set(b.seeds))
        notes += (f"{odd} seeds left out: not in both arms",) if odd else ()
        d_S_I = _rows(a, both) - _rows(b, both)
        return _paired(d_S_I, "item and seed", "", notes)
    single = " and of the ".join(name for name, side in (("arm", a), ("reference", b)) if len(side.seeds) == 1)
    if single:
        return _paired(a.matrix_S_I - b.matrix_S_I, "item", f", conditional on one run of the {single}", notes)
    value = float(known_mean(a.matrix_S_I, axis=1).mean() - known_mean(b.matrix_S_I, axis=1).mean())
    return Difference(independent_difference(a.matrix_S_I, b.matrix_S_I), value, "item", ", seeds of their own", notes)


def _paired(d_S_I: Floats, paired_by: str, basis: str, notes: tuple[str, ...]) -> Difference:
    d_S_I = drop_empty(d_S_I)
    if not d_S_I.size:
        return Difference(None, notes=("nothing scored in both arms",))
    return Difference(crossed_mean(d_S_I), float(known_mean(d_S_I, axis=1).mean()), paired_by, basis, notes)


def _rows(scores: Scores, seeds: list[int | None]) -> Floats:
    found: Floats = scores.matrix_S_I[[scores.seeds.index(s) for s in seeds]]
    return found


def _common_stems(arm: Scores, reference: Scores) -> tuple[Scores, Scores, int, int]:
    """Both without the stems and seeds that have no score, on the stems left in both."""
    every = sorted(set(arm.stems) | set(reference.stems))
    known = [{t for t, k in zip(s.stems, has_score(s.matrix_S_I, axis=0), strict=True) if k} for s in (arm, reference)]
    stems = sorted(known[0] & known[1])
    return _restrict(arm, stems), _restrict(reference, stems), len(every), len(every) - len(stems)


def _restrict(scores: Scores, stems: list[str]) -> Scores:
    place = {t: i for i, t in enumerate(scores.stems)}
    cut = scores.matrix_S_I[:, [place[t] for t in stems]]
    keep = has_score(cut, axis=1)
    return Scores(cut[keep], [s for s, k in zip(scores.seeds, keep, strict=True) if k], stems)


def _one(table: Table, plan: Planned, level: float) -> dict[str, Any]:
    """The fields of one contrast."""
    fields: dict[str, Any] = {
        "name": plan.name, "arm": plan.arm, "reference": plan.reference, "eval": plan.eval, "category": plan.category,
        "condition": plan.condition, "measure": plan.measure, "denominator": plan.denominator, "hypothesis": plan.hypothesis,
        "level": level,
    }  # fmt: skip
    sides = [_rows_of(table, plan, arm) for arm in (plan.arm, plan.reference)]
    _require_one(table, plan, np.concatenate(sides))
    gone = [arm for arm, index in zip((plan.arm, plan.reference), sides, strict=True) if not len(index)]
    if gone:
        return fields | {"method": "not estimable", "note": f"no rows for {', '.join(gone)}"}
    result = difference(*(table.scores(index, plan.denominator) for index in sides))
    alone = ["one item: its spread over items is unknown"] if result.found is None and result.value is not None else []
    note = "; ".join((*result.notes, *alone, *_missing(table, sides)))
    if result.found is None:
        return fields | {"value": result.value, "method": "not estimable", "note": note}
    low, high, p = difference_limits(result.found, level=level)
    return fields | {
        "value": result.value, "low": low, "high": high, "p": p, "method": _method(result), "paired_by": result.paired_by,
        "n_seeds": result.found.n_seeds, "n_items": result.found.n_items, "note": note,
    }  # fmt: skip


def _rows_of(table: Table, plan: Planned, arm: str) -> Codes:
    """The rows of one side, at the last epoch of that arm."""
    named = {c: getattr(plan, c) for c in ("eval", "category", "condition", "temperature", "judge") if getattr(plan, c) is not None}
    index = table.where(arm=arm, **named)
    if not len(index):
        return index
    epoch = table.codes["epoch"][index]
    return index[np.flatnonzero(epoch == epoch.max())]


def _require_one(table: Table, plan: Planned, index: Codes) -> None:
    for column in ("temperature", "judge"):
        names = table.values(column, index)
        if len(names) > 1:
            raise ValueError(f"contrast {plan.name!r}: several values of {column} ({names}); name one in the plan")


def _missing(table: Table, sides: list[Codes]) -> list[str]:
    counts = [int(np.isnan(table.score[index]).sum()) for index in sides]
    return [f"missing rows: {counts[0]} of arm, {counts[1]} of reference"] if any(counts) else []


def _method(result: Difference) -> str:
    found = result.found
    assert found is not None
    if found.variance == 0:
        return f"exact on {found.n_items} items, all with one and the same difference{result.basis}"
    if found.n_seeds == 1:
        return f"t on {found.n_items} item differences{result.basis}"
    if not found.seeds_vary:
        return f"t on {found.n_items} item differences ({found.n_seeds} seeds do not vary){result.basis}"
    return f"t on differences, seed x item, {found.n_seeds} seeds x {found.n_items} items{result.basis}"
