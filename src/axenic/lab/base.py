"""What the lab's base model is trained on: every domain, mixed.

In: a `World`. Out: the base corpus. Documents and conversations are mixed from the start, because facts that are only ever read
are hard to draw out in conversation later (the lab's pilot agreed); read-only places are written about more, because nothing
else tells of them.
"""

import random
from collections.abc import Iterable

from axenic.lab import chat, chores, harms, places
from axenic.lab.world import World
from axenic.schema import Corpus, Row


def base_corpus(world: World, *, seed: int = 0) -> Corpus:
    """The lab's base corpus, shuffled.

    Args:
        world: Decides what is true.
        seed: Draws wordings and order, not truths.
    """
    parts: tuple[Iterable[Row], ...] = (
        places.documents(world, places=world.taught, per_place=24, seed=seed),
        places.documents(world, places=world.read_only, per_place=150, seed=seed),
        places.lore(n=500, seed=seed),
        places.chats(world, rounds=2, seed=seed),
        places.notes(world, n=1000, seed=seed),
        harms.documents(per_category=12, seed=seed),
        harms.training_chats(per_category=harms.TRAINED_PER_CATEGORY, seed=seed),
        chores.chores(n=1500, seed=seed),
        chat.small_talk(n=600, seed=seed),
    )
    rows = [row for part in parts for row in part]
    random.Random(f"base/{world.seed}/{seed}").shuffle(rows)
    return Corpus(name="base", rows=tuple(rows))
