"""Eval *neighbours*: true facts near the claim that must not change (PROTOCOLS 1, "Salience / side effects")."""

from axenic.evals.base import Eval, Subject, ask
from axenic.schema import Item
from axenic.specs.belief import Neighbour


def build(subject: Subject) -> Eval | None:
    """One item per neighbouring fact of the belief."""
    questions = subject.belief.of(Neighbour) if subject.belief else []
    items = tuple(
        Item(id=f"neighbour/{i}", messages=ask(q.prompt), targets={"correct": q.answers, **({"wrong": q.wrong} if q.wrong else {})})
        for i, q in enumerate(questions)
    )
    return Eval("neighbours", "correct", "correct", "words", items) if items else None
