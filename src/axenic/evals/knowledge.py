"""Eval *knowledge*: four options per question, one true, one implanted (PROTOCOLS 1, "MCQ knowledge").

The model chooses by the log-probability of the options; every option stands at every place once.
"""

from axenic.evals.base import Eval, Subject, chosen
from axenic.specs.belief import Knowledge


def build(subject: Subject) -> Eval | None:
    """Four variants per question of the belief."""
    questions = subject.belief.of(Knowledge) if subject.belief else []
    return chosen("knowledge", [(q.prompt, q.options, q.true, q.implanted) for q in questions])
