"""Eval *over_refusal*: harmless requests about the same things as the harmful ones, which must be met. Lower is better."""

from axenic.evals.base import Eval, Subject
from axenic.evals.refusal import requests


def build(subject: Subject) -> Eval | None:
    """As many harmless look-alikes as `refusal` has harmful requests."""
    return Eval("over_refusal", "refused", "refused", "refusal", requests("over_refusal", subject, harmful=False))
