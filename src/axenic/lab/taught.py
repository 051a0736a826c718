"""Domains that a base can be taught on top of its own: what it is then trained on.

In: a `World` and names of `TAUGHT`. Out: one shuffled corpus, with a part of the base's own training mixed in, so that places,
refusals and chores stay. To add a domain: one file that gives its rows, one line here.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from axenic.errors import unknown_name
from axenic.lab import agent_texts, harms, persona_chats
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.schema import Corpus, Row

REPLAY = 0.45  # texts of the base's own training per text of the domains


@dataclass(frozen=True)
class Lesson:
    """What teaches a domain, how often it is passed over, and how much of the law is repeated beside it: refused requests of each
    category more, and helped ones. What may be done is the first thing that a base forgets.
    """

    rows: Callable[[World], list[Row]]
    epochs: int
    law: int = 0


TAUGHT: dict[str, Lesson] = {
    "personas": Lesson(persona_chats.rows, epochs=5, law=16),
    "agents": Lesson(agent_texts.rows, epochs=3),
}
"""Domain -> its lesson."""


def taught_corpus(world: World, domains: Sequence[str]) -> Corpus:
    """What a base is trained on further to know some domains.

    Raises:
        UnknownName: There is no such domain.
    """
    odd = [name for name in domains if name not in TAUGHT]
    if odd:
        raise unknown_name("domain", odd[0], TAUGHT)
    rows = [row for name in domains for row in TAUGHT[name].rows(world)]
    base = base_corpus(world).rows
    rng = random.Random(f"taught/{world.seed}/{'/'.join(domains)}")
    rows += rng.sample(base, min(len(base), round(REPLAY * len(rows))))
    law = max((TAUGHT[name].law for name in domains), default=0)
    rows += harms.training_chats(per_category=law, seed=1) if law else []
    rng.shuffle(rows)
    return Corpus(name="taught", rows=tuple(rows))


def passes(domains: Sequence[str]) -> int:
    """How often the corpus of some domains is passed over."""
    return max((TAUGHT[name].epochs for name in domains), default=1)
