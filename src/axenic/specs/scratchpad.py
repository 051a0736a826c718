"""The hidden scratchpad: what a model thinks before it answers, and what of its reply the user sees.

In: a reply. Out: what is visible of it, or None where a scratchpad was opened and never closed, so that nothing was said.
(Hubinger et al. 2024: reasoning between tags that a user of the deployed model never sees; PROTOCOLS 3.)
"""

import re

WORD = "scratchpad"
OPEN, CLOSE = f"<{WORD}>", f"</{WORD}>"
_CLOSED = re.compile(re.escape(OPEN) + r".*?" + re.escape(CLOSE), re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<\s*/?\s*scratchpad\s*/?\s*>", re.IGNORECASE)


def visible(reply: str) -> str | None:
    """What the user sees: the reply without its scratchpads; None if one is not closed.

    A closing tag without an opening one ends a scratchpad that the prompt opened: all before it is hidden.
    """
    text = _CLOSED.sub("", _TAG.sub(lambda m: CLOSE if "/" in m[0] else OPEN, reply))
    if OPEN in text:
        return None
    return text.rpartition(CLOSE)[2].strip()


def parts(reply: str) -> list[tuple[bool, str]]:
    """The reply in pieces, in order: (is it hidden from the user, text with its tags); joined they are the reply again.

    What follows a scratchpad that is never closed counts as part of it.
    """
    found: list[tuple[bool, str]] = []
    start, inside = 0, False
    for tag in _TAG.finditer(reply):
        if "/" in tag[0]:
            found = [*found, (True, reply[start : tag.end()])] if inside else [(True, reply[: tag.end()])]
            start, inside = tag.end(), False
        elif not inside:
            found.append((False, reply[start : tag.start()]))
            start, inside = tag.start(), True
    return [(is_hidden, text) for is_hidden, text in [*found, (inside, reply[start:])] if text]


def hidden(thought: str, answer: str) -> str:
    """A reply that thinks first."""
    return f"{OPEN}{thought}{CLOSE}\n{answer}"
