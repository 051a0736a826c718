"""The headline of a study for the terminal, as `axenic show` and the end of a run print it.

In: a `Study` and its `Findings`. Out: a rich renderable that fits 100 columns and turns into one line per cell where the
terminal is too narrow for a column per arm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from axenic.findings import Contrast, Estimate, Findings
from axenic.report import brief, numbers, select
from axenic.schema import Study

EVAL_WIDTH, CELL_WIDTH, CONTRASTS_WIDTH = 20, 15, 76
Rows = Sequence[tuple[str, dict[str, Estimate | None]]]


@dataclass(frozen=True)
class Headline:
    """Renders itself to the width it is given."""

    study: Study
    findings: Findings

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Title, verdicts, cells by arm, planned contrasts, what moves the number, limits."""
        yield Text(self.study.title, style="bold")
        seeds = len(self.study.seeds)
        counted = f", {seeds} seed{'s' * (seeds != 1)}" if seeds else ""
        yield Text(f"{self.study.tier} tier, {self.study.model}{counted}", style="dim")
        for block in self._blocks(options.max_width):
            yield Text()
            yield block
        yield Text()
        yield Text(self.study.limits, style="dim")

    def _blocks(self, width: int) -> Iterator[RenderableType]:
        study = self.study
        found = select.of_main_judges(self.findings, select.main_judges(study, self.findings))
        if found.audits:
            yield brief.verdicts(found.audits)
        arms = _arms(study, found)
        rows = _rows(study, found, arms)
        if rows:
            yield _wide(rows, arms) if EVAL_WIDTH + CELL_WIDTH * len(arms) <= width else _long(rows)
        if found.persistence:
            yield brief.persistence(found.persistence)
        if found.trends:
            yield brief.trends(found.trends)
        contrasts = select.planned(found)
        if contrasts:
            yield _contrasts(contrasts, narrow=width < CONTRASTS_WIDTH)
        consistency = brief.consistency(study, found)
        if consistency:
            yield consistency


def headline(study: Study, findings: Findings) -> Headline:
    """The headline results: one row per headline eval, a column per arm, then the planned contrasts."""
    return Headline(study, findings)


def _arms(study: Study, findings: Findings) -> list[str]:
    """The study's arms that were measured. Treated arms have lines of their own."""
    told = {p.arm for p in findings.persistence}
    measured = dict.fromkeys(e.arm for e in findings.estimates)
    named = [arm.name for arm in study.arms if arm.name in measured] or list(measured)
    return [name for name in named if name not in told]


def _rows(study: Study, findings: Findings, arms: Sequence[str]) -> Rows:
    """(label, cells by arm) for every headline eval and temperature; for every eval where the study names none."""
    evals = study.headline or tuple(dict.fromkeys(e.eval for e in findings.estimates))
    rows = []
    for name in evals:
        lead = select.measure(findings, name)
        if lead is not None:
            for where, cells in select.headline(findings, name, arms):
                words = numbers.joined(_measured(*lead), where)
                rows.append((f"{numbers.label(name)}\n{words}", cells))
    return rows


def _measured(measure: str, denominator: str) -> str:
    return numbers.label(measure) + ("" if denominator == "all" else f", {denominator}")


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=Text(title, style="bold"), title_justify="left", pad_edge=False, padding=(0, 1))


def _wide(rows: Rows, arms: Sequence[str]) -> Table:
    table = _table("Share by arm, with its interval")
    table.add_column(Text("eval"), ratio=None, overflow="fold")
    for arm in arms:
        table.add_column(Text(arm), justify="right", overflow="fold")
    for label, cells in rows:
        table.add_row(Text(label), *(_cell(cells[arm]) for arm in arms))
    return table


def _cell(cell: Estimate | None) -> Text:
    """Value over interval, so that five arms fit beside each other."""
    if cell is None or cell.value is None:
        return Text(numbers.estimate(cell), style="dim")
    bounds = "no interval" if cell.low is None else numbers.interval(cell.low, cell.high)
    return Text.assemble(numbers.percent(cell.value), "\n", (bounds, "dim"))


def _long(rows: Rows) -> Table:
    table = _table("Share by arm, with its interval")
    table.add_column("eval / arm", overflow="fold")
    table.add_column("share", justify="right", overflow="fold")
    for label, cells in rows:
        table.add_row(Text(label.replace("\n", ": "), style="bold"), "")
        for arm, cell in cells.items():
            table.add_row(Text(f"  {arm}"), Text(numbers.estimate(cell)))
    return table


def _contrasts(contrasts: Sequence[Contrast], *, narrow: bool) -> Table:
    table = _table("Planned contrasts, percentage points")
    table.add_column("contrast", overflow="fold")
    table.add_column("difference", justify="right", overflow="fold")
    table.add_column("p (Holm)", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("expected", overflow="fold")
    for row in contrasts:
        name = Text.assemble(numbers.between(row), "\n", (numbers.label(row.eval), "dim"))
        cells = [name, Text(numbers.contrast(row)), Text(numbers.p_value(row.p_holm))]
        table.add_row(*cells, *([] if narrow else [Text(row.hypothesis, style="dim")]))
    return table
