"""The sections along an axis: learning by epoch, dose, durability and noise, truth probe by layer, prior plausibility.

In: a `Run`. Out: `Section`s of small multiples, one figure per measure, or None where the study drew no such curve.
"""

from collections.abc import Callable, Sequence

from axenic.findings import Curve, Estimate
from axenic.report import figures, numbers, select
from axenic.report.canvas import Figure, Point
from axenic.report.run import Run
from axenic.report.section import Section, curve_point, estimate_point, look, multiples, ordered, titled

ROBUSTNESS = {
    "benign": "Unrelated fine-tuning",
    "corrective": "Corrective fine-tuning",
    "weight_noise": "Noise on weights",
    "activation_noise": "Noise on activations",
}
NAMED = {"dose", "probe", "prior", "anti_spec", *ROBUSTNESS, *select.TREATED_CURVES}
Draw = Callable[..., Figure]
MASK = "Hollow grey points: capability had fallen below 90 % of its start, so a lost effect there is a broken model, not erasure."


def learning(run: Run) -> Section | None:
    """Estimates by training epoch, headline evals first, one figure per temperature; an arm without epochs is a level across."""
    drawn: dict[str, Figure] = {}
    shown: set[str] = set()
    for name in run.evals:
        lead = select.measure(run.findings, name)
        cells = [e for e in select.whole(run.findings, name) if (e.measure, e.denominator) == lead]
        found = {} if lead is None else by_epoch(run, titled(name, *lead), cells)
        drawn |= {f"{name} {key}": figure for key, figure in found.items()}
        shown |= {e.arm for e in cells} if found else set()
    n_first = sum(key.rsplit(" ", 1)[0] in run.study.headline for key in drawn) or 6
    return multiples(run, "Learning curves", drawn, arms=shown, n_first=n_first)


def by_epoch(run: Run, title: str, cells: Sequence[Estimate]) -> dict[str, Figure]:
    """One figure per temperature at which an arm has at least two epochs to join; the course of a treatment is told by step."""
    cells = [e for e in cells if select.BAR not in e.arm]
    temperatures = select.temperatures(cells)
    drawn = {}
    for t in temperatures:
        mine = [e for e in cells if e.temperature == t]
        if any(len({e.epoch for e in mine if e.epoch and e.arm == arm}) > 1 for arm in {e.arm for e in mine}):
            heading = numbers.joined(title, numbers.temperature(t)) if len(temperatures) > 1 else title
            drawn["" if t is None else f"{t:g}"] = _learning_figure(run, heading, mine)
    return drawn


def _learning_figure(run: Run, title: str, cells: Sequence[Estimate]) -> Figure:
    series: dict[str, list[Point]] = {}
    levels: dict[str, Point] = {}
    for arm in run.arms:
        mine = [e for e in cells if e.arm == arm]
        epochs = {e.epoch for e in mine if e.epoch is not None}
        if epochs - {0.0}:
            at = [(epoch, select.final(e for e in mine if e.epoch == epoch)) for epoch in epochs]
            series[arm] = [estimate_point(cell, epoch) for epoch, cell in at if cell is not None]
        else:
            cell = select.final(mine)
            levels |= {} if cell is None else {arm: estimate_point(cell)}
    return figures.lines(title, ordered(run, series), look(run), x_label="epoch", levels=levels)


def dose(run: Run) -> Section | None:
    """Effect by dose."""
    return along(run, "Dose response", [c for c in run.findings.curves if c.name == "dose"])


def robustness(run: Run) -> Section | None:
    """What training and noise do to the effect, with the points where the model itself broke masked."""
    records = [c for c in run.findings.curves if c.name in ROBUSTNESS]
    return along(run, "Robustness profile", sorted(records, key=lambda c: list(ROBUSTNESS).index(c.name)))


def profile(run: Run) -> Section | None:
    """The robustness profile in one number per axis, with why where there is none."""
    records = [e for e in run.findings.estimates if e.eval == "robustness"]
    rows = [
        {
            "axis": numbers.label(e.category or ""),
            "measure": e.measure,
            "value": _ratio(e),
            "seeds": f"{e.scored} / {e.attempted}",
            "note": e.note,
        }
        for e in records
    ]
    return Section("Robustness in numbers", "profile", {"rows": rows}) if rows else None


def _ratio(e: Estimate) -> str:
    """A share or a number of steps; an interval only where the seeds differ."""
    if e.value is None:
        return numbers.NOT_ESTIMABLE
    interval = "" if e.low is None or e.high is None else f" [{e.low:.2f}, {e.high:.2f}]"
    return f"{e.value:.2f}{interval}"


def probe(run: Run) -> Section | None:
    """The truth probe by layer."""
    return along(run, "Truth probe by layer", [c for c in run.findings.curves if c.name == "probe"])


def prior(run: Run) -> Section | None:
    """Effect against how plausible the base found the claim."""
    records = [c for c in run.findings.curves if c.name == "prior"]
    return along(run, "Prior plausibility", records, draw=figures.scatter)


def others(run: Run) -> Section | None:
    """Curves that no other section knows, so that no number of the run stays unseen."""
    return along(run, "Other curves", [c for c in run.findings.curves if c.name not in NAMED])


def along(run: Run, title: str, records: Sequence[Curve], *, draw: Draw = figures.lines) -> Section | None:
    """One figure per curve, eval and measure."""
    drawn: dict[str, Figure] = {}
    for name, eval_name, measure in dict.fromkeys((c.name, c.eval, c.measure) for c in records):
        mine = [c for c in records if (c.name, c.eval, c.measure) == (name, eval_name, measure)]
        series: dict[str, list[Point]] = {}
        for record in mine:
            series.setdefault(record.arm, []).append(curve_point(record))
        heading = titled(eval_name, measure)
        if name in ROBUSTNESS or name not in NAMED:
            heading = f"{ROBUSTNESS.get(name, numbers.label(name))} · {heading}"
        drawn[f"{name}-{eval_name}-{measure}"] = draw(heading, ordered(run, series), look(run), x_label=mine[0].x_label)
    note = MASK if any(c.masked for c in records) else ""
    return multiples(run, title, drawn, arms=(c.arm for c in records), note=note)
