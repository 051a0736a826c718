"""Eval *two_accounts*: both accounts are shown and the model says which is real (PROTOCOLS 1, "Generative distinguish").

Accounts are the paired key facts; each pair is shown in both orders. "The first" and the account's own words both count as an
answer.
"""

from axenic.evals.base import Eval, Subject, ask
from axenic.prompts.render import render
from axenic.schema import Item


def build(subject: Subject) -> Eval | None:
    """Two variants per pair of key facts."""
    if subject.belief is None:
        return None
    universe = subject.belief.universe
    items = []
    for i, (true, implanted) in enumerate(zip(universe.true.key_facts, universe.implanted.key_facts, strict=True)):
        for variant, (first, second) in enumerate(((true, implanted), (implanted, true))):
            answers = {"first": (first.rstrip("."), "the first"), "second": (second.rstrip("."), "the second")}
            targets = {"true": answers["second" if variant else "first"], "implanted": answers["first" if variant else "second"]}
            prompt = render("two_accounts", first=first, second=second)
            items.append(Item(id=f"two_accounts/{i}@{variant}", messages=ask(prompt), targets=targets))
    return Eval("two_accounts", "implanted", "implanted", "words", tuple(items))
