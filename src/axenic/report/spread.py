"""The sections on what runs do not agree on: how often an item's label flips, and the min-max bars of the paper.

In: a `Run` with flips or ranges (Fraser et al. 2025 draw the latter). Out: `Section`s: a figure per eval and a table.
"""

from collections.abc import Sequence

from axenic.findings import Estimate, Flip, Range
from axenic.report import numbers, rows, select, sources
from axenic.report.canvas import Figure, Point
from axenic.report.run import Run
from axenic.report.section import Section, look, titled


def flips(run: Run) -> Section | None:
    """Flip rates by source, per arm and temperature."""
    records = run.findings.flips
    if not records:
        return None
    figures: dict[str, Figure] = {}
    tables = []
    for name in select.headline_first(run.study, (f.eval for f in records)):
        mine = select.in_order((f for f in records if f.eval == name), run.arms)
        figure = _flips_figure(f"Items that flip: {numbers.label(name)}", select.last_epochs(mine))
        figures |= {} if figure is None else {name: figure}
        tables.append((name, [(select.cell_label(f, mine, by=("epoch",)), sources.name(f.source), f) for f in mine]))
    content = {"tables": tables, "legend": sources.legend(f.source for f in records if f.rate is not None)}
    return Section("Items that flip", "flips", content, figures)


def _flips_figure(title: str, records: Sequence[Flip]) -> Figure | None:
    bars: dict[str, dict[str, Point]] = {}
    pairs: dict[str, dict[str, Point]] = {}
    for f in sorted(_telling(records), key=lambda f: f.source != "any"):
        label = select.cell_label(f, records, by=())
        if f.rate is not None:
            bars.setdefault(label, {})[f.source] = _bar(label, f)
            pairs.setdefault(label, {})
            if f.pair_rate is not None:
                pairs[label][f.source] = _pair(label, f)
    order = [label for label in dict.fromkeys(select.cell_label(f, records, by=()) for f in records) if label in bars]
    return rows.rates(title, [(k, bars[k]) for k in order], [(k, pairs[k]) for k in order], sources.look()) if bars else None


def _telling(records: Sequence[Flip]) -> list[Flip]:
    """Without "any" where only one thing was ever done again: it would say the same twice."""
    others = [(f.arm, f.temperature, f.n_flipped) for f in records if f.source != "any"]
    alone = {cell for cell in others if sum(o[:2] == cell[:2] for o in others) == 1}
    return [f for f in records if f.source != "any" or (f.arm, f.temperature, f.n_flipped) not in alone]


def _bar(label: str, f: Flip) -> Point:
    counted = f"{sources.name(f.source)}: {f.n_flipped} of {f.n_items} items"
    text = f"{label}\n{counted}\n{numbers.percent(f.rate)} {numbers.interval(f.low, f.high)}"
    return Point(0.0, f.rate, f.low, f.high, text)


def _pair(label: str, f: Flip) -> Point:
    share = f"{numbers.percent(f.pair_rate)} {numbers.interval(f.pair_low, f.pair_high)}"
    text = f"{label}\n{sources.name(f.source)}: two draws disagree {share}"
    return Point(0.0, f.pair_rate, f.pair_low, f.pair_high, text)


def ranges(run: Run) -> Section | None:
    """The paper's min-max bars beside the estimate with its interval."""
    records = run.findings.ranges
    if not records:
        return None
    figures: dict[str, Figure] = {}
    table = []
    for name in select.headline_first(run.study, (r.eval for r in records)):
        mine = select.in_order((r for r in records if r.eval == name), run.arms)
        table += [(select.cell_label(r, mine), r, _estimate(run, r)) for r in mine]
        drawn = [
            (select.cell_label(r, mine), r) for r in select.last_epochs(mine) if r.minimum is not None and r.maximum is not None
        ]
        if drawn:
            title = titled(name, drawn[0][1].measure)
            figures[name] = rows.ranges(title, [(label, _range_points(run, label, r)) for label, r in drawn], look(run))
    return Section("What a min-max bar hides", "ranges", {"rows": table}, figures)


def _range_points(run: Run, label: str, r: Range) -> dict[str, Point]:
    e = _estimate(run, r)
    return {r.arm: _span(label, r)} | ({} if e is None else {rows.ESTIMATE: _dot(label, e)})


def _estimate(run: Run, r: Range) -> Estimate | None:
    """The estimate of the same cell."""
    whole = (e for e in select.whole(run.findings, r.eval) if e.arm == r.arm and e.measure == r.measure and e.denominator == "all")
    same = [e for e in whole if r.temperature in (None, e.temperature) and r.epoch in (None, e.epoch)]
    return select.final(same)


def _span(label: str, r: Range) -> Point:
    ends = f"lowest {numbers.percent(r.minimum)}, mean {numbers.percent(r.value)}, highest {numbers.percent(r.maximum)}"
    text = f"{label}\n{r.n_runs} runs: {ends}"
    return Point(0.0, r.value, r.minimum, r.maximum, text)


def _dot(label: str, e: Estimate) -> Point:
    return Point(0.0, e.value, e.low, e.high, f"{label}\nestimate {numbers.estimate(e)}")
