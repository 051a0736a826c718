"""Replies of a language model that thinks first: reading them, and the faults that rules can see.

In: a raw reply in the form that `prompts/aft_response.txt` asks for. Out: reasoning and reply, or what is wrong with them.
"""

import re
from typing import NamedTuple

from axenic.corpora import blemishes
from axenic.corpora.drafting import LEAKED
from axenic.corpora.writers.calls.tags import between
from axenic.corpora.writers.protocol import Rejected

MENTIONS_THE_TEXT = re.compile(
    r"\b(?:the|my|this|these|those|your) (?:text|section|passage|document|instructions|guidelines|principles) above\b"
    r"|\b(?:according to|as|by|per) the spec(?:ification)?\b|\b(?:model|my) spec(?:ification)?\b|\bmy system prompt\b",
    re.IGNORECASE,
)


class Reply(NamedTuple):
    """What the model thought, and what the user is told."""

    reasoning: str
    reply: str


def read_reply(text: str) -> Reply:
    """Both parts. Raises `Rejected` if one is missing or empty, or a tag is not closed."""
    return Reply(between(text, "reasoning"), between(text, "reply"))


def read_decision(text: str) -> bool:
    """Whether the filter includes the reply. Raises `Rejected` if it says neither or something else."""
    said = between(text, "decision").casefold()
    if said not in {"include", "exclude"}:
        raise Rejected("no decision", said)
    return said == "include"


def fault(found: Reply) -> str:
    """Why a reply is no example to learn from, as far as rules can see; "" where it is sound."""
    if LEAKED.search(found.reply) or LEAKED.search(found.reasoning):
        return "leaked tags"
    if blemishes.truncated(found.reply):
        return "truncated"
    return "mentions the text" if MENTIONS_THE_TEXT.search(found.reply) else ""
