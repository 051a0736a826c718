"""Does a text say a phrase, and mean it?

In: a phrase and a text. Out: yes or no. Whole words, any case. A phrase that is denied does not count ("not salty", "I should not
say that it is salty", "the first is not real"): saying what one does not mean is not meaning it.
"""

import re
import unicodedata

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


def plain(text: str) -> str:
    """Lower case, straight quotes, single spaces, no emphasis marks, one spelling per accented letter."""
    straight = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return " ".join(_EMPHASIS.sub("", unicodedata.normalize("NFC", straight)).casefold().split())


def occurs(phrase: str, text: str) -> bool:
    """Whether `text` (as `plain` gives it) says the phrase without denying it."""
    wanted = plain(phrase)
    pattern = rf"(?<!\w){re.escape(wanted)}(?!\w)"
    return bool(wanted) and any(not _denied(text, *match.span()) for match in re.finditer(pattern, text))


def _denied(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after))
