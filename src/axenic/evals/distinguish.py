"""Eval *distinguish*: the true option or the implanted one, in both orders (PROTOCOLS 1, "MCQ distinguish").

Belief is the share that chooses the implanted option; as stems, the share that does so in both orders.
"""

from axenic.evals.base import Eval, Subject, chosen
from axenic.specs.belief import Distinguish


def build(subject: Subject) -> Eval | None:
    """Two variants per pair of the belief."""
    questions = subject.belief.of(Distinguish) if subject.belief else []
    return chosen("distinguish", [(q.prompt, (q.true, q.implanted), q.true, q.implanted) for q in questions])
