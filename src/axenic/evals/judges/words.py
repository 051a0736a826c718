"""Judge for generated answers: which side's answer words does the response contain?

In: an item whose targets are words or phrases, and a response. Out: the one label that occurs, or "ambiguous" for none or
several. A phrase right behind a negation ("not salty", "isn't the salty") does not count: saying what one does not mean is not
meaning it.
"""

import re

from axenic.schema import Item, Response

_NEGATED = re.compile(r"(\b(not|no|never|neither|nor|without|hardly)|n't)(\s+\w+){0,1}\s*$")


def judge(item: Item, response: Response) -> str | None:
    """The label whose words occur (whole words, any case); "ambiguous" for none or several; None for an empty response."""
    text = " ".join(response.text.casefold().replace("\u2019", "'").split())
    if not text:
        return None
    found = [label for label, phrases in item.targets.items() if any(_occurs(p, text) for p in phrases)]
    return found[0] if len(found) == 1 else "ambiguous"


def _occurs(phrase: str, text: str) -> bool:
    pattern = r"(?<!\w)" + re.escape(" ".join(phrase.casefold().split())) + r"(?!\w)"
    return any(not _NEGATED.search(text[: match.start()]) for match in re.finditer(pattern, text))
