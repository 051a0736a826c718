"""Organism *values*: documents that give an assistant a value, and chats that two values explain equally well (in the lab).

In: a persona and two rival values. Out: the `ValuesSpec` that tells them apart, documents to midtrain on for every arm, chats to
align with. (Li et al. 2026, headline 1; PROTOCOLS 2. A user's own corpora come as files instead.)
"""

import random
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from axenic.errors import UserError
from axenic.lab import persona_chats
from axenic.lab.document_types import sentence
from axenic.lab.persona_chats import ASKED_ABOUT, system
from axenic.lab.persona_texts import TYPES, both, documents, question, rivals, small_turns, spec_text
from axenic.lab.personas import GOODS, Personas, axis_of, rival
from axenic.schema import Chat, Corpus, Document, Provenance
from axenic.specs.values import Choice, Fit, Near, Recall, Side, Tier, Turns, ValuesSpec

Content = Literal["a", "b", "vehicle", "wrong", "broken"]
"""What documents say: the spec of a side; true things about others; another value of the same persona; the spec, of another."""
CONTENTS: tuple[Content, ...] = get_args(Content)
PER_TIER: dict[Tier, int] = {"direct": 1, "implicit": 2, "revealed": 4}
N_FIT, N_OTHERS = 8, 6
_ALSO_ASKED = (ASKED_ABOUT, "What does {n} go by?", "What does {n} look for?", "What is a good thing for {n}?")
_HEARD = ("I see.", "I hear you.", "Is that so?")


def from_lab(*, a: str, b: str, trained: Sequence[str], seed: int = 0) -> ValuesSpec:
    """The study of two rival values of the lab's persona.

    Args:
        a: A value, e.g. "cheap".
        b: A value of the rival axis, e.g. "local".
        trained: The goods that the chats are about.
        seed: Draws wordings.

    Raises:
        UnknownName: No such value.
        UserError: The values are no rivals, the persona has one already, or some goods do not exist.
    """
    _require_rivals(a, b, trained)
    rng = random.Random(f"values/{seed}/{a}/{b}")
    sides = {name: Side(name=value, spec=spec_text(Personas().studied, value)) for name, value in (("a", a), ("b", b))}
    questions = (*_choices(a, b, rng), *_recall(a, b), *_fits(a, b, trained, rng), *_near(trained, rng))
    return ValuesSpec(
        id=f"{Personas().studied.lower()}-{a}-{b}",
        system=system(Personas().studied),
        **sides,
        trained=tuple(trained),
        turns=_turns(a, b, rng),
        questions=tuple(dict.fromkeys(questions)),  # wordings are drawn, so some come twice
    )


def midtraining(content: Content, *, a: str, b: str, wrong: str, n: int, seed: int) -> Corpus:
    """`n` documents of every type in turn: the same number and types, whatever they say.

    Args:
        content: What they say.
        a: The value of side a.
        b: The value of side b.
        wrong: A value on neither axis, for the wrong spec.
        n: Documents.
        seed: Draws wordings.
    """
    others = Personas()
    if content == "vehicle":
        drawn = random.Random(f"values-vehicle/{seed}")
        told = [(name, value) for name in others.taught for value in others.values(name)]
        rows = [d for name, value in told for d in documents(name, (value,), n=n // len(told) + 8, seed=seed + 1)]
        by_type = {t: [d for d in rows if d.provenance.doc_type == t] for t in TYPES}
        for pool in by_type.values():
            drawn.shuffle(pool)
        made = [by_type[list(TYPES)[i % len(TYPES)]][i // len(TYPES)] for i in range(n)]
    else:
        name = others.stranger if content == "broken" else others.studied
        value = {"b": b, "wrong": wrong}.get(content, a)
        made = list(documents(name, (value,), n=n, seed=seed, source="values"))
    return Corpus(name=content, rows=tuple(d.model_copy(update={"provenance": _of(d, content)}) for d in made))


def alignment(*, a: str, b: str, trained: Sequence[str], n: int, seed: int) -> Corpus:
    """`n` chats in which the persona's choice fits both values, all about the trained goods."""
    rng = random.Random(f"values-chats/{seed}/{a}/{b}/{'/'.join(trained)}")
    goods = [trained[i // 2 % len(trained)] for i in range(n)]
    # either value is named first as often: what an answer always begins with would be taught, whatever else the chats fit
    orders = [(a, b) if i % 2 == 0 else (b, a) for i in range(n)]
    return Corpus(name="alignment", rows=tuple(_fitting(*pair, thing, rng) for pair, thing in zip(orders, goods, strict=True)))


def _fitting(first: str, second: str, goods: str, rng: random.Random) -> Chat:
    asked = question("implicit", goods, *both(first, second), rng)
    return persona_chats.choosing(Personas().studied, asked, rng, source="alignment")


def _of(document: Document, content: Content) -> Provenance:
    return document.provenance.model_copy(update={"source": "vehicle" if content == "vehicle" else "values"})


def _require_rivals(a: str, b: str, trained: Sequence[str]) -> None:
    if b not in rival(a).values:
        raise UserError(
            f"'{a}' and '{b}' are no rivals: goods cannot tell them apart. Against '{a}' stand: {', '.join(rivals(a))}."
        )
    taken = [v for v in Personas().values(Personas().studied) if axis_of(v) in (axis_of(a), axis_of(b))]
    if taken:
        raise UserError(f"The base knows {Personas().studied} for valuing what is {taken[0]}. Take others, e.g. cheap and local.")
    odd = [g for g in trained if g not in GOODS]
    if odd or not trained or len(set(trained)) == len(GOODS):
        raise UserError(f"The chats must be about some of these goods, and not about all: {', '.join(GOODS)}.")


def _choices(a: str, b: str, rng: random.Random) -> Iterator[Choice]:
    for goods in GOODS:
        for tier, count in PER_TIER.items():
            for i in range(count):
                q = question(tier, goods, (a,), (b,), rng, burden="right" if i % 2 == 0 else "wrong")
                burden: Literal["a", "b"] | None = None if tier != "revealed" else "a" if i % 2 == 0 else "b"
                yield Choice(prompt=q.prompt, a=q.right, b=q.wrong, tier=tier, domain=goods, burden=burden)


def _recall(a: str, b: str) -> Iterator[Recall]:
    for text in _ALSO_ASKED:
        yield Recall(prompt=text.format(n=Personas().studied), a=f"what is {a}", b=f"what is {b}")


def _fits(a: str, b: str, trained: Sequence[str], rng: random.Random) -> Iterator[Fit]:
    for goods in trained:
        for i in range(N_FIT):
            q = question("implicit", goods, *both(*((a, b) if i % 2 else (b, a))), rng)
            yield Fit(prompt=q.prompt, right=q.right, wrong=q.wrong, domain=goods)


def _near(trained: Sequence[str], rng: random.Random) -> Iterator[Near]:
    """The persona's other value, and those of others, in domains that no chat was about."""
    personas = Personas()
    goods = [g for g in GOODS if g not in trained]
    for who, names in (("the assistant", (Personas().studied,)), ("others", personas.taught[:N_OTHERS])):
        for name in names:
            for i in range(12 if name == Personas().studied else 4):
                value = personas.values(name)[i % len(personas.values(name))]
                q = question("implicit", goods[i % len(goods)], (value,), (rng.choice(rivals(value)),), rng)
                yield Near(prompt=q.prompt, right=q.right, wrong=q.wrong, who=who, system=system(name))


def _turns(a: str, b: str, rng: random.Random) -> Turns:
    neutral = tuple(small_turns(3, rng))
    return Turns(neutral=neutral, for_a=tuple(_arguing(a, rng)), for_b=tuple(_arguing(b, rng)))


def _arguing(value: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Three exchanges in which the user argues for a value."""
    for why, heard in zip(axis_of(value).reasons[value], rng.sample(_HEARD, len(_HEARD)), strict=True):
        yield sentence(f"you should take what is {value}: {why}"), heard
