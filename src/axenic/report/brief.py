"""An audit and a consistency study in the few lines that a terminal has for them.

In: a `Study` and the findings of its main judges. Out: rich renderables: a verdict per arm with the sentences behind it; per arm
and temperature of one eval how many items flip and what the score varies with; what the next run is best spent on.
"""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from axenic.findings import Audit, Findings, Flip, Persistence, Trend, VarianceComponent
from axenic.report import numbers, select, sources
from axenic.schema import Study

COLOURS = {"worse": "bold red", "cannot tell": "bold yellow", "not worse": "bold green"}
MOST_SHARES, MOST_CELLS = 4, 10  # sources named per line, and lines: the page has them all
MOST_PERSISTENCE = 16


def verdicts(audits: Sequence[Audit]) -> RenderableType:
    """For every arm the verdict and the sentences of the evals that decide it."""
    blocks: list[RenderableType] = []
    for arm in dict.fromkeys(a.arm for a in audits):
        deciding = select.decisive([a for a in audits if a.arm == arm])
        verdict = deciding[0].verdict
        against = (f" · {arm} against {deciding[0].reference}", "dim")
        blocks.append(Text.assemble((numbers.VERDICTS[verdict], COLOURS[verdict]), against))
        blocks += [_indented(text) for text in dict.fromkeys(a.text for a in deciding if a.text)]
    return Group(*blocks)


def persistence(records: Sequence[Persistence]) -> RenderableType:
    """Triggered rate before and after each treatment, a line each."""
    blocks: list[RenderableType] = [Text("Triggered rate before → after treatment, half-life in steps", style="bold")]
    several = len({p.eval for p in records}) > 1
    for p in records[:MOST_PERSISTENCE]:
        name = numbers.joined(p.arm, numbers.label(p.eval) if several else "")
        after = numbers.percent(p.after) + (f" {numbers.interval(p.after_low, p.after_high)}" if p.after is not None else "")
        blocks.append(_indented(f"{name}: {numbers.percent(p.before)} → {after}; half-life {numbers.half_life(p)}"))
    if len(records) > MOST_PERSISTENCE:
        blocks.append(_indented(f"… and {len(records) - MOST_PERSISTENCE} more in the report"))
    return Group(*blocks)


def trends(found: Sequence[Trend]) -> RenderableType:
    """Fitted slopes, a line each, with what they mean below."""
    blocks: list[RenderableType] = [Text("Fitted trends: slope with its interval", style="bold")]
    for t in found:
        slope = (
            f"{numbers.coefficient(t.slope)} {numbers.coefficients(t.low, t.high)}"
            if t.slope is not None
            else numbers.NOT_ESTIMABLE
        )
        name = numbers.joined(numbers.label(t.name), t.arm, numbers.label(t.eval))
        blocks.append(_indented(f"{name}: {slope} per {t.x_label}, p {numbers.p_value(t.p)}"))
        blocks += [_indented(f"  {t.note}", style="dim")] if t.note else []
    return Group(*blocks)


def consistency(study: Study, findings: Findings) -> RenderableType | None:
    """What moves the number, for the first eval that has it."""
    evals = [r.eval for name in ("flips", "variance_components") for r in getattr(findings, name)]
    name = next(iter(select.headline_first(study, evals)), None)
    blocks: list[RenderableType] = []
    arms = [arm.name for arm in study.arms] or list(dict.fromkeys(e.arm for e in findings.estimates))
    if name is not None:
        blocks.append(Text(f"What moves the number: {numbers.label(name)}", style="bold"))
        cells = _cells(findings, name, arms)
        if all(text == numbers.NOT_ESTIMABLE for _, text in cells):
            cells = [("every arm", numbers.NOT_ESTIMABLE)]
        blocks += [_indented(f"{label}: {text}") for label, text in cells[:MOST_CELLS]]
        if len(cells) > MOST_CELLS:
            blocks.append(_indented(f"… and {len(cells) - MOST_CELLS} more in the report"))
    blocks += [_indented(text, style="bold") for text in _advice(study, findings)]
    return Group(*blocks) if blocks else None


def _advice(study: Study, findings: Findings) -> list[str]:
    """The decisions' sentences, each with the arms that it is about where there are several."""
    said: dict[str, list[str]] = {}
    for d in select.told(study, findings):
        said.setdefault(d.advice, []).append(numbers.joined(d.arm, numbers.temperature(d.temperature)))
    return list(said) if len(said) < 2 else [f"{', '.join(arms)}: {text}" for text, arms in said.items()]


def _cells(findings: Findings, name: str, arms: Sequence[str]) -> list[tuple[str, str]]:
    """(arm and temperature, "12.0% [9.1, 15.2] of items flip; item 61%, ...") at each arm's last epoch."""
    flips = select.last_epochs([f for f in findings.flips if f.eval == name and f.source == "any"])
    shares = [c for c in findings.variance_components if c.eval == name]
    if any(c.temperature is not None for c in shares):  # what is crossed over temperatures is left to the page
        shares = [c for c in shares if c.temperature is not None]
    keys = [*((f.arm, f.temperature) for f in flips), *((c.arm, c.temperature) for c in shares)]
    place = {arm: i for i, arm in enumerate(arms)}
    ordered = sorted(dict.fromkeys(keys), key=lambda k: (place.get(k[0], len(place)), k[1] is None, k[1] or 0.0))
    found = []
    for key in ordered:
        mine = [_flip(f) for f in flips if (f.arm, f.temperature) == key]
        said = [*mine, _shares([c for c in shares if (c.arm, c.temperature) == key])]
        label = numbers.joined(key[0], numbers.temperature(key[1]))
        found.append((label, "; ".join(filter(None, said)) or numbers.NOT_ESTIMABLE))
    return found


def _flip(f: Flip) -> str:
    if f.rate is None:
        return ""
    return f"{numbers.percent(f.rate)} {numbers.interval(f.low, f.high)} of {f.n_items} items flip"


def _shares(components: Sequence[VarianceComponent]) -> str:
    """The largest shares of one cell: at the last epoch rather than over all, by the main judge rather than by all."""
    cells = {(c.epoch, c.judge) for c in components}
    cell = min(cells, key=lambda k: (k[0] is None, -(k[0] or 0.0), k[1] == "", k[1]), default=None)
    mine = [c for c in components if (c.epoch, c.judge) == cell and c.source != "total"]
    largest = sorted((c for c in mine if c.share), key=lambda c: -(c.share or 0.0))[:MOST_SHARES]
    return ", ".join(f"{sources.name(c.source)} {numbers.percent(c.share, 0)}" for c in largest)


def _indented(text: str, style: str = "") -> Padding:
    return Padding(Text(text, style=style), (0, 0, 0, 2))
