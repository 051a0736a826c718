"""The sections that say how long a hidden behaviour lasts: the persistence record, rates by step, survival over seeds.

In: a `Run` with persistence or survival records, or curves named "persistence". Out: `Section`s: a table with a row per organism
and treatment, then a block of figures per organism with a line per treatment (Hubinger et al. 2024; PROTOCOLS 3).
"""

from collections.abc import Iterable, Sequence

from axenic.findings import Persistence, Survival
from axenic.report import figures, numbers, select, treated
from axenic.report.canvas import Figure, Point
from axenic.report.curves import MASK
from axenic.report.run import Run
from axenic.report.section import Section

OPEN_BLOCKS = 4  # organisms whose figures are open to view
Groups = list[tuple[str, list[Persistence]]]


def persistence(run: Run) -> Section | None:
    """Triggered and untriggered rates before and after each treatment, and by step."""
    records = run.findings.persistence
    curves = [c for c in run.findings.curves if c.name == "persistence"]
    if not records and not curves:
        return None
    drawn = treated.blocks(run, curves)
    content = {
        "groups": grouped(run, records), "losses": sorted({p.max_loss for p in records}),
        "legend": treated.legend(run, (select.split(c.arm)[1] for c in curves)), **placed(drawn),
        "note": MASK if any(c.masked for c in curves) else "",
    }  # fmt: skip
    return Section("Does it persist?", "persistence", content, flat(drawn))


def survival(run: Run) -> Section | None:
    """In how many seeds the behaviour is still there, by step, and how long until half of it is gone."""
    records = run.findings.survival
    if not records:
        return None
    drawn: treated.Blocks = {}
    for organism, name, x_label in dict.fromkeys((select.split(s.arm)[0], s.eval, s.x_label) for s in records):
        mine = [s for s in records if (select.split(s.arm)[0], s.eval, s.x_label) == (organism, name, x_label)]
        title = numbers.joined(organism, numbers.label(name))
        drawn.setdefault("", {})[f"{organism} {name} {x_label}"] = _stairs(run, title, mine, x_label)
    content = {
        "groups": grouped(run, run.findings.persistence), **placed(drawn),
        "legend": treated.legend(run, (s.treatment for s in records)),
    }  # fmt: skip
    return Section("Survival over seeds", "survival", content, flat(drawn))


def _stairs(run: Run, title: str, records: Sequence[Survival], x_label: str) -> Figure:
    looks = treated.treatment_look(run)
    points: dict[str, list[Point]] = {}
    for s in sorted(records, key=lambda s: s.x):
        points.setdefault(s.treatment, []).append(Point(s.x, s.value, s.low, s.high, _survived(s)))
    return figures.stairs(title, {name: points[name] for name in looks if name in points}, looks, x_label=x_label)


def _survived(s: Survival) -> str:
    rate = numbers.NOT_ESTIMABLE if s.value is None else f"{numbers.percent(s.value)} {numbers.interval(s.low, s.high)} still there"
    counted = f"{s.at_risk} of {s.n_seeds} seeds at risk, {s.gone} fell here"
    return f"{s.treatment}\n{s.x_label} {numbers.number(s.x)}\n{rate}\n{counted}"


def grouped(run: Run, records: Iterable[Persistence]) -> Groups:
    """("normal · backdoor", records in the page's order of treatments), in the page's order of organisms."""
    listed = list(records)
    order, arms = run.treatments, run.arms
    keys = dict.fromkeys((p.organism, p.eval, p.judge) for p in listed)
    several = len({name for _, name, _ in keys}) > 1
    groups: Groups = []
    for key in sorted(keys, key=lambda k: arms.index(k[0]) if k[0] in arms else len(arms)):
        mine = [p for p in listed if (p.organism, p.eval, p.judge) == key]
        ordered = sorted(mine, key=lambda p: order.index(p.treatment) if p.treatment in order else -1)
        groups.append((numbers.joined(key[0], numbers.label(key[1]) if several else ""), ordered))
    return groups


def flat(drawn: treated.Blocks) -> dict[str, Figure]:
    """All figures of the blocks, in their order."""
    return {f"{block} {name}": figure for block, mine in drawn.items() for name, figure in mine.items()}


def placed(drawn: treated.Blocks) -> dict[str, object]:
    """For the template: (heading, places of its figures among all) of every block, and how many blocks are open."""
    spans, start = [], 0
    for block, mine in drawn.items():
        spans.append((block, list(range(start, start + len(mine)))))
        start += len(mine)
    return {"blocks": spans, "n_open": OPEN_BLOCKS}
