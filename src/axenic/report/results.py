"""The sections that answer the study's question: planned contrasts, headline cells, question kinds, both denominators.

In: a `Run`. Out: `Section`s, or None where the study has no such number.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from axenic.findings import Contrast, Estimate
from axenic.report import hiding, midtraining, numbers, rows, select, treated
from axenic.report.canvas import Point
from axenic.report.run import Run
from axenic.report.section import Section, look, multiples, titled

MOST_KINDS = 16  # categories of an eval; with more, `categories.categories` draws them
MOST_COLUMNS = 8  # arms beside each other with room for their names


def contrasts(run: Run) -> Section | None:
    """Planned contrasts as a forest plot and as a table."""
    planned = select.planned(run.findings)
    if not planned:
        return None
    drawn_rows = [(_contrast_label(c), {c.arm: _contrast_point(c)}) for c in planned if c.value is not None]
    arms = dict.fromkeys(c.arm for c in planned)
    drawn = (
        {"forest": rows.intervals("Planned contrasts", drawn_rows, treated.looks_of(run, arms), zero=True)} if drawn_rows else {}
    )
    others = [c for c in run.findings.contrasts if not c.planned and not (hiding.kind(c) or c.name.startswith(midtraining.OWN))]
    return Section("Planned contrasts", "contrasts", {"planned": planned, "others": others}, drawn)


def _contrast_label(row: Contrast) -> str:
    scope = "".join(f" ({numbers.label(part)})" for part in (row.category, row.condition) if part)
    return f"{numbers.between(row)} · {titled(row.eval, row.measure, row.denominator)}{scope}"


def _contrast_point(row: Contrast) -> Point:
    text = f"{_contrast_label(row)}\n{numbers.contrast(row)} points\nHolm p {numbers.p_value(row.p_holm)}"
    value, low, high = (None if v is None else 100 * v for v in (row.value, row.low, row.high))
    return Point(0.0, value, low, high, text)


def cells(run: Run) -> Section | None:
    """Headline evals by arm and temperature, with how much each cell rests on."""
    found = []
    for name in list(run.study.headline) or run.evals:
        lead = select.measure(run.findings, name)
        if lead is not None:
            at = select.headline(run.findings, name, run.arms)
            found += [(numbers.joined(titled(name, *lead), where), by_arm) for where, by_arm in at]
    if not found:
        return None
    details = [(label, cell) for label, by_arm in found for cell in by_arm.values() if cell is not None]
    arms = measured(run, (by_arm for _, by_arm in found))
    return Section("Headline results by arm", "cells", {"rows": found, "arms": arms, "details": details})


def kinds(run: Run) -> Section | None:
    """Every kind of question by arm, as a table whose cells are shaded by their value."""
    groups: list[tuple[str, list[tuple[str, dict[str, Estimate | None]]]]] = []
    for name in run.evals:
        lead = select.measure(run.findings, name)
        if lead is None:
            continue
        found = [(category, cell) for category, cell in _by_category(run, name, lead) if any(cell.values())]
        if found:
            groups.append((numbers.joined(titled(name, *lead), _coldest(run, name)), found))
    if not groups:
        return None
    arms = measured(run, (by_arm for _, found in groups for _, by_arm in found))
    return Section("Kinds of question", "kinds", {"groups": groups, "arms": arms, "crowded": len(arms) > MOST_COLUMNS})


def _by_category(run: Run, name: str, lead: tuple[str, str]) -> list[tuple[str, dict[str, Estimate | None]]]:
    """("", cells) over all categories, then one row for each category."""
    mine = [e for e in run.findings.estimates if e.eval == name and e.condition is None and (e.measure, e.denominator) == lead]
    categories: list[str | None] = [None, *dict.fromkeys(e.category for e in mine if e.category)]
    if len(categories) > MOST_KINDS:  # they have a section of their own
        return []
    return [(c or "", select.by_arm([e for e in mine if e.category == c], run.arms)) for c in categories]


def _coldest(run: Run, name: str) -> str:
    """The temperature that stands for an eval, where it was asked at several."""
    found = select.temperatures(select.whole(run.findings, name))
    return numbers.temperature(found[0]) if len(found) > 1 else ""


def denominators(run: Run) -> Section | None:
    """Evals with more than one measure or denominator: every reading of the same responses beside each other."""
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for name in run.evals:
        estimates = [e for e in select.whole(run.findings, name) if e.denominator != "coherent"]  # beside coherence itself
        readings = list(dict.fromkeys((e.measure, e.denominator) for e in estimates))
        if len(readings) < 2:
            continue
        found = []
        for measure, denominator in readings:
            matching = [e for e in estimates if (e.measure, e.denominator) == (measure, denominator)]
            for t, by_arm in select.at_temperatures(matching, run.arms):
                found.append({"measure": measure, "denominator": denominator, "temperature": t, "cells": by_arm})
        groups.append((name, found))
    if not groups:
        return None
    arms = measured(run, (row["cells"] for _, found in groups for row in found))
    return Section("Both denominators", "denominators", {"groups": groups, "arms": arms})


def pressure(run: Run) -> Section | None:
    """Belief under pressure in the prompt, by kind of pressure."""
    estimates = [e for e in run.findings.estimates if e.eval == "pressure" and e.category]
    lead = select.measure(run.findings, "pressure")
    estimates = [e for e in estimates if (e.measure, e.denominator) == lead]
    found = []
    for key in dict.fromkeys((e.category, e.condition) for e in estimates):
        by_arm = select.by_arm([e for e in estimates if (e.category, e.condition) == key], run.arms)
        points = {arm: _pressure_point(e) for arm, e in by_arm.items() if e is not None and e.value is not None}
        if points:
            found.append((" · ".join(numbers.label(part) for part in key if part), points))
    if not found or lead is None:
        return None
    figure = rows.intervals(titled("pressure", *lead), found, look(run), zero=False)
    return multiples(run, "Under pressure in the prompt", {"all": figure}, arms=(e.arm for e in estimates))


def _pressure_point(cell: Estimate) -> Point:
    return Point(0.0, cell.value, cell.low, cell.high, f"{cell.arm}\n{numbers.estimate(cell)}")


def measured(run: Run, by_arms: Iterable[Mapping[str, Any]]) -> list[str]:
    """Arms with a number in at least one of the rows."""
    found = {arm for by_arm in by_arms for arm, cell in by_arm.items() if cell is not None}
    return [arm for arm in run.arms if arm in found]
