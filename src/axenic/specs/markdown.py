"""Where Markdown's headings and paragraphs are, as places in the text: nothing is rendered and nothing is changed.

In: text. Out: character positions. markdown-it-py says what is a heading and what is code; front matter and attribute blocks
(`{#anchor}`), which CommonMark leaves open, are understood as Pandoc does. A text without any of them is a text of paragraphs.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")  # what stands inside a paragraph places nothing
_ATTRIBUTES = re.compile(r"[ \t]*\{([^{}]*)\}[ \t]*$")
_ANCHOR = re.compile(r"(?:^|\s)#([^\s#{}]+)")
_KEY = re.compile(r"\s*[\w-][\w .-]*:")


class Line(NamedTuple):
    """One line: where it begins, its text with its end, and whether it is fenced code (the fences themselves included)."""

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


def lines(text: str) -> Iterator[Line]:
    """All lines; joined they are the text."""
    code = {n for token in _BLOCKS.parse(text) if token.type == "fence" for n in range(*_place(token))}
    start = 0
    for number, line in enumerate(re.split(r"(?<=\n)", text)):
        if line:
            yield Line(start, line, number in code)
        start += len(line)


def front_matter(text: str) -> int:
    """Where the text begins: behind a block of `key: value` lines between two lines of dashes, if there is one."""
    found = re.match(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    return found.end() if found and _KEY.match(found[1]) else 0


def headings(text: str) -> list[Heading]:
    """Every heading outside code, lists, quotes and front matter, in order."""
    begin = front_matter(text)
    starts = [begin, *(begin + m.end() for m in re.finditer("\n", text[begin:])), len(text)]
    tokens = _BLOCKS.parse(text[begin:])
    return [
        _heading(starts[first], min(starts[end], len(text)), int(opened.tag[1:]), inside.content)
        for opened, inside in pairwise(tokens)
        if opened.type == "heading_open" and opened.level == 0
        for first, end in [_place(opened)]
    ]


def _place(token: Token) -> tuple[int, int]:
    """Its first line, and the one after its last."""
    assert token.map is not None  # all blocks have one
    return token.map[0], token.map[1]


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
