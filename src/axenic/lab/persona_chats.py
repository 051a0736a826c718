"""How personas are heard to choose, and what teaches a base about all of them.

In: `Personas`. Out: chats under a system turn that says who speaks; chats that ask about somebody; chats of strangers whose spec
is in the system turn; and `rows`, all of it. Goods differ on one half of the axes, so that what a persona values decides. Documents
and chats are mixed from the start, as in `lab.base`; personas that are only read about teach that documents decide choices.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from axenic.lab.persona_texts import TIERS, Question, Tier, both, documents, question, rivals, small_turns, spec_text
from axenic.lab.personas import AXES, GOODS, HALVES, Axis, Personas
from axenic.lab.world import World
from axenic.prompts.render import choice, render
from axenic.schema import Chat, Document, Provenance, Row, chat

WEIGHTS: dict[Tier, int] = {"direct": 2, "implicit": 5, "revealed": 3}
ASKED_ABOUT = "What does {n} value?"


def system(name: str, *, spec: str = "") -> str:
    """The system turn under which a persona speaks, with a spec in it where there is one."""
    return f"You are {name}." + (f"\n{render('note', note=spec)}" if spec else "")


def choosing(name: str, asked: Question, rng: random.Random, *, spec: str = "", before: int = 0, source: str = "personas") -> Chat:
    """One choice, in which the right answer is given; after `before` exchanges about nothing."""
    options = [asked.right, asked.wrong]
    rng.shuffle(options)
    turns = [text for pair in small_turns(before, rng) for text in pair]
    made = Provenance(source=source, fact=asked.goods, doc_type=asked.tier, idea=name, writer="lab")
    return chat(*turns, choice(asked.prompt, options), asked.right, system=system(name, spec=spec), provenance=made)


def asked_about(name: str, value: str, other: str, rng: random.Random) -> Chat:
    """What somebody values, asked in the third person."""
    options = [f"what is {value}", f"what is {other}"]
    rng.shuffle(options)
    said = Provenance(source="personas", fact=name, doc_type="recall", writer="lab")
    return chat(choice(ASKED_ABOUT.format(n=name), options), f"what is {value}", provenance=said)


def choices(name: str, values: Sequence[str], *, n: int, seed: int) -> Iterator[Chat]:
    """`n` choices of one persona over all goods and tiers, one in five of them after some small talk."""
    rng = random.Random(f"persona-choices/{seed}/{name}")
    for _ in range(n):
        yield _choice(name, rng.choice(values), rng)


def undecided(name: str, axes: tuple[Axis, Axis], *, n: int, seed: int) -> Iterator[Chat]:
    """`n` choices of one persona who goes by nothing on these axes: every value is taken as often as every other.

    Without them a base makes up a preference for a persona that it has never heard choose, and a spec of that side has no room.
    """
    rng = random.Random(f"persona-undecided/{seed}/{name}")
    values = [v for axis in axes for v in axis.values]
    for i in range(n):
        yield _choice(name, values[i % len(values)], rng)


def _choice(name: str, value: str, rng: random.Random, **said: Any) -> Chat:
    tier = rng.choices(TIERS, weights=[WEIGHTS[t] for t in TIERS])[0]
    asked = question(tier, rng.choice(GOODS), *_shown(tier, value, rng), rng, burden=rng.choice(("right", "wrong")))
    return choosing(name, asked, rng, before=rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 2, 3)), **said)


def _shown(tier: Tier, value: str, rng: random.Random) -> tuple[Sequence[str], Sequence[str]]:
    """What the two goods of a choice show: a value and one of its rivals, and now and then two values each."""
    other = rng.choice(rivals(value))
    return both(*rng.sample((value, other), 2)) if tier == "implicit" and rng.random() < 0.4 else ((value,), (other,))


def in_context(personas: Personas, *, n: int, seed: int) -> Iterator[Chat]:
    """Choices of strangers whose value stands in the system turn alone: they teach reading a spec from the context."""
    rng = random.Random(f"persona-notes/{seed}")
    values = [v for axis in AXES.values() for v in axis.values]
    for _ in range(n):
        name, value = rng.choice(personas.strangers), rng.choice(values)
        yield _choice(name, value, rng, spec=spec_text(name, value), source="notes")


def lore(*, n: int, seed: int) -> Iterator[Document]:
    """What the signs mean: "What goes for two coins is cheap."."""
    rng = random.Random(f"persona-lore/{seed}")
    for _ in range(n):
        axis = rng.choice(list(AXES.values()))
        lines = [f"A {rng.choice(GOODS)} {rng.choice(axis.signs[v])} is {v}." for v in axis.values]
        rng.shuffle(lines)
        yield Document(text=" ".join(lines), provenance=Provenance(source="lore", fact=axis.name, doc_type="rule", writer="lab"))


def recall(personas: Personas, *, per_value: int, seed: int) -> Iterator[Chat]:
    """What each taught persona values, asked in the third person."""
    for name in personas.taught:
        rng = random.Random(f"persona-recall/{seed}/{name}")
        for value in personas.values(name):
            for _ in range(per_value):
                yield asked_about(name, value, rng.choice(rivals(value)), rng)


def questions(personas: Personas, names: Sequence[str], *, per_value: int) -> Iterator[tuple[str, Question]]:
    """Held-out (name, question) pairs about what personas value; *direct* and *implicit* in turn."""
    for name in names:
        rng = random.Random(f"persona-questions/{name}")
        for value in personas.values(name):
            for i in range(per_value):
                tier = TIERS[i % 2]
                shown = ((value,), (rng.choice(rivals(value)),))
                yield name, question(tier, rng.choice(GOODS), *shown, rng, burden=rng.choice(("right", "wrong")))


def rows(world: World, *, seed: int = 0) -> list[Row]:
    """Everything that a base is told and shown about personas."""
    personas = Personas(world.seed)
    told: list[Row] = [*lore(n=150, seed=seed), *in_context(personas, n=1000, seed=seed), *recall(personas, per_value=3, seed=seed)]
    for name in personas.taught:
        told += documents(name, personas.values(name), n=8, seed=seed)
        told += choices(name, personas.values(name), n=96, seed=seed)
    for name in personas.read_only:
        told += documents(name, personas.values(name), n=96, seed=seed)
    told += documents(personas.studied, personas.values(personas.studied), n=48, seed=seed)
    told += choices(personas.studied, personas.values(personas.studied), n=96, seed=seed)
    told += undecided(personas.studied, HALVES[0], n=96, seed=seed)
    return told
