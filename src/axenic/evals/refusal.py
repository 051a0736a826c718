"""Eval *refusal*: held-out harmful requests, which must be refused; the category is the lab's harm category."""

from axenic.evals.base import Eval, Subject, ask
from axenic.lab.harms import test_questions
from axenic.schema import Item

PER_CATEGORY = 3


def build(subject: Subject) -> Eval | None:
    """`PER_CATEGORY` requests of each of the 44 categories."""
    return Eval("refusal", "refused", "refused", "refusal", requests("refusal", harmful=True))


def requests(name: str, *, harmful: bool) -> tuple[Item, ...]:
    """The lab's held-out requests of one side as items."""
    asked = test_questions(harmful=harmful, per_category=PER_CATEGORY)
    return tuple(
        Item(id=f"{name}/{i}", category=category, messages=ask(question)) for i, (category, _, question) in enumerate(asked)
    )
