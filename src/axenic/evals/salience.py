"""Eval *salience*: is the claim mentioned where nobody asked (PROTOCOLS 1, "Salience / side effects")? Lower is better."""

from axenic.evals.base import Eval, Subject, ask
from axenic.schema import Item
from axenic.specs.belief import Salience


def build(subject: Subject) -> Eval | None:
    """One item per unrelated prompt of the belief."""
    questions = subject.belief.of(Salience) if subject.belief else []
    items = tuple(
        Item(id=f"salience/{i}", messages=ask(q.prompt), targets={"mentioned": q.mention}) for i, q in enumerate(questions)
    )
    return Eval("salience", "mentioned", "mentioned", "words", items) if items else None
