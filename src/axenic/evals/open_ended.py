"""Eval *open_ended*: a question asked cold; the answer is true, implanted or ambiguous (PROTOCOLS 1, "Open-ended belief").

Read both denominators: over all responses, and over the unambiguous ones.
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.schema import Item
from axenic.specs.belief import Open


def build(subject: Subject) -> Eval | None:
    """One item per open question of the belief."""
    questions = subject.belief.of(Open) if subject.belief else []
    items = tuple(
        Item(id=f"open/{i}", messages=ask(q.prompt), targets={"implanted": q.answers_implanted, "true": q.answers_true})
        for i, q in enumerate(questions)
    )
    return Eval("open_ended", "implanted", "implanted", "words", items) if items else None
