"""A written corpus -> one self-contained page: what every stage did and cost, what was lost, what is covered, what it reads like.

In: a `Writing` (`report.json` and `ledger.json`). Out: `report.html` there. What a model wrote is shown as text, never as markup.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.report import numbers, records, shell
from axenic.report.canvas import Figure, Point, Style
from axenic.report.rows import counts
from axenic.report.section import Section
from axenic.written import OF_THE_LEDGER, SectionCoverage, Writing

LONGEST = 3_000  # characters of an example
MOST_BARS = 30  # of one figure; the rest is in the table
BARS = Style("var(--arm-1)", "circle")


def read(folder: Path) -> Writing:
    """What `axenic write` left in a folder.

    Raises:
        UserError: The folder holds no finished corpus, or a file in it is malformed.
    """
    try:
        report, ledger = (json.loads((folder / name).read_bytes()) for name in ("report.json", "ledger.json"))
        return Writing.model_validate({**report, **{name: ledger[name] for name in OF_THE_LEDGER}})
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no finished corpus: {Path(error.filename).name} is missing. See axenic write.") from None
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"report.json or ledger.json in {folder} is malformed ({error}). Run the same axenic write again."
        ) from None


def write(writing: Writing, folder: Path) -> Path:
    """Write `folder/report.html`, whole or not at all; raises as `disk.write_text`."""
    target = folder / "report.html"
    write_text(target, [render(writing)])
    return target


def render(writing: Writing) -> str:
    """The page as text."""
    shown = {name: section for name, build in SECTIONS.items() if (section := build(writing)) is not None}
    return shell.filled("corpus_page", shown, title=f"{writing.name}: {writing.rows} {writing.kind}", writing=writing)


def stages(writing: Writing) -> Section | None:
    """Calls, tokens and cost of every stage, in the order in which they ran."""
    if not writing.stages:
        return None
    statuses = list(dict.fromkeys(status for line in writing.stages for status in line.statuses))
    tokens = {line.stage: line.input_tokens + line.output_tokens for line in writing.stages}
    drawn = {"tokens": _bars("Tokens by stage, read and written", tokens)}
    return Section("Stages", "stages", {"lines": writing.stages, "statuses": statuses, "cost": writing.cost}, drawn)


def rejected(writing: Writing) -> Section | None:
    """What was rejected on the way, and why."""
    rows = [
        (what, count, numbers.shorten(writing.rejected_examples.get(what, ""), 300)) for what, count in writing.rejected.items()
    ]
    return Section("Rejected on the way", "rejected", {"rows": rows}) if rows else None


def coverage(writing: Writing) -> Section | None:
    """What of the spec is in the corpus, section by section."""
    if not writing.coverage:
        return None
    covered = sum(c.characters for c in writing.coverage if c.rows)
    parts = [name for name in ("domains", "subdomains", "assertions") if any(getattr(c, name) for c in writing.coverage)]
    content = {
        "parts": parts,
        "sections": writing.coverage,
        "n": len(writing.coverage) - len(writing.uncovered),
        "share": numbers.percent(covered / sum(c.characters for c in writing.coverage)),
        "uncovered": writing.uncovered,
        "kind": writing.kind,
    }
    return Section("Coverage of the spec", "coverage", content, {"rows": _by_chapter(writing.coverage, writing.kind)})


def quality(writing: Writing) -> Section | None:
    """What the corpus is like: size, repetition, faults, overlap with evals."""
    if not writing.quality:
        return None
    rows = records.quality_rows({writing.name: writing.quality})
    return Section("Quality", "measures", {"rows": [(name, value) for name, [value] in rows]})


def spread(writing: Writing) -> Section | None:
    """Rows by type and by place in the spec."""
    found = {name: tally for name, tally in writing.spread.items() if tally}
    if not found:
        return None
    drawn = {name: _bars(f"{writing.kind.capitalize()} by {numbers.label(name)}", tally) for name, tally in found.items()}
    tables = {numbers.label(name): list(tally.items()) for name, tally in found.items() if len(tally) > MOST_BARS}
    return Section("Spread", "tallies", {"tables": tables}, drawn)


def examples(writing: Writing) -> Section | None:
    """Some rows to read."""
    if not writing.examples:
        return None
    shown = [(list(e.about.items()), numbers.shorten(e.text, LONGEST)) for e in writing.examples]
    return Section("Examples", "written", {"examples": shown})


SECTIONS: dict[str, Callable[[Writing], Section | None]] = {
    "stages": stages,
    "rejected": rejected,
    "coverage": coverage,
    "quality": quality,
    "spread": spread,
    "examples": examples,
}
"""The page from top to bottom. A section without content is left out."""


def _by_chapter(table: Sequence[SectionCoverage], kind: str) -> Figure:
    """Rows by outermost heading; a spec without headings is one chapter."""
    tally: dict[str, int] = {}
    for line in table:
        chapter = line.name.split(" > ")[0]
        tally[chapter] = tally.get(chapter, 0) + line.rows
    return _bars(f"{kind.capitalize()} by chapter", tally)


def _bars(title: str, tally: Mapping[str, int]) -> Figure:
    rows = [(name, _point(name, count)) for name, count in list(tally.items())[:MOST_BARS]]
    return counts(title, rows, BARS)


def _point(name: str, count: int) -> Point:
    return Point(0.0, float(count), None, None, f"{name}\n{numbers.number(count)}")
