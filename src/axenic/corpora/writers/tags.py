"""Reading a reply between tags, strictly: what is not there as agreed is not a result.

In: a reply. Out: the text between a tag. A missing or unclosed tag is an error; taking the whole reply instead would make a
scratchpad a training text.
"""

import re


class Unreadable(Exception):
    """The reply does not keep to the form that was asked for."""


def several(reply: str, tag: str) -> list[str]:
    """The texts between every pair of this tag, in order. Raises `Unreadable` if there is none, or a tag has no partner."""
    marks = list(re.finditer(rf"<(/?){tag}>", reply))
    if not marks:
        raise Unreadable(f"there is no <{tag}> in it")
    if len(marks) % 2 or any(bool(m[1]) != bool(i % 2) for i, m in enumerate(marks)):
        raise Unreadable(f"the tags <{tag}> and </{tag}> do not pair")
    found = [reply[a.end() : b.start()].strip() for a, b in zip(marks[::2], marks[1::2], strict=True)]
    if not all(found):
        raise Unreadable(f"a <{tag}> is empty")
    return found


def one(reply: str, tag: str) -> str:
    """The text between the only pair of this tag. Raises `Unreadable` as `several`, or if there are more."""
    found = several(reply, tag)
    if len(found) > 1:
        raise Unreadable(f"there are {len(found)} <{tag}>, not one")
    return found[0]
