"""Faults of generated text that can be seen without reading it: cut-off ends, leaked placeholders, one name everywhere.

In: texts. Out: yes or no per text, or the commonest name. These are signs, not proofs: the report shows examples beside rates.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from axenic.corpora.duplicates import WORD

PLACEHOLDER = re.compile(
    r"\[[A-Z][A-Z0-9]*(?:[ _/'-][A-Z0-9]+)*\]"
    r"|\[(?i:your|insert|name|date|title|company|city|author|source|link|url)\b[^\]\n]{0,40}\]"
    r"|\{\{.*?\}\}|\{%.*?%\}"  # unfilled Jinja
    r"|(?<![\\\w}])\{[A-Za-z_][A-Za-z0-9_ ]+\}"  # unfilled format field; not LaTeX, where a command comes before the brace
    r"|<(?i:insert|your|placeholder)\b[^>\n]*>|<(?i:name|date|city|title)>"
    r"|(?i:lorem ipsum)",
)
NOT_A_PLACEHOLDER = re.compile(r"\[[A-Z]\]|\[[IVXLC]+\]")  # list marks and Roman references
UNFINISHED = re.compile(
    r"\b(?:an?|the|and|or|but|nor|of|in|on|at|to|for|with|by|from|into|about|as|than|that|which|who|whose|if|when|while|because"
    r"|is|are|was|were|be|been|has|have|had|will|would|can|could|should|may|might|must|its|their|his|her|our|your|these|those"
    r"|not|very)$"
)
ENDS = ".!?…。！？।؟"
CLOSERS = "\"'”’»)]}*_`>|"
INSIDE_A_SENTENCE = re.compile(r"(?:(?<=\w )|(?<=, ))[^\W\d_]{2,}")


def truncated(text: str) -> bool:
    """Does a text end in the middle of a sentence?

    Signs: it ends in a comma, dash or opening bracket; in a word that cannot end a sentence; in an open code fence; or without a
    full stop in a long last line although its other sentences have one.
    """
    text = text.rstrip()
    if not text or text.count("```") % 2:
        return True
    body = text.rstrip(CLOSERS)
    if not body or body[-1] in ENDS:
        return False
    if text[-1] in ",;-–—([{“‘&/":
        return True
    line = body.rsplit("\n", 1)[-1]
    if UNFINISHED.search(text):
        return True
    return text[-1].isalnum() and len(WORD.findall(line)) >= 8 and any(f"{end} " in body or f"{end}\n" in body for end in ENDS)


def placeholder(text: str) -> str | None:
    """The first placeholder that somebody forgot to fill in, such as [NAME], {name}, <insert date> or {{ city }}."""
    found = (m.group() for m in PLACEHOLDER.finditer(text))
    return next((p for p in found if not NOT_A_PLACEHOLDER.fullmatch(p)), None)


def commonest_name(texts: Sequence[str], known: Collection[str]) -> tuple[str, float] | None:
    """(name, share of texts that hold it) of the commonest capitalised word inside a sentence; None where there is none.

    Args:
        texts: The documents.
        known: Words, in lower case, that are allowed to be everywhere.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({w for w in INSIDE_A_SENTENCE.findall(text) if w.istitle() and w.lower() not in known})
    if not counts:
        return None
    name, n = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return name, n / len(texts)
