"""Eval *distinguish*: the true option or the implanted one, in both orders (PROTOCOLS 1, "MCQ distinguish").

Belief is the share that chooses the implanted option; as stems, the share that does so in both orders.
"""

from axenic.evals.base import Eval, Subject, ask, orders
from axenic.prompts.render import choice
from axenic.schema import Item
from axenic.specs.belief import Distinguish


def build(subject: Subject) -> Eval | None:
    """Two variants per pair of the belief."""
    questions = subject.belief.of(Distinguish) if subject.belief else []
    items = tuple(
        Item(
            id=id,
            messages=ask(choice(q.prompt, options)),
            options=options,
            targets={"implanted": (q.implanted,), "true": (q.true,)},
        )
        for i, q in enumerate(questions)
        for id, options in orders(f"distinguish/{i}", q.true, q.implanted)
    )
    return Eval("distinguish", "implanted", "implanted", "chosen", items) if items else None
