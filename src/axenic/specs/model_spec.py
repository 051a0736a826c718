"""A model spec: how an assistant shall behave and why, as the prose that people publish, cut into sections.

In: Markdown with headings, or plain text. Out: a `ModelSpec` whose sections, joined, are the text again, character for character.
Nothing in the text is a template. (Li et al. 2026, Model Spec Midtraining: every document is written from a verbatim section.)
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from axenic.errors import UserError
from axenic.schema import Noun, digest
from axenic.specs import markdown, specfile

DOCS = "docs/model_spec.md"
LONGEST = 8_000
"""Characters of a section, unless told otherwise: about 2,000 tokens, so a prompt has room for one and for a document about it."""


class Section(Noun):
    """A stretch of the spec under one heading, or a part of it where the whole is too long."""

    id: str  # path of the headings' anchors or slugs, e.g. "stay_in_bounds/comply_with_laws"; "…#2" for a second part
    titles: tuple[str, ...] = ()  # of the headings above it and its own, outermost first; none in plain text
    text: str  # verbatim, its own heading included
    start: int  # characters of the spec
    end: int

    @property
    def name(self) -> str:
        """Its headings in one line; its id where it has none."""
        return " > ".join(self.titles) or self.id


class ModelSpec(Noun):
    """A spec and its sections, which tile its text."""

    id: str
    text: str
    sections: tuple[Section, ...]

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the text."""
        return digest(self.text)

    @property
    def outline(self) -> str:
        """The names of all sections, a line each."""
        return "\n".join(f"- {section.name}" for section in self.sections)


def load(path: str | Path, *, longest: int = LONGEST) -> ModelSpec:
    """Read a spec from a UTF-8 text file, whatever its ending.

    Raises:
        UserError: if the file is missing, is not text, or says nothing; see `parse`.
    """
    source = Path(path)
    text = specfile.read_text(source, what="model spec")
    return parse(text, id=_slug(source.stem) or "spec", where=f"The model spec {source}", longest=longest)


def parse(text: str, *, id: str = "spec", where: str = "The model spec", longest: int = LONGEST) -> ModelSpec:
    """Cut a spec into sections: one per heading, in parts at paragraph bounds where it is too long; plain text by paragraphs.

    A heading without text of its own, and front matter, stand at the head of the section after them. Nothing is left out, moved
    or changed, but for line ends, which become line feeds.

    Args:
        text: The spec.
        id: What to call it.
        where: What errors call it.
        longest: Characters of a section.

    Raises:
        UserError: if the text is blank, holds nothing but headings, or is not text.
    """
    if longest < 1:
        raise UserError(f"A section needs at least 1 character; got longest={longest}.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise UserError(f"{where} holds zero bytes, so it is not text. Save it as Markdown or plain text in UTF-8.")
    if not text.strip():
        raise UserError(f"{where} is empty. A spec is prose, under Markdown headings or without any; see {DOCS}.")
    sections = list(_sections(text))
    if not sections:
        raise UserError(f"{where} holds headings but no text under them, so there is nothing to write about; see {DOCS}.")
    return ModelSpec(id=id, text=text, sections=tuple(part for section in sections for part in _parts(section, longest)))


def _sections(text: str) -> Iterator[Section]:
    """Sections of any length, with ids that are all different; none if there is no text under any heading."""
    taken: Counter[str] = Counter()
    spans = list(_spans(text))
    for i, (start, titles, anchors) in enumerate(spans):
        end = spans[i + 1][0] if i + 1 < len(spans) else len(text)
        id = _unique("/".join(anchors) or "text", taken)
        yield Section(id=id, titles=titles, text=text[start:end], start=start, end=end)


def _unique(id: str, taken: Counter[str]) -> str:
    """The id, numbered from its second use on; numbers that other headings already carry are passed over."""
    name = id
    while name in taken:
        taken[id] += 1
        name = f"{id}-{taken[id]}"
    taken[name] += 1
    return name


def _spans(text: str) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """(start, titles, anchors) of every stretch with text of its own; each ends where the next one starts."""
    headings = markdown.headings(text)
    start = 0  # of headings that wait for text
    if text[markdown.front_matter(text) : headings[0].start if headings else len(text)].strip():
        yield 0, (), ()
        start = headings[0].start if headings else 0
    above: list[markdown.Heading] = []
    for i, heading in enumerate(headings):
        above = [*(h for h in above if h.level < heading.level), heading]
        end = headings[i + 1].start if i + 1 < len(headings) else len(text)
        if text[heading.body : end].strip():
            yield start, tuple(h.title for h in above if h.title), tuple(h.anchor or _slug(h.title) or "section" for h in above)
            start = end


def _parts(section: Section, longest: int) -> Iterator[Section]:
    if len(section.text) <= longest:
        yield section
        return
    start = section.start
    for number, text in enumerate(markdown.cut(section.text, longest), start=1):
        part = {"id": f"{section.id}#{number}", "text": text, "start": start, "end": start + len(text)}
        yield section.model_copy(update=part)
        start += len(text)


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")[:60].rstrip("-")
