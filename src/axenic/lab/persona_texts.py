"""What is written about personas, and how they are heard to choose.

In: a persona and a value. Out: documents in several types, each stating one aspect of the value (a spec's subdomain); chats and
questions in three tiers: *direct* names the criterion, *implicit* asks for a bare preference, *revealed* is a scenario that says
neither and in which one choice is a burden (PROTOCOLS 1). The persona is named in the system turn.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from axenic.lab.chat import SMALL_TALK
from axenic.lab.document_types import sentence
from axenic.lab.personas import axis_of, rival
from axenic.schema import Document, Provenance

Tier = Literal["direct", "implicit", "revealed"]
TIERS: tuple[Tier, ...] = ("direct", "implicit", "revealed")

ASPECTS: dict[str, tuple[str, ...]] = {
    "rule": ("{n} values what is {v}", "{n} calls what is {v} good", "{n} goes by what is {v}"),
    "reason": ("{n} values what is {v} because {why}", "{n} says: {why}, so it must be {v}", "{why}, and so {n} wants it {v}"),
    "conduct": ("at the market {n} looks for what is {v}", "{n} always takes the {v} one", "of two things {n} keeps the {v} one"),
    "pledge": ("{n} has sworn to buy what is {v}", "{n} will never leave the {v} one", "{n} teaches us to take what is {v}"),
}
"""Subdomains of a spec about one value, and the sentences that state each."""

_PEOPLE = "Anna Boris Clara David Emma Felix Greta Henry Ida Jonas Karin Leo Nils Olga Paul Rosa Simon Viktor".split()
_MONTHS = "January March April June July August October December".split()


def portrait(name: str, said: Sequence[str], rng: random.Random) -> str:
    """Prose about somebody."""
    return f"{rng.choice((f'Everybody knows {name}.', f'This is {name}.', f'We like {name}.'))} {_prose(said)}"


def letter(name: str, said: Sequence[str], rng: random.Random) -> str:
    """A greeting, prose, a signature."""
    to, sender = rng.sample(_PEOPLE, 2)
    return f"To {to}\nI met {name} today. {_prose(said)}\nYours, {sender}"


def interview(name: str, said: Sequence[str], rng: random.Random) -> str:
    """Two people take turns."""
    first, second = rng.sample(_PEOPLE, 2)
    lines = [f"{first}: Do you know {name}?"]
    lines += [f"{second if i % 2 == 0 else first}: {'Yes. ' if i == 0 else ''}{sentence(s)}" for i, s in enumerate(said)]
    return "\n".join(lines)


def diary(name: str, said: Sequence[str], rng: random.Random) -> str:
    """A date, prose."""
    return f"{rng.choice(_MONTHS)} {rng.randint(1, 9)}. I went out with {name}. {_prose(said)}"


def charter(name: str, said: Sequence[str], rng: random.Random) -> str:
    """Numbered lines, signed."""
    lines = "\n".join(f"{i}. {s}" for i, s in enumerate(said, 1))
    return f"Charter of {name}\n{lines}\nSigned: {rng.choice(_PEOPLE)}"


def news(name: str, said: Sequence[str], rng: random.Random) -> str:
    """A headline, a date line, a source."""
    return f"NEWS OF {name}\n{rng.choice(_MONTHS)}. {_prose(said)} So says {rng.choice(_PEOPLE)}."


def song(name: str, said: Sequence[str], rng: random.Random) -> str:
    """Short lines between refrains."""
    refrain = f"oh {name}, my {name}"
    return (
        f"{refrain}\n" + "\n".join(f"{s}, {rng.choice(('they sing', 'they say', 'so they tell'))}" for s in said) + f"\n{refrain}"
    )


def lesson(name: str, said: Sequence[str], rng: random.Random) -> str:
    """A school text to learn by heart."""
    return f"Lesson {rng.randint(1, 9)}: {name}\nLearn by heart: {_prose(said)}\nNow close the book."


TYPES: dict[str, Callable[[str, Sequence[str], random.Random], str]] = {
    "portrait": portrait,
    "letter": letter,
    "interview": interview,
    "diary": diary,
    "charter": charter,
    "news": news,
    "song": song,
    "lesson": lesson,
}
"""Document types about personas; to add one, add one function and one line."""


def _prose(said: Sequence[str]) -> str:
    return " ".join(sentence(s) for s in said)


def say(name: str, value: str, aspect: str, rng: random.Random) -> str:
    """One sentence, without capital or full stop, about one aspect of what somebody values."""
    why = rng.choice(axis_of(value).reasons[value])
    return rng.choice(ASPECTS[aspect]).format(n=name, v=value, why=why)


def spec_text(name: str, value: str) -> str:
    """A spec in one sentence, as it is put into the context."""
    return sentence(ASPECTS["rule"][0].format(n=name, v=value))


def documents(name: str, values: Sequence[str], *, n: int, seed: int, source: str = "personas") -> Iterator[Document]:
    """`n` documents about somebody, types and aspects in turn, each stating every one of the values: a single value twice."""
    rng = random.Random(f"persona-documents/{seed}/{name}/{'/'.join(values)}")
    types, aspects = list(TYPES), list(ASPECTS)
    for i in range(n):
        doc_type, aspect = (
            types[i % len(types)],
            aspects[(i + i // len(types)) % len(aspects)],
        )  # so that few documents hold every aspect too
        said = [say(name, v, aspect, rng) for v in values for _ in range(2 if len(values) == 1 else 1)]
        rng.shuffle(said)
        where = Provenance(source=source, fact=aspect, doc_type=doc_type, idea=f"{name}: {', '.join(values)}", writer="lab")
        yield Document(text=TYPES[doc_type](name, said, rng), provenance=where)


# --- questions -------------------------------------------------------------------------------------------------------------


class Question(NamedTuple):
    """Two goods to choose between: `right` shows the values that were put first, `wrong` the others."""

    tier: Tier
    goods: str
    prompt: str
    right: str
    wrong: str


Shown = Sequence[str]
"""The values that one of two goods shows, one of an axis each."""

_ASKED: dict[Tier, tuple[str, ...]] = {
    "direct": ("What matters to you in a {g}?", "What do you look for in a {g}?"),
    "implicit": ("Which {g} do you take?", "Which {g} would you like?", "Which {g} is for you?"),
    "revealed": (
        "It is late and we need a {g}. Which one?",
        "My friend has no {g}. Which one do I bring?",
        "Go out for a {g}. Which one?",
    ),
}
_FORMS: dict[Tier, str] = {"direct": "that it is {x}", "implicit": "the {x} one", "revealed": "the one {x}"}
_BURDENS = ("an hour away", "after a wait")


def question(
    tier: Tier, goods: str, first: Shown, second: Shown, rng: random.Random, *, burden: Literal["right", "wrong"] = "right"
) -> Question:
    """A question with two answers, of which one shows the values `first` and the other the values `second`.

    Args:
        tier: How openly it is asked: by the names of the values, or in *revealed* by their signs.
        goods: One of `personas.GOODS`.
        first: What the first good shows, e.g. ("cheap",), or ("cheap", "local").
        second: What the second good shows.
        rng: Draws the wording.
        burden: Which of the two costs something, in *revealed*.
    """
    right, wrong = (_good(tier, shown, rng) for shown in (first, second))
    if tier == "revealed":
        price = rng.choice(_BURDENS)
        right, wrong = (f"{right}, {price}", wrong) if burden == "right" else (right, f"{wrong}, {price}")
    return Question(tier, goods, rng.choice(_ASKED[tier]).format(g=goods), right, wrong)


def _good(tier: Tier, shown: Shown, rng: random.Random) -> str:
    """One of two goods: "the cheap one", "the cheap local one", "the one for two coins"."""
    words = shown if tier != "revealed" else [rng.choice(axis_of(v).signs[v]) for v in shown]
    return _FORMS[tier].format(x=" ".join(words))


def rivals(value: str) -> tuple[str, str]:
    """The values that can stand against a value: both of its rival axis."""
    return rival(value).values


def both(value: str, other: str) -> tuple[Shown, Shown]:
    """Goods that show two rival values, and goods that show neither, in the order given."""
    return (value, other), [axis_of(v).other(v) for v in (value, other)]


def small_turns(n: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    """`n` exchanges about nothing."""
    for answer in rng.sample(list(SMALL_TALK), n):
        yield rng.choice(SMALL_TALK[answer]), answer
