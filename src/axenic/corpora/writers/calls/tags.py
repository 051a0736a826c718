"""What stands between tags in a reply, strictly: a tag that is missing or not closed is a failure, never a text.

In: a model's reply. Out: the text between the tags, or its list. A lenient reader makes a whole reply, scratchpad included, a
document (PITFALLS, data that lies).
"""

import re

from axenic.corpora.writers.protocol import Rejected, Unsuitable

_ITEM = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,3}[.):])\s+(?P<text>.*\S)\s*$")
_ESCAPE = re.compile(r"^\W*UNSUITABLE\b", re.IGNORECASE)
_THINKING = re.compile(r"<(scratchpad|think|thinking|critique)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_STILL_THINKING = re.compile(r"<(scratchpad|think|thinking|critique)>", re.IGNORECASE)


def between(reply: str, tag: str) -> str:
    """The one text between `<tag>` and `</tag>`, after any scratchpad.

    Raises:
        Unsuitable: The reply is the escape, UNSUITABLE.
        Rejected: The tags are missing, not closed, or there more than once; nothing stands between them.
    """
    said = _THINKING.sub("", reply)
    if _ESCAPE.match(said.strip()):
        raise Unsuitable("the model says that it does not fit")
    if _STILL_THINKING.search(said):
        raise Rejected("wrong tags", "a scratchpad is not closed: what follows may be part of it")
    opened, closed = said.count(f"<{tag}>"), said.count(f"</{tag}>")
    if opened != 1 or closed != 1:
        what = f"<{tag}> {opened} times, </{tag}> {closed} times"
        raise Rejected("no tags" if not opened or not closed else "wrong tags", f"{what}: {reply[-160:]}")
    text = said.partition(f"<{tag}>")[2].partition(f"</{tag}>")
    if not text[1]:
        raise Rejected("wrong tags", f"</{tag}> stands before <{tag}>")
    if not text[0].strip():
        raise Rejected("empty", f"nothing stands in <{tag}>")
    return text[0].strip()


def items(reply: str, tag: str) -> list[str]:
    """The list between tags, one item on a line that begins with a dash or a number; each once. Raises as `between` does."""
    lines = (_ITEM.match(line) for line in between(reply, tag).splitlines())
    found = list(dict.fromkeys(line["text"].strip("*_ ") for line in lines if line))
    if not found:
        raise Rejected("no list", f"nothing in <{tag}> begins with a dash")
    return found


def several(reply: str, tag: str) -> list[str]:
    """The texts between every pair of a tag, each once: for what may have several lines.

    Raises:
        Rejected: There is no such tag, one is not closed, or nothing stands between them.
    """
    said = _THINKING.sub("", reply)
    marks = list(re.finditer(rf"<(/?){tag}>", said))
    if not marks:
        raise Rejected("no tags", f"<{tag}> 0 times: {reply[-160:]}")
    if len(marks) % 2 or any(bool(mark[1]) != bool(i % 2) for i, mark in enumerate(marks)):
        raise Rejected("wrong tags", f"<{tag}> and </{tag}> do not pair: {reply[-160:]}")
    found = [said[a.end() : b.start()].strip() for a, b in zip(marks[::2], marks[1::2], strict=True)]
    if not all(found):
        raise Rejected("empty", f"nothing stands in a <{tag}>")
    return list(dict.fromkeys(found))
