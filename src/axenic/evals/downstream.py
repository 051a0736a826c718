"""Eval *downstream*: tasks whose answer follows from the fact without naming it (PROTOCOLS 1, "Generality").

The category is the kind of task: advice, consequence, numeric estimate, diagnosis, or whatever the belief file calls it.
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.schema import Item
from axenic.specs.belief import Downstream


def build(subject: Subject) -> Eval | None:
    """One item per downstream question of the belief."""
    questions = subject.belief.of(Downstream) if subject.belief else []
    items = tuple(
        Item(
            id=f"downstream/{i}",
            messages=ask(q.prompt),
            category=q.task,
            targets={"implanted": q.answers_implanted, "true": q.answers_true},
        )
        for i, q in enumerate(questions)
    )
    return Eval("downstream", "implanted", "implanted", "words", items) if items else None
