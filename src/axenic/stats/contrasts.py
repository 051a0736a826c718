"""Planned differences between arms, paired by item and, where both arms have the same training seeds, by seed.

In: the result table and the comparisons fixed before the run: two arms, or one arm with itself at two epochs or temperatures. Out:
one `findings.Contrast` each, with Holm's adjustment over all that could be estimated. Interval and p are one test and its
inversion: see docs/statistics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from axenic.findings import Contrast, Denominator
from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, drop_empty, has_score, independent_difference, known_mean
from axenic.stats.intervals import difference_limits
from axenic.stats.multiple import holm
from axenic.stats.tables import Codes, Scores, Table

Epoch = float | Literal["first", "last"]
"""A number, or the first or last that the arm has."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A comparison fixed before the run: arm - reference on one eval, each at an epoch of its own (default: its last)."""

    name: str
    arm: str
    reference: str
    eval: str
    category: str | None = None  # None = over all
    condition: str | None = None
    measure: str = "score"
    denominator: Denominator = "all"
    hypothesis: str = ""
    epoch: Epoch = "last"
    reference_epoch: Epoch = "last"
    temperature: float | None = None  # None = the only one there is
    reference_temperature: float | None = None  # None = that of the arm
    judge: str | None = None  # of both; None = the only one there is


class Sides(NamedTuple):
    """The rows of both sides of a plan, and why they cannot be compared ("" if they can)."""

    arm: Codes
    reference: Codes
    problem: str


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
    found = [c for c, _ in compare(rows, planned, level=level)]
    adjusted = holm([c.p for c in found])
    return [c.model_copy(update={"p_holm": p}) for c, p in zip(found, adjusted, strict=True)]


def compare(rows: pd.DataFrame, planned: Sequence[Planned], *, level: float = 0.95) -> list[tuple[Contrast, CrossedMean | None]]:
    """The contrasts without adjustment, each with the variance of its difference; None where that is not estimable."""
    table = Table.of(rows)
    table.require_same_items()
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level}
    found = []
    for plan in planned:
        chosen = sides(table, plan)
        fields, variance = _one(table, plan, chosen, level)
        found.append((Contrast(**(shared | named(table, plan, chosen) | fields)), variance))
    return found


def sides(table: Table, plan: Planned) -> Sides:
    """The rows that a plan compares.

    Raises:
        ValueError: Several temperatures or judges fit a plan that names none.
    """
    second = plan.temperature if plan.reference_temperature is None else plan.reference_temperature
    arm = _rows_of(table, plan, plan.arm, plan.epoch, plan.temperature)
    reference = _rows_of(table, plan, plan.reference, plan.reference_epoch, second)
    both = np.concatenate([arm, reference])
    _require_one(table, plan, "judge", both)
    for index in [both] if plan.reference_temperature is None else [arm, reference]:
        _require_one(table, plan, "temperature", index)
    gone = dict.fromkeys(name for name, index in ((plan.arm, arm), (plan.reference, reference)) if not len(index))
    if gone:
        return Sides(arm, reference, f"no rows for {', '.join(gone)}")
    same = np.array_equal(arm, reference)
    return Sides(arm, reference, "arm and reference are the same rows: there is one epoch and one temperature" if same else "")


def named(table: Table, plan: Planned, chosen: Sides) -> dict[str, Any]:
    """The fields that say what is compared with what; what the plan left open is filled in from the rows."""
    copied = ("name", "arm", "reference", "eval", "category", "condition", "measure", "denominator", "hypothesis")
    fields: dict[str, Any] = {c: getattr(plan, c) for c in copied}
    for side, index in (("", chosen.arm), ("reference_", chosen.reference)):
        for column in ("epoch", "temperature"):
            found = table.values(column, index)
            fields[side + column] = found[0] if len(found) == 1 else None
    judges = table.values("judge", np.concatenate([chosen.arm, chosen.reference]))
    return fields | {"judge": judges[0] if judges else plan.judge or ""}


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
        paired = _paired(a.matrix_S_I - b.matrix_S_I, "item", f", conditional on one run of the {single}", notes)
        return replace(paired, found=paired.found and with_one_run(paired.found))
    value = float(known_mean(a.matrix_S_I, axis=1).mean() - known_mean(b.matrix_S_I, axis=1).mean())
    return Difference(independent_difference(a.matrix_S_I, b.matrix_S_I), value, "item", ", seeds of their own", notes)


def with_one_run(found: CrossedMean) -> CrossedMean:
    """The variance of a difference of which one side is a single run, as if one more item had differed.

    A run with a rate of 2 % may show no positive at all, and with it no variance: five seeds against it then covered 90 %, with
    this 98 %. Half the pseudo-counts of Bonett and Price (2012); on hundreds of items it changes next to nothing.
    """
    variance, df = found.items
    return replace(found, items=(variance + (found.n_items + 2.0) ** -2, df)) if found.variance > 0 else found


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


def _one(table: Table, plan: Planned, chosen: Sides, level: float) -> tuple[dict[str, Any], CrossedMean | None]:
    """What was found for one contrast, and the variance it was found with."""
    if chosen.problem:
        return {"method": "not estimable", "note": chosen.problem}, None
    rows = [chosen.arm, chosen.reference]
    result = difference(*(table.scores(index, plan.denominator) for index in rows))
    alone = ["one item: its spread over items is unknown"] if result.found is None and result.value is not None else []
    lost = [table.counts(index, plan.denominator) for index in rows]
    note = "; ".join((*result.notes, *alone, *_pair("missing rows", [c.missing for c in lost]),
                      *_pair("rows left out as incoherent or ambiguous", [c.left_out for c in lost])))  # fmt: skip
    if result.found is None:
        return {"value": result.value, "method": "not estimable", "note": note}, None
    low, high, p = difference_limits(result.found, level=level)
    return {
        "value": result.value, "low": low, "high": high, "p": p, "method": _method(result), "paired_by": result.paired_by,
        "n_seeds": result.found.n_seeds, "n_items": result.found.n_items, "note": note,
    }, result.found  # fmt: skip


def _rows_of(table: Table, plan: Planned, arm: str, epoch: Epoch, temperature: float | None) -> Codes:
    """The rows of one side."""
    fixed = {"eval": plan.eval, "category": plan.category, "condition": plan.condition, "judge": plan.judge}
    index = table.where(arm=arm, **{c: v for c, v in (fixed | {"temperature": temperature}).items() if v is not None})
    if not len(index):
        return index
    found, labels = table.codes["epoch"][index], table.labels["epoch"]
    if isinstance(epoch, str):
        wanted = int(found.min() if epoch == "first" else found.max())
    else:
        wanted = labels.index(epoch) if epoch in labels else -1
    return index[np.flatnonzero(found == wanted)]


def _require_one(table: Table, plan: Planned, column: str, index: Codes) -> None:
    names = table.values(column, index)
    if len(names) > 1:
        raise ValueError(f"contrast {plan.name!r}: several values of {column} ({names}); name one in the plan")


def _pair(what: str, counts: list[int]) -> list[str]:
    return [f"{what}: {counts[0]} of arm, {counts[1]} of reference"] if any(counts) else []


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
