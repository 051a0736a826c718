"""The sections that answer the study's question: planned contrasts, headline cells, question kinds, both denominators.

In: a `Run`. Out: `Section`s, or None where the study has no such number.
"""

from collections.abc import Mapping
from typing import Any

from axenic.report import figures, numbers, select
from axenic.report.figures import Point
from axenic.report.run import Run
from axenic.report.section import Section, look, multiples, titled
from axenic.schema import Contrast, Estimate


def contrasts(run: Run) -> Section | None:
    """Planned contrasts as a forest plot and as a table."""
    planned = select.planned(run.findings)
    if not planned:
        return None
    rows = [(_contrast_label(c), {c.arm: _contrast_point(c)}) for c in planned if c.value is not None]
    drawn = {"forest": figures.intervals("Planned contrasts", rows, look(run), zero=True)} if rows else {}
    others = [c for c in run.findings.contrasts if not c.planned]
    return Section("Planned contrasts", "contrasts", {"planned": planned, "others": others}, drawn)


def _contrast_label(row: Contrast) -> str:
    scope = "".join(f" ({numbers.label(part)})" for part in (row.category, row.condition) if part)
    return f"{row.arm} {numbers.MINUS} {row.reference} · {titled(row.eval, row.measure, row.denominator)}{scope}"


def _contrast_point(row: Contrast) -> Point:
    text = f"{_contrast_label(row)}\n{numbers.contrast(row)} points\nHolm p {numbers.p_value(row.p_holm)}"
    value, low, high = (None if v is None else 100 * v for v in (row.value, row.low, row.high))
    return Point(0.0, value, low, high, text)


def cells(run: Run) -> Section | None:
    """Headline evals by arm, with how much each cell rests on."""
    names = list(run.study.headline) or run.evals
    rows = []
    for name in names:
        lead = select.measure(run.findings, name)
        if lead is not None:
            rows.append((titled(name, *lead), select.headline(run.findings, name, run.arms)))
    if not rows:
        return None
    details = [(label, cell) for label, by_arm in rows for cell in by_arm.values() if cell is not None]
    arms = _measured(run, [by_arm for _, by_arm in rows])
    return Section("Headline results by arm", "cells", {"rows": rows, "arms": arms, "details": details})


MOST_KINDS = 16


def kinds(run: Run) -> Section | None:
    """Every kind of question by arm, as a table whose cells are shaded by their value."""
    groups: list[tuple[str, list[tuple[str, dict[str, Estimate | None]]]]] = []
    for name in run.evals:
        lead = select.measure(run.findings, name)
        if lead is None:
            continue
        rows = [(category, cell) for category, cell in _by_category(run, name, lead) if any(cell.values())]
        if rows:
            groups.append((titled(name, *lead), rows))
    if not groups:
        return None
    arms = _measured(run, [by_arm for _, rows in groups for _, by_arm in rows])
    return Section("Kinds of question", "kinds", {"groups": groups, "arms": arms})


def _by_category(run: Run, name: str, lead: tuple[str, str]) -> list[tuple[str, dict[str, Estimate | None]]]:
    """("", cells) over all categories, then one row for each category."""
    mine = [e for e in run.findings.estimates if e.eval == name and e.condition is None and (e.measure, e.denominator) == lead]
    categories: list[str | None] = [None, *dict.fromkeys(e.category for e in mine if e.category)]
    if len(categories) > MOST_KINDS:  # a screenful of equal rows hides the others; estimates.json has them all
        categories = [None]
    return [(c or "", select.by_arm([e for e in mine if e.category == c], run.arms)) for c in categories]


def denominators(run: Run) -> Section | None:
    """Evals with more than one measure or denominator: every reading of the same responses beside each other."""
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for name in run.evals:
        estimates = select.whole(run.findings, name)
        readings = list(dict.fromkeys((e.measure, e.denominator) for e in estimates))
        if len(readings) < 2:
            continue
        rows = []
        for measure, denominator in readings:
            matching = [e for e in estimates if (e.measure, e.denominator) == (measure, denominator)]
            rows.append({"measure": measure, "denominator": denominator, "cells": select.by_arm(matching, run.arms)})
        groups.append((name, rows))
    if not groups:
        return None
    arms = _measured(run, [row["cells"] for _, rows in groups for row in rows])
    return Section("Both denominators", "denominators", {"groups": groups, "arms": arms})


def pressure(run: Run) -> Section | None:
    """Belief under pressure in the prompt, by kind of pressure."""
    estimates = [e for e in run.findings.estimates if e.eval == "pressure" and e.category]
    lead = select.measure(run.findings, "pressure")
    estimates = [e for e in estimates if (e.measure, e.denominator) == lead]
    rows = []
    for key in dict.fromkeys((e.category, e.condition) for e in estimates):
        by_arm = select.by_arm([e for e in estimates if (e.category, e.condition) == key], run.arms)
        points = {arm: _pressure_point(e) for arm, e in by_arm.items() if e is not None and e.value is not None}
        if points:
            rows.append((" · ".join(numbers.label(part) for part in key if part), points))
    if not rows or lead is None:
        return None
    figure = figures.intervals(titled("pressure", *lead), rows, look(run), zero=False)
    return multiples(run, "Under pressure in the prompt", {"all": figure}, arms=(e.arm for e in estimates))


def _pressure_point(cell: Estimate) -> Point:
    return Point(0.0, cell.value, cell.low, cell.high, f"{cell.arm}\n{numbers.estimate(cell)}")


def _measured(run: Run, rows: list[Mapping[str, Estimate | None]] | list[dict[str, Estimate | None]]) -> list[str]:
    """Arms with a number in at least one of the rows."""
    return [arm for arm in run.arms if any(row.get(arm) is not None for row in rows)]
