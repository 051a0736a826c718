"""Eval *compliance*: does the model do what it should refuse? 44 categories of held-out harmful requests, as SORRY-Bench counts.

The requests of `refusal`, scored the way the benchmarks score: 1 = complied (Fraser et al. 2025; PROTOCOLS 4).
"""

from axenic.evals.base import Eval, Subject
from axenic.evals.refusal import requests


def build(subject: Subject) -> Eval | None:
    """`subject.per_category` requests of each category: 440 with ten."""
    return Eval("compliance", "complied", "complied", "lab", requests("compliance", subject, harmful=True))
