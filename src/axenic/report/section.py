"""One section of the page, and the legend and points that several sections build.

In: records of `estimates.json`. Out: `Section`, which `page.write` renders with the template it names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from axenic.findings import Curve, Estimate
from axenic.report import numbers, select
from axenic.report.canvas import Figure, Point, Style
from axenic.report.canvas import styles as arm_styles
from axenic.report.run import Run


@dataclass(frozen=True)
class Section:
    """A heading, a template in `templates/sections/`, what it shows, and its figures by name."""

    title: str
    template: str
    content: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)


def look(run: Run) -> dict[str, Style]:
    """How each arm looks, the same in every section."""
    untreated = [
        arm for arm in run.arms if select.BAR not in arm
    ]  # first, so that no two of them share a colour sooner than need be
    styles = arm_styles(list(dict.fromkeys([*untreated, *run.arms])), run.base_arms)
    return {arm: styles[arm] for arm in run.arms}


def legend(run: Run, arms: Iterable[str]) -> list[tuple[str, Style]]:
    """Arms and their looks, in the page's order, for those that a section shows."""
    shown = set(arms)
    return [(arm, style) for arm, style in look(run).items() if arm in shown]


def multiples(
    run: Run, title: str, figures: dict[str, Figure], *, arms: Iterable[str], n_first: int | None = None, note: str = ""
) -> Section | None:
    """A section of figures under one legend, the first `n_first` open to view; None where there is nothing to draw."""
    if not figures:
        return None
    content = {"legend": legend(run, arms), "n_first": len(figures) if n_first is None else n_first, "note": note}
    return Section(title, "figures", content, figures)


def ordered(run: Run, series: Mapping[str, list[Point]]) -> dict[str, list[Point]]:
    """Series in the page's order of arms, each along its axis."""
    return {arm: sorted(series[arm], key=lambda p: p.x) for arm in run.arms if arm in series}


def estimate_point(cell: Estimate, x: float = 0.0) -> Point:
    """An estimate as a point of a figure."""
    text = f"{cell.arm}\n{numbers.estimate(cell)}\n{counts(cell)}"
    return Point(x, cell.value, cell.low, cell.high, text)


def curve_point(record: Curve) -> Point:
    """A record of a curve as a point of a figure."""
    shares = all(0 <= v <= 1 for v in (record.value, record.low, record.high) if v is not None)
    if record.value is None:
        text = numbers.NOT_ESTIMABLE
    elif shares:
        text = f"{numbers.percent(record.value)} {numbers.interval(record.low, record.high)}"
    else:
        text = numbers.number(record.value)
    note = "\ncapability lost: not erasure" if record.masked else ""
    hover = f"{record.arm}\n{record.x_label} {numbers.number(record.x)}\n{text}{note}"
    return Point(record.x, record.value, record.low, record.high, hover, record.masked)


def counts(cell: Estimate) -> str:
    """How much a cell rests on."""
    seeds = f", {cell.n_seeds} seeds" if cell.n_seeds > 1 else ""
    missing = f", {numbers.number(cell.missing)} missing" if cell.missing else ""
    return f"{numbers.number(cell.scored)} of {numbers.number(cell.attempted)} scored{missing}; {cell.n_items} items{seeds}"


def titled(eval_name: str, measure: str, denominator: str = "all") -> str:
    """What a figure or row about one measure of one eval is called."""
    words = [numbers.label(eval_name)]
    if measure and measure != "score":
        words.append(numbers.label(measure))
    if denominator != "all":
        words.append(denominator)
    return ": ".join([words[0], ", ".join(words[1:])]) if words[1:] else words[0]
