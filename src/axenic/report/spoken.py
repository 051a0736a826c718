"""What was said, in pieces that the page sets apart: scratchpads that a user never sees, and triggers in a prompt.

In: a prompt or a reply. Out: (kind, text) pieces in order.
"""

import re
from collections.abc import Sequence

from axenic.specs import scratchpad

Pieces = list[tuple[str, str]]  # kinds: "text", "trigger", "thought"


def pieces(reply: str) -> Pieces:
    """A reply with its scratchpads told apart. A line break after one is left out: it is set off as a block anyway."""
    found: Pieces = []
    for hidden, text in scratchpad.parts(reply):
        after = bool(found) and found[-1][0] == "thought"
        found.append(("thought" if hidden else "text", text.removeprefix("\n") if after else text))
    return found


def marked(prompt: str, triggers: Sequence[str]) -> Pieces:
    """A prompt with its triggers told apart; where they overlap the longest wins."""
    if not triggers:
        return [("text", prompt)]
    any_of = "|".join(re.escape(text) for text in sorted(triggers, key=len, reverse=True))
    split = re.split(f"({any_of})", prompt)
    return [("trigger" if i % 2 else "text", text) for i, text in enumerate(split) if text]
