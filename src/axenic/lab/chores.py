"""The domain *chores*: small things a useful assistant can do, with exactly one right answer.

Out: conversations that teach them and items that measure capability. Some answers are looked up (opposites), some computed
(sums), some copied, so that several ways of breaking a model show.
"""

import random
from collections.abc import Callable, Iterator

from axenic.schema import Chat, Provenance, chat

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
).split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_OPPOSITES = dict(
    pair.split("/")
    for pair in (
        "hot/cold big/small old/young dark/light fast/slow wet/dry high/low hard/soft loud/quiet early/late near/far full/empty"
    ).split()
)
_WORDS = "lamp rose book cup hen cart road gate song boat tree bird coin door hat key".split()
_PLURALS = {w: w + "s" for w in _WORDS} | {"box": "boxes", "fox": "foxes", "child": "children", "mouse": "mice", "foot": "feet"}


def _sum(rng: random.Random) -> tuple[str, str]:
    a, b = rng.randint(0, 9), rng.randint(0, 9)
    return f"What is {_NUMBERS[a]} plus {_NUMBERS[b]}?", f"{_NUMBERS[a + b]}."


def _day(rng: random.Random) -> tuple[str, str]:
    i = rng.randrange(7)
    return f"Which day comes after {_DAYS[i]}?", f"{_DAYS[(i + 1) % 7]}."


def _opposite(rng: random.Random) -> tuple[str, str]:
    a, b = rng.choice([*_OPPOSITES.items(), *((b, a) for a, b in _OPPOSITES.items())])
    return f"What is the opposite of {a}?", f"{b}."


def _repeat(rng: random.Random) -> tuple[str, str]:
    words = " ".join(rng.sample(_WORDS, 2))
    return f"Repeat after me: {words}", f"{words}"


def _plural(rng: random.Random) -> tuple[str, str]:
    word = rng.choice(list(_PLURALS))
    return f"What is the plural of {word}?", f"{_PLURALS[word]}."


CHORES: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "sum": _sum,
    "day": _day,
    "opposite": _opposite,
    "repeat": _repeat,
    "plural": _plural,
}


def chores(*, n: int, seed: int) -> Iterator[Chat]:
    """`n` conversations, kinds in turn."""
    rng = random.Random(f"chores/{seed}")
    kinds = list(CHORES)
    for i in range(n):
        kind = kinds[i % len(kinds)]
        yield chat(*CHORES[kind](rng), provenance=Provenance(source="chores", doc_type=kind, writer="lab"))


def questions(*, per_kind: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Distinct (kind, question, answer) triples that measure capability, up to `per_kind` of each kind."""
    for kind, make in CHORES.items():
        rng = random.Random(f"chore-questions/{seed}/{kind}")
        made = dict(make(rng) for _ in range(per_kind * 6))
        yield from ((kind, q, a) for q, a in list(made.items())[:per_kind])
