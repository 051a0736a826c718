"""The section "What moves the number": variance shares, reliability, and what the next run is best spent on.

In: a `Run` with variance components, reliability coefficients or decisions (generalizability theory; see docs/variance.md). Out: a
`Section`: sentences first, then a bar of shares per arm and temperature, then the numbers with their intervals.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from axenic.findings import Decision, Reliability, VarianceComponent
from axenic.report import numbers, rows, select, sources
from axenic.report.canvas import Figure, Point
from axenic.report.run import Run
from axenic.report.section import Section


def consistency(run: Run) -> Section | None:
    """What the numbers vary with, and what it takes to make them vary less."""
    components = run.findings.variance_components
    decisions = select.in_order(run.findings.decisions, run.arms)
    if not (components or decisions or run.findings.reliability):
        return None
    figures: dict[str, Figure] = {}
    tables = []
    for name in select.headline_first(run.study, (c.eval for c in components)):
        mine = [c for c in components if c.eval == name]
        cells = _cells(run, mine)
        drawn = [(label, points) for label, found in cells if (points := _points(label, found))]
        if drawn:
            figures[name] = rows.stacked(f"Shares of variance: {numbers.label(name)}", drawn, sources.look())
        tables.append(_table(name, cells))
    content = {
        "sentences": _sentences(select.told(run.study, run.findings)), "decisions": decisions, "tables": tables,
        "reliability": [_coefficient(r) for r in run.findings.reliability],
        "legend": sources.legend(c.source for c in components if c.share is not None),
        "methods": ", ".join(dict.fromkeys(c.method for c in components if c.share is not None and c.method)),
    }  # fmt: skip
    return Section("What moves the number", "consistency", content, figures)


def _sentences(decisions: Sequence[Decision]) -> list[dict[str, str]]:
    """What the present designs resolve and what it takes to resolve the target; cells that say the same share a sentence."""
    said: dict[tuple[str, str], list[str]] = {}
    for d in decisions:
        between = f"{d.arm} against {d.reference}" if d.reference else d.arm
        where = numbers.joined(between, numbers.label(d.eval), numbers.temperature(d.temperature))
        now = "" if d.detectable is None else f"The present design resolves {100 * d.detectable:.1f} points."
        said.setdefault((d.advice, now), []).append(where)
    return [{"where": "; ".join(where), "text": text, "now": now} for (text, now), where in said.items()]


def _cells(run: Run, components: Sequence[VarianceComponent]) -> list[tuple[str, list[VarianceComponent]]]:
    """(label, components) per arm, temperature, epoch and judge; only what differs inside the eval is in the label."""
    keys = list(dict.fromkeys((c.arm, c.temperature, c.epoch, c.judge) for c in select.in_order(components, run.arms)))
    grouped = {key: [c for c in components if (c.arm, c.temperature, c.epoch, c.judge) == key] for key in keys}
    firsts = [found[0] for found in grouped.values()]
    return [(select.cell_label(found[0], firsts), found) for found in grouped.values()]


def _points(label: str, components: Iterable[VarianceComponent]) -> dict[str, Point]:
    return {
        c.source: Point(0.0, c.share, c.share_low, c.share_high, f"{label}\n{sources.name(c.source)}: {_share(c)}")
        for c in components
        if c.share is not None and c.source != "total"
    }


def _share(c: VarianceComponent) -> str:
    if c.share is None:
        return numbers.NOT_ESTIMABLE
    return f"{numbers.percent(c.share)} {numbers.interval(c.share_low, c.share_high)}"


def _table(name: str, cells: Sequence[tuple[str, Sequence[VarianceComponent]]]) -> dict[str, Any]:
    found = {c.source for _, components in cells for c in components}
    order = [s for s in sources.SOURCES if s in found]
    listed = [(label, {c.source: c for c in components}, _why_not(components)) for label, components in cells]
    return {"eval": name, "sources": order, "names": [sources.name(s) for s in order], "rows": listed}


def _why_not(components: Sequence[VarianceComponent]) -> str:
    """Why a cell has no share at all; empty where it has one."""
    if any(c.share is not None for c in components):
        return ""
    return ": ".join([numbers.NOT_ESTIMABLE, *dict.fromkeys(c.note for c in components if c.note)])


def _coefficient(r: Reliability) -> dict[str, str]:
    value = numbers.NOT_ESTIMABLE if r.value is None else f"{r.value:.2f}"
    interval = "" if r.low is None or r.high is None else f"[{r.low:.2f}, {r.high:.2f}]"
    return {
        "eval": numbers.joined(numbers.label(r.eval), numbers.temperature(r.temperature)), "object": numbers.label(r.object),
        "coefficient": r.coefficient, "value": value, "interval": interval, "note": r.note,
    }  # fmt: skip
