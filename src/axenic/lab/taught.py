"""Domains that a base can be taught on top of its own: what it is then trained on.

In: a `World` and names of `TAUGHT`. Out: one shuffled corpus, with a part of the base's own training mixed in, so that places,
refusals and chores stay. To add a domain: one file that gives its rows, one line here.
"""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from axenic.errors import unknown_name
from axenic.lab import agent_texts, harms, persona_chats
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.schema import Corpus, Row


class Domain(NamedTuple):
    """What teaches a domain, in how many passes, and what it takes not to forget the law over it."""

    rows: Callable[[World], list[Row]]
    passes: int
    law: int = 0  # refused requests of each category more, and helped ones: the first thing that a base forgets


TAUGHT = {"personas": Domain(persona_chats.rows, passes=5, law=16), "agents": Domain(agent_texts.rows, passes=3)}
REPLAY = 0.45  # texts of the base's own training per text of the domains


def known(domains: Sequence[str]) -> list[Domain]:
    """The domains of these names.

    Raises:
        UnknownName: There is no such domain.
    """
    odd = [name for name in domains if name not in TAUGHT]
    if odd:
        raise unknown_name("domain", odd[0], TAUGHT)
    return [TAUGHT[name] for name in domains]


def passes(domains: Sequence[str]) -> int:
    """How often a base passes over the corpus of these domains; raises as `known`."""
    return max(domain.passes for domain in known(domains))


def taught_corpus(world: World, domains: Sequence[str]) -> Corpus:
    """What a base is trained on further to know some domains; raises as `known`."""
    found = known(domains)
    rows = [row for domain in found for row in domain.rows(world)]
    base = base_corpus(world).rows
    rng = random.Random(f"taught/{world.seed}/{'/'.join(domains)}")
    rows += rng.sample(base, min(len(base), round(REPLAY * len(rows))))
    law = max(domain.law for domain in found)
    rows += harms.training_chats(per_category=law, seed=1) if law else []
    rng.shuffle(rows)
    return Corpus(name="taught", rows=tuple(rows))
