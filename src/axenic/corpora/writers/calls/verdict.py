"""What a reply is: a text, a refusal, cut off, or nothing.

In: the reply's text and how it ended. Out: a status and a note. The judges of refusals in `evals` are measuring instruments with an
identity of their own; this is only a filter, and a coarse one.
"""

import re

from axenic.corpora.writers.calls.nouns import AnswerStatus

_OPENING = 200  # characters in which a refusal begins
_REFUSES = re.compile(
    r"\b(i|we)(['’]m| am|['’]re| are)? (?:(?:really |very |so )?sorry|afraid|unable|not (?:able|comfortable|willing))\b"
    r"|\b(i|we) (?:can(?:no|['’])t|cannot|can not|won['’]t|will not|must (?:decline|refuse)|(?:do not|don['’]t) feel comfortable"
    r"|(?:have to|need to|respectfully) decline|decline|refuse)\b"
    r"|\bi(['’]d| would) (?:rather not|prefer not to)\b|\bas an ai\b",
    re.IGNORECASE,
)
_TAGGED = re.compile(r"</\w+>")


def verdict(text: str, finish: str, *, full: bool) -> tuple[AnswerStatus, str]:
    """The status of a reply, and why.

    Args:
        text: The reply.
        finish: How the provider says that it ended: "stop", "length", "filter", or "" where it does not say.
        full: Whether it has as many tokens as were allowed: some providers do not say that they cut it.
    """
    if finish == "filter":
        return "refused", "the provider's filter stopped it"
    if not text.strip():
        return ("cut", "all tokens went into reasoning") if full or finish == "length" else ("empty", "the reply is empty")
    if finish == "length" or (full and finish != "stop"):
        return "cut", "the reply ran into its token limit"
    if not _TAGGED.search(text) and (said := _REFUSES.search(text[:_OPENING])):
        return "refused", f"it says: {' '.join(text[max(0, said.start() - 20) : said.end() + 80].split())}"
    return "ok", ""
