"""The section "Change by category": which kinds of question moved, for evals with too many categories for a small table.

In: a `Run` with estimates (and, where the study made them, contrasts) by category. Out: a heat map arms x categories, grouped by
the domain in a category's name, with the largest change on top. Without a base arm it shows the values themselves.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axenic.findings import Contrast, Estimate
from axenic.report import numbers, select
from axenic.report.results import MOST_COLUMNS, MOST_KINDS, measured
from axenic.report.run import Run
from axenic.report.section import Section, titled

Cells = Mapping[str, Estimate | None]


@dataclass(frozen=True)
class Tile:
    """One cell of the map."""

    text: str
    title: str
    change: float | None  # against the base, in [-1, 1]; None = not shaded
    share: float | None = None  # shaded by the value instead


def categories(run: Run) -> Section | None:
    """The heat map of every eval with many categories."""
    maps = [m for name in run.evals if (m := _map(run, name)) is not None]
    return Section("By category", "categories", {"maps": maps}) if maps else None


def _map(run: Run, name: str) -> dict[str, object] | None:
    lead = select.measure(run.findings, name)
    cells = [e for e in run.findings.estimates if e.eval == name and e.condition is None and (e.measure, e.denominator) == lead]
    names = list(dict.fromkeys(e.category for e in cells if e.category))
    if lead is None or len(names) < MOST_KINDS:
        return None
    temperature = _fullest(cells)
    at = [e for e in cells if e.temperature == temperature]
    by_category = {c: select.by_arm([e for e in at if e.category == c], run.arms) for c in names}
    arms = measured(run, by_category.values())
    base = next((arm for arm in run.base_arms if arm in arms), None)
    planned = _differences(run, name, lead, temperature, base)
    tiles = {c: {arm: _tile(arm, by_category[c], base, planned.get((c, arm))) for arm in arms} for c in names}
    return {
        "title": numbers.joined(titled(name, *lead), numbers.temperature(temperature)), "arms": arms, "base": base,
        "groups": _grouped(tiles), "crowded": len(arms) > MOST_COLUMNS, "tested": bool(planned),
    }  # fmt: skip


def _fullest(cells: Sequence[Estimate]) -> float | None:
    """The temperature with most responses: its cells vary least."""
    return max(select.temperatures(cells), key=lambda t: sum(e.attempted for e in cells if e.temperature == t))


def _differences(
    run: Run, name: str, lead: tuple[str, str], temperature: float | None, base: str | None
) -> dict[tuple[str, str], Contrast]:
    """The study's own contrasts with the base by (category, arm); the last epoch wins."""
    found = [
        c
        for c in run.findings.contrasts
        if c.eval == name and c.category and c.reference == base and (c.measure, c.denominator) == lead and c.condition is None
        and c.temperature in (None, temperature) and c.reference_temperature in (None, temperature)
    ]  # fmt: skip
    return {(c.category or "", c.arm): c for c in sorted(found, key=lambda c: (c.epoch is None, c.epoch or 0.0))}


def _tile(arm: str, cells: Cells, base: str | None, contrast: Contrast | None) -> Tile:
    cell, before = cells[arm], cells[base] if base is not None else None
    if cell is None:
        return Tile(numbers.NOT_MEASURED, "not measured", None)
    if cell.value is None:
        return Tile(numbers.NOT_ESTIMABLE, f"{cell.missing} of {cell.attempted} missing", None)
    what = f"{arm}: {numbers.estimate(cell)}"
    if base is None or arm == base or before is None or before.value is None:
        return Tile(numbers.percent(cell.value, 0), what, None, cell.value if base is None else None)
    if contrast is not None and contrast.value is not None:
        return Tile(numbers.points(contrast.value, 0), f"{what}; {numbers.contrast(contrast)} points", contrast.value)
    change = cell.value - before.value
    return Tile(numbers.points(change, 0), f"{what}; {base}: {numbers.estimate(before)}", change)


def _grouped(tiles: Mapping[str, Mapping[str, Tile]]) -> list[tuple[str, list[tuple[str, Mapping[str, Tile]]]]]:
    """(domain, [(category, tiles)]): inside a domain the largest change first, and domains by their largest."""
    groups: dict[str, list[tuple[str, Mapping[str, Tile]]]] = {}
    telling = len({_split(name)[0] for name in tiles}) <= len(tiles) / 2  # else the mark is part of the names
    for name in sorted(tiles, key=lambda c: -_size(tiles[c])):
        domain, category = _split(name) if telling else ("", name)
        groups.setdefault(domain, []).append((category, tiles[name]))
    return list(groups.items())


def _size(row: Mapping[str, Tile]) -> float:
    changes = [abs(tile.change) for tile in row.values() if tile.change is not None]
    levels = [tile.share for tile in row.values() if tile.share is not None]
    return max(changes) if changes else max(levels) - min(levels) if levels else 0.0


def _split(name: str) -> tuple[str, str]:
    """Domain and category of "domain: category" or "domain/category"; no domain where the name has none."""
    parts = re.split(r"\s*[/:|]\s+|(?<=\w)/(?=\w)", name, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else ("", name)
