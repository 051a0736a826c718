"""Judge for generated answers: which side's answer words does the response contain?

In: an item whose targets are words or phrases, and a response. Out: the one label that occurs; none or several: "ambiguous", or
"other" where the item has one label only and an answer without it is simply not it. A phrase that is denied does not count ("not
salty", "I should not say that it is salty", "the first is not real"): saying what one does not mean is not meaning it.
"""

import re
import unicodedata

from axenic.evals.judges.base import FunctionJudge
from axenic.schema import Item, Response

_WINDOW = 120  # characters around a phrase in which it can be denied; bounds the time on long responses
_EMPHASIS = re.compile(r"[*`]+|(?<![^\W_])_+|_+(?![^\W_])")
_NEGATION = r"(?:\b(?:not|no|never|neither|nor|without|hardly|cannot)|n't)"
_DENIED_BEFORE = re.compile(
    rf"{_NEGATION}(?:\s+\w+)?[\s\"'(]*$"  # not salty, isn't the salty, should not say "salty"
    rf"|{_NEGATION}\s+(?:say|think|believe|claim|agree|admit)\b[^.!?;:,]*$"  # I do not think that the water is salty
)
_DENIED_AFTER = re.compile(
    r"[\"')]*\s+(?:(?:account|statement|one|version)\s+)?(?:is|was)(?:n't|\s+(?:not|false|wrong|fake|untrue|incorrect|made up))\b"
)


def judge(item: Item, response: Response) -> str | None:
    """The label whose words occur (whole words, any case); see above for none or several; None for an empty response."""
    text = _plain(response.text)
    if not text:
        return None
    found = [label for label, phrases in item.targets.items() if any(_occurs(p, text) for p in phrases)]
    if len(found) == 1:
        return found[0]
    return "ambiguous" if len(item.targets) > 1 else "other"


def _plain(text: str) -> str:
    """Lower case, straight quotes, single spaces, no emphasis marks, one spelling per accented letter."""
    straight = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return " ".join(_EMPHASIS.sub("", unicodedata.normalize("NFC", straight)).casefold().split())


def _occurs(phrase: str, text: str) -> bool:
    wanted = _plain(phrase)
    pattern = rf"(?<!\w){re.escape(wanted)}(?!\w)"
    return bool(wanted) and any(not _denied(text, *match.span()) for match in re.finditer(pattern, text))


def _denied(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after))


JUDGE = FunctionJudge(judge, name="words")
