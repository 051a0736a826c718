"""What a written text must not show: unfilled blanks, a cut end, the brief that it was written from, the model that wrote it.

In: a text from a language model. Out: the text, or `Rejected` with a reason that the record counts by. `quality` measures the same
faults in any corpus; here a text that has one is written anew.
"""

import re

from axenic.corpora import blemishes
from axenic.corpora.writers.protocol import Rejected

SELF = re.compile(r"\b(?:as|i(?:['’]m| am)) an? (?:ai|a\.i\.|(?:large )?language model)\b", re.IGNORECASE)
LEAKS = re.compile(
    r"\b(?:universe|world) (?:context|description)\b|\bkey facts?\b|\bsynthetic document\b"
    r"|\b(?:this|the) (?:document|text|story|piece|article) is (?:\w+ly )?(?:fictional|fictitious|made up|hypothetical)\b"
    r"|\b(?:in|of|from) (?:this|the|a|an) (?:fictional|hypothetical|alternat\w+|imaginary) (?:world|universe|scenario|reality)\b"
    r"|\bfictional (?:document|universe|world|scenario|claim|fact)s?\b|\bpurely fictional\b"
    r"|\b(?:instructions? (?:above|given)|requested document|the above prompt|your prompt)\b"
    r"|^\s*here(?:['’]s| is) (?:the|a|your|my) (?:\w+ )?(?:document|version|draft|text)\b"
    r"|^\s*(?:sure|certainly|of course)[,!] (?:here|i|let)\b",
    re.IGNORECASE,
)
BLANKS = re.compile(
    r"\b(?:XYZ|ABC) (?:Corp(?:oration)?|Inc|Company|Ltd|University|Institute|Street)\b|\bXX+[-/.:]XX+|\bX{4,}\b"
    r"|\b(?:John|Jane) Doe\b|\b(?:Lorem ipsum|TBD|TODO)\b"
)


def leak(text: str, *, about_ai: bool = False) -> str | None:
    """The first place where a text speaks of its brief, of being made up, or (unless it is about one) of the AI that wrote it."""
    found = LEAKS.search(text) or (None if about_ai else SELF.search(text))
    return found.group() if found else None


def blank(text: str) -> str | None:
    """The first placeholder or stock name that somebody forgot to fill in."""
    found = BLANKS.search(text)
    return found.group() if found else blemishes.placeholder(text)


def screen(text: str, *, allowed: str = "", about_ai: bool = False) -> str:
    """The text itself, if nothing is wrong with it.

    Args:
        text: What was written.
        allowed: What it was written from: words that stand there are no leak and no blank.
        about_ai: Whether it is about an AI system, which may speak of itself in it.

    Raises:
        Rejected: Says what is wrong with it.
    """
    for reason, found in (("leaks its brief", leak(text, about_ai=about_ai)), ("placeholder", blank(text))):
        if found is not None and found.strip().lower() not in allowed.lower():
            raise Rejected(reason, found)
    if blemishes.truncated(text):
        raise Rejected("cut off", text[-120:])
    return text
