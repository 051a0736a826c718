"""The sources of variation as a reader sees them: what each is called and how it is coloured, in every section alike.

In: names of `findings.Source` and of flips. Out: labels and `Style`s. A source and its interaction with items share a hue.
"""

from collections.abc import Iterable

from axenic.report.canvas import Style

SOURCES = {
    "any": ("anything", "var(--muted)"),
    "item": ("item", "var(--src-item)"),
    "train_seed": ("training seed", "var(--src-seed)"),
    "train_seed:item": ("seed × item", "var(--src-seed-pale)"),
    "checkpoint": ("checkpoint", "var(--src-checkpoint)"),
    "checkpoint:item": ("checkpoint × item", "var(--src-checkpoint-pale)"),
    "train_seed:checkpoint": ("seed × checkpoint", "var(--src-both)"),
    "temperature": ("temperature", "var(--src-temperature)"),
    "temperature:item": ("temperature × item", "var(--src-temperature-pale)"),
    "judge": ("judge", "var(--src-judge)"),
    "judge:item": ("judge × item", "var(--src-judge-pale)"),
    "repetition": ("repeated sampling", "var(--src-sampling)"),
    "sampling": ("sampling", "var(--src-sampling)"),
    "numerical": ("numerical noise", "var(--src-numerical)"),
    "residual": ("residual", "var(--src-residual)"),
}
"""From the most basic to what is left over: the order of every bar and legend."""


def name(source: str) -> str:
    """A source as a reader sees it."""
    return SOURCES.get(source, (source, ""))[0]


def legend(sources: Iterable[str]) -> list[tuple[str, Style]]:
    """Names and looks of the sources that a section shows."""
    shown = set(sources)
    return [(label, Style(colour, "square")) for key, (label, colour) in SOURCES.items() if key in shown]


def look() -> dict[str, Style]:
    """How each source looks, by its key."""
    return {key: Style(colour, "square") for key, (_, colour) in SOURCES.items()}
