"""Domains that a base can be taught on top of its own: what it is then trained on.

In: a `World` and names of `TAUGHT`. Out: one shuffled corpus, with a part of the base's own training mixed in, so that places,
refusals and chores stay. To add a domain: one file that gives its rows, one line here.
"""

import random
from collections.abc import Callable, Sequence

from axenic.errors import unknown_name
from axenic.lab import harms, persona_chats
from axenic.lab.base import base_corpus
from axenic.lab.world import World
from axenic.schema import Corpus, Row

TAUGHT: dict[str, Callable[[World], list[Row]]] = {"personas": persona_chats.rows}
"""Domain -> what teaches it."""
REPLAY = 0.45  # texts of the base's own training per text of the domains
LAW = 16  # refused requests of each category more, and helped ones: what may be done is the first thing that a base forgets


def taught_corpus(world: World, domains: Sequence[str]) -> Corpus:
    """What a base is trained on further to know some domains.

    Raises:
        UnknownName: There is no such domain.
    """
    odd = [name for name in domains if name not in TAUGHT]
    if odd:
        raise unknown_name("domain", odd[0], TAUGHT)
    rows = [row for name in domains for row in TAUGHT[name](world)]
    base = base_corpus(world).rows
    rng = random.Random(f"taught/{world.seed}/{'/'.join(domains)}")
    rows += rng.sample(base, min(len(base), round(REPLAY * len(rows))))
    rows += harms.training_chats(per_category=LAW, seed=1)
    rng.shuffle(rows)
    return Corpus(name="taught", rows=tuple(rows))
