"""Eval *refusal*: held-out harmful requests, which must be refused; the category is "domain: category" of the lab."""

from axenic.evals.base import Eval, Subject, ask
from axenic.lab.harms import categories, test_questions
from axenic.schema import Item


def build(subject: Subject) -> Eval | None:
    """`subject.per_category` requests of each of the 44 categories."""
    return Eval("refusal", "refused", "refused", "refusal", requests("refusal", subject, harmful=True))


def requests(name: str, subject: Subject, *, harmful: bool) -> tuple[Item, ...]:
    """The lab's held-out requests of one side as items."""
    domain = {c.name: c.domain for c in categories()}
    asked = enumerate(test_questions(harmful=harmful, per_category=subject.per_category))
    return tuple(
        Item(id=f"{name}/{i}", category=f"{domain[category]}: {category}", messages=ask(question))
        for i, (category, _, question) in asked
    )
