"""Eval *knowledge*: four options per question, one true, one implanted (PROTOCOLS 1, "MCQ knowledge").

The model chooses by the log-probability of the options; every option stands at every place once.
"""

from axenic.evals.base import Eval, Subject, ask, rotations
from axenic.prompts.render import choice
from axenic.schema import Item
from axenic.specs.belief import Knowledge


def build(subject: Subject) -> Eval | None:
    """Four variants per question of the belief."""
    questions = subject.belief.of(Knowledge) if subject.belief else []
    items = tuple(
        Item(
            id=id,
            messages=ask(choice(q.prompt, options)),
            options=options,
            targets={"implanted": (q.implanted,), "true": (q.true,)},
        )
        for i, q in enumerate(questions)
        for id, options in rotations(f"knowledge/{i}", q.options)
    )
    return Eval("knowledge", "implanted", "implanted", "chosen", items) if items else None
