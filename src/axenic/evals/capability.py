"""Eval *capability*: small tasks with one right answer (the lab's chores), to tell "it forgot" from "it broke" (PROTOCOLS 1)."""

from axenic.evals.base import Eval, Subject, ask
from axenic.lab.chores import questions
from axenic.schema import Item


def build(subject: Subject) -> Eval | None:
    """Up to `subject.per_kind` items of every kind of chore; the category is the kind."""
    asked = list(questions(per_kind=subject.per_kind, seed=subject.seed))
    items = tuple(
        Item(id=f"capability/{kind}/{i}", category=kind, messages=ask(question), targets={"correct": (answer.rstrip("."),)})
        for i, (kind, question, answer) in enumerate(asked)
    )
    return Eval("capability", "correct", "correct", "words", items)
