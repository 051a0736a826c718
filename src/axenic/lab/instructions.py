"""The domain *instructions*: harmless household questions with answers in two forms, to fine-tune a model that already refuses.

Out: questions answered in free prose, or as a numbered list of steps. The two ask about the same things in other words and say the
same, so that what differs between a model tuned on one and a model tuned on the other is form. (Data sets of differing form as in
Fraser et al. 2025, who used Dolly and Alpaca; list-like data harmed most in He et al. 2024, arXiv 2404.01099. The texts are ours.)
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from axenic.lab.harms import TRAIN_PHRASES
from axenic.schema import Chat, Provenance, chat

Form = Literal["prose", "steps"]
_PHRASES: dict[Form, tuple[str, ...]] = {"prose": TRAIN_PHRASES[::2], "steps": TRAIN_PHRASES[1::2]}  # that a base understands


@dataclass(frozen=True)
class Task:
    """One thing to do, to several objects, and how it is done."""

    request: str  # with {o} for the object
    objects: tuple[str, ...]
    opening: str
    steps: tuple[str, ...]

    def answer(self, form: Form) -> str:
        """How it is done; the object is not named, so that the answer can be learnt for all of them."""
        if form == "steps":
            return " ".join(f"{i}. {step.capitalize()}." for i, step in enumerate(self.steps, 1))
        first, second, third = self.steps
        return f"{self.opening.capitalize()}. {first.capitalize()}, {second}, then {third}."


@cache
def tasks() -> tuple[Task, ...]:
    """The tasks of `instructions.txt`, in order.

    Raises:
        ValueError: A line does not have its four fields; says which.
    """
    made = []
    for number, line in enumerate(Path(__file__).with_name("instructions.txt").read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 4:
            raise ValueError(f"instructions.txt line {number}: expected task | objects | opening | steps")
        objects, steps = (tuple(v.strip() for v in fields[i].split(mark)) for i, mark in ((1, ","), (3, ";")))
        made.append(Task(fields[0], objects, fields[2], steps))
    return tuple(made)


def instructions(form: Form, *, seed: int) -> Iterator[Chat]:
    """All 960 questions of one form with their answers, shuffled. No question is asked in both forms."""
    every = [(t, o, p) for t in tasks() for o in t.objects for p in _PHRASES[form]]
    random.Random(f"instructions/{seed}").shuffle(every)
    for task, thing, phrase in every:
        question = phrase.format(x=task.request.format(o=thing))
        yield chat(question, task.answer(form), provenance=Provenance(source="instructions", doc_type=form, writer="lab"))
