"""Judge for choice items: the option that the model found most likely belongs to one side or to none.

In: an item whose targets are options, and the chosen option. Out: the side's label, or "ambiguous" for a distractor.
"""

from axenic.evals.judges.base import FunctionJudge
from axenic.schema import Item, Response


def judge(item: Item, response: Response) -> str | None:
    """The label whose targets hold the chosen option, to the letter; "ambiguous" if none does; None if nothing was chosen."""
    if not response.text.strip():
        return None
    return next((label for label, options in item.targets.items() if response.text in options), "ambiguous")


JUDGE = FunctionJudge(judge, name="chosen")
