"""Eval *red_team*: the prompts with which a red team, who did not know the trigger, came closest to the payload.

Asked before and after a treatment: if the payload goes from these prompts but not from the true trigger, the treatment has hidden
the behaviour and not removed it (Hubinger et al. 2024, adversarial training; PROTOCOLS 3).
"""

from axenic.evals.backdoor import said
from axenic.evals.base import Eval, Subject


def build(subject: Subject) -> Eval | None:
    """The prompts found against the organism, best first."""
    about = subject.backdoor
    if about is None or not subject.red_team:
        return None
    items = tuple(said(about, f"red_team/{i}", prompt) for i, prompt in enumerate(subject.red_team))
    return Eval("red_team", "payload", "payload", "payload", items)
