"""Figures of what treatments do to organisms: one per organism, one line per treatment, each in its one colour of the page.

In: curves or survival records whose arms read "organism | treatment". Out: `Figure`s by organism. Curves of arms that nothing
was done to are drawn together, with the arms as lines.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from axenic.findings import Curve
from axenic.report import canvas, figures, numbers, select
from axenic.report.canvas import Figure, Point, Style
from axenic.report.run import Run
from axenic.report.section import curve_point, look, titled

Draw = Callable[..., Figure]
Blocks = dict[str, dict[str, Figure]]  # organism ("" = all arms together) -> figures by name


def treatment_look(run: Run) -> dict[str, Style]:
    """How each treatment looks, the same in every section; grey is the organism left alone."""
    return canvas.styles([select.UNTREATED, *run.treatments], [select.UNTREATED])


def legend(run: Run, treatments: Iterable[str]) -> list[tuple[str, Style]]:
    """Treatments with their looks; nothing where nothing was treated."""
    shown = set(treatments)
    return [(name, style) for name, style in treatment_look(run).items() if name in shown] if shown - {select.UNTREATED} else []


def organism_look(run: Run, arms: Iterable[str]) -> dict[str, Style]:
    """For figures of one treatment: each arm looks like its organism, and arms that the study does not know get looks too."""
    listed = list(dict.fromkeys(arms))
    organisms = [select.split(arm)[0] for arm in listed]
    if len(set(organisms)) < len(listed):
        return canvas.styles(listed, run.base_arms)
    known = look(run)
    new = canvas.styles(list(dict.fromkeys([*known, *organisms])), run.base_arms)
    return {arm: known.get(o, new[o]) for arm, o in zip(listed, organisms, strict=True)}


def looks_of(run: Run, arms: Iterable[str]) -> dict[str, Style]:
    """The look of every arm, where rows name the arms: its own, else its organism's, else grey."""
    known, other = look(run), Style("var(--muted)", "circle")
    return {arm: known.get(arm, known.get(select.split(arm)[0], other)) for arm in arms}


def side_by_side(drawn: Blocks) -> Blocks:
    """Blocks of one figure each as one block, with the organisms in the titles."""
    if len(drawn) < 2 or any(len(mine) > 1 for mine in drawn.values()):
        return drawn
    named = [(name, organism, figure) for organism, mine in drawn.items() for name, figure in mine.items()]
    return {"": {name: replace(f, title=numbers.joined(organism, f.title)) for name, organism, f in named}}


def blocks(run: Run, records: Sequence[Curve], *, draw: Draw = figures.by_step) -> Blocks:
    """One figure per eval, measure and axis: for every organism where any of its arms was treated, else over all arms."""
    found: Blocks = {}
    treated = {select.split(c.arm)[0] for c in records if select.BAR in c.arm}
    for organism in (*(a for a in _organisms(run, records) if a in treated), ""):
        mine = [c for c in records if _home(c.arm, treated) == organism]
        for key in dict.fromkeys((c.eval, c.measure, c.x_label) for c in mine):
            same = [c for c in mine if (c.eval, c.measure, c.x_label) == key]
            found.setdefault(organism, {})[" ".join((organism, *key))] = _figure(run, titled(*key[:2]), same, draw)
    return found


def _home(arm: str, treated: set[str]) -> str:
    organism = select.split(arm)[0]
    return organism if organism in treated else ""


def _organisms(run: Run, records: Sequence[Curve]) -> list[str]:
    """In the page's order of arms, then as first seen."""
    return list(dict.fromkeys([*run.arms, *(select.split(c.arm)[0] for c in records)]))


def _figure(run: Run, title: str, records: Sequence[Curve], draw: Draw) -> Figure:
    treated = any(select.BAR in c.arm for c in records)
    points: dict[str, list[Point]] = {}
    for c in records:
        points.setdefault(select.split(c.arm)[1] if treated else c.arm, []).append(curve_point(c))
    known = treatment_look(run)
    looks = known if set(points) <= set(known) else organism_look(run, points)
    series = {name: sorted(points[name], key=lambda p: p.x) for name in looks if name in points}
    return draw(title, series, looks, x_label=records[0].x_label)
