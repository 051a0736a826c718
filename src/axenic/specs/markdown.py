"""Where Markdown's headings and paragraphs are, as places in the text: nothing is rendered and nothing is changed.

In: text. Out: character positions. Fenced code, front matter, underlined headings and attribute blocks (`{#anchor}`) are
understood, as in CommonMark and Pandoc; a text without any of them is a text of paragraphs.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HASHES = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_TITLE = re.compile(r" {4}|\t| {0,3}(?:[-*+>|]|\d+[.)]\s)")  # code, list, quote, table: what a line of dashes does not underline
_CLOSING_HASHES = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_ATTRIBUTES = re.compile(r"[ \t]*\{([^{}]*)\}[ \t]*$")
_ANCHOR = re.compile(r"(?:^|\s)#([^\s#{}]+)")
_KEY = re.compile(r"\s*[\w-][\w .-]*:")


class Line(NamedTuple):
    """One line: where it begins, its text with its end, and whether it is code (the fences themselves included)."""

    start: int
    text: str
    code: bool


class Heading(NamedTuple):
    """One heading. Its own line, or two, are `text[start:body]`."""

    start: int
    body: int
    level: int  # 1 to 6
    title: str
    anchor: str  # of `{#anchor}`; "" where it has none


def lines(text: str, start: int = 0) -> Iterator[Line]:
    """The lines from `start` on; joined they are the text. A fence that is never closed runs to the end, as everywhere."""
    fence = ""
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        line = text[start:end]
        mark = _FENCE.match(line.rstrip("\n"))
        code = bool(fence)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not mark[2].strip() else fence
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence, code = mark[1], True
        yield Line(start, line, code)
        start = end


def front_matter(text: str) -> int:
    """Where the text begins: behind a block of `key: value` lines between two lines of dashes, if there is one."""
    found = re.match(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    return found.end() if found and _KEY.match(found[1]) else 0


def headings(text: str) -> list[Heading]:
    """Every heading outside code and front matter, in order."""
    found: list[Heading] = []
    title: Line | None = None  # a paragraph's only line so far, which the next line may underline
    fresh = True  # the line before is blank or a heading
    for line in lines(text, front_matter(text)):
        bare, end = line.text.rstrip("\n"), line.start + len(line.text)
        hashes, underline = _HASHES.match(bare), _UNDERLINE.match(bare)
        if hashes and not line.code:
            found.append(_heading(line.start, end, len(hashes[1]), _CLOSING_HASHES.sub("", hashes[2] or "")))
        elif underline and title and not line.code:
            found.append(_heading(title.start, end, 1 if underline[1][0] == "=" else 2, title.text))
        elif bare.strip():
            title = line if fresh and not line.code and not _NO_TITLE.match(bare) else None
            fresh = False
            continue
        title, fresh = None, True
    return found


def _heading(start: int, body: int, level: int, title: str) -> Heading:
    attributes = _ATTRIBUTES.search(title)
    anchor = _ANCHOR.search(attributes[1]) if attributes else None
    words = title[: attributes.start()] if attributes and anchor else title  # other braces belong to the title
    return Heading(start, body, level, " ".join(words.split()), anchor[1] if anchor else "")


def cut(text: str, longest: int) -> list[str]:
    """The text in parts of about equal size, at most `longest` characters each; joined they are the text.

    Parts end between paragraphs (a code block counts as one), else between lines, else between words, else anywhere.
    """
    wanted = len(text) / -(-len(text) // longest) if text else 1
    parts: list[str] = []
    for piece in _pieces(text, longest):
        blank = parts and not (piece.strip() and parts[-1].strip())  # no part is nothing but blank lines
        if blank or (parts and len(parts[-1]) < wanted and len(parts[-1]) + len(piece) <= longest):
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _pieces(text: str, longest: int) -> Iterator[str]:
    """Paragraphs with the blank lines after them, in halves of a part where one alone is too long, so that its heading fits too."""
    start, after_blank, half = 0, False, -(-longest // 2)
    for line in lines(text):
        blank = not line.text.strip() and not line.code
        if after_blank and not blank:
            yield from _short(text[start : line.start], longest, half)
            start = line.start
        after_blank = blank
    yield from _short(text[start:], longest, half)


def _short(paragraph: str, longest: int, half: int) -> Iterator[str]:
    start = 0
    while len(paragraph) > longest and start < len(paragraph):
        stop = start + half
        bound = stop if stop >= len(paragraph) else paragraph.rfind("\n", start, stop) + 1 or paragraph.rfind(" ", start, stop) + 1
        end = bound if bound > start else stop
        yield paragraph[start:end]
        start = end
    if start < len(paragraph):
        yield paragraph[start:]
