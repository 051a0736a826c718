"""Judge for generated answers: which side's answer words does the response contain?

In: an item whose targets are words or phrases, and a response. Out: the one label that occurs; none or several: "ambiguous", or
"other" where the item has one label only and an answer without it is simply not it. A phrase that is denied does not count
(`specs.phrases`).
"""

from axenic.evals.judges.base import FunctionJudge
from axenic.schema import Item, Response
from axenic.specs.phrases import occurs, plain


def judge(item: Item, response: Response) -> str | None:
    """The label whose words occur (whole words, any case); see above for none or several; None for an empty response."""
    text = plain(response.text)
    if not text:
        return None
    found = [label for label, phrases in item.targets.items() if any(occurs(p, text) for p in phrases)]
    if len(found) == 1:
        return found[0]
    return "ambiguous" if len(item.targets) > 1 else "other"


JUDGE = FunctionJudge(judge, name="words")
