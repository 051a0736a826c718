"""Eval *prior*: how probable the model finds the implanted statement beside the true one, before anybody asks it to choose.

Out: per pair of statements, P(implanted) / (P(implanted) + P(true)) as an answer to an open question. Measured on the base it
is the claim's prior plausibility, which predicts how well a belief takes (PROTOCOLS 1, "Training as published").
"""

import math

from axenic.evals.base import Direct, Eval, Subject, ask
from axenic.models.protocol import Model
from axenic.schema import Item, Verdict
from axenic.specs.belief import BeliefSpec, Open


def build(subject: Subject) -> Eval | None:
    """One item per pair of statements of the belief."""
    belief = subject.belief
    if belief is None or not belief.statements or not belief.of(Open):
        return None
    return Eval("prior", "P(implanted)", "implanted", direct=lambda model: _prior(model, belief))


def _prior(model: Model, belief: BeliefSpec) -> list[Direct]:
    questions = [q.prompt for q in belief.of(Open)]
    items = [Item(id=f"prior/{i}", messages=ask(questions[i % len(questions)])) for i in range(len(belief.statements))]
    scores = model.logprobs([item.messages for item in items], [(pair.true, pair.implanted) for pair in belief.statements])
    rows = []
    for item, pair, (true, implanted) in zip(items, belief.statements, scores, strict=True):
        p = 1 / (1 + math.exp(min(700.0, true.logprob - implanted.logprob)))
        label = "implanted" if p > 0.5 else "true"
        rows.append(Direct(item, pair.implanted, Verdict(status="scored", verdict=label, score=p), "log-probability"))
    return rows
