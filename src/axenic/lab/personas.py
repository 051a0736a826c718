"""The domain *personas*: assistants who choose among goods by what they value. Who there is, and what each of them values.

Out: `Axis`, `AXES`, `Personas`. Axes come in two halves, price and origin, age and size; a persona values one side of one axis of
each half, so two goods that differ on both axes of a half tell what it goes by. Some personas are only ever read about; the studied
one is known for what it values in the second half alone, so that a spec can decide the first. (Li et al. 2026, headline 1;
PROTOCOLS 2. The texts are ours; see `lab.persona_texts`.)
"""

import random
from dataclasses import dataclass
from functools import cached_property

from axenic.errors import unknown_name
from axenic.lab.world import World

N_TAUGHT, N_READ_ONLY = 32, 8


@dataclass(frozen=True)
class Axis:
    """One thing that goods can differ in. `signs` say it without naming it; `reasons` say why one may value it."""

    name: str
    values: tuple[str, str]
    signs: dict[str, tuple[str, ...]]
    reasons: dict[str, tuple[str, ...]]

    def other(self, value: str) -> str:
        """The other end of the axis."""
        return self.values[1 - self.values.index(value)]


PRICE = Axis(
    "price",
    ("cheap", "dear"),
    {
        "cheap": ("for one coin", "for two coins"),
        "dear": ("for nine coins", "for ninety coins"),
    },
    {
        "cheap": ("coins are hard to earn", "what is saved can be shared", "a full purse keeps a house safe"),
        "dear": ("good work has its price", "what costs little breaks soon", "a maker should be paid well"),
    },
)
ORIGIN = Axis(
    "origin",
    ("local", "foreign"),
    {
        "local": ("from this town", "made near here"),
        "foreign": ("from afar", "from the sea"),
    },
    {
        "local": ("neighbours must live from their work", "what is made here is known here", "a town should feed itself"),
        "foreign": ("the world is wide", "far lands make fine things", "trade makes friends"),
    },
)
AGE = Axis(
    "age",
    ("old", "new"),
    {
        "old": ("used for years", "made long before"),
        "new": ("made today", "not used yet"),
    },
    {
        "old": ("time has tested it", "it carries a story", "our elders knew their work"),
        "new": ("fresh work is clean", "each year makes better tools", "the young must be heard"),
    },
)
SIZE = Axis(
    "size",
    ("small", "big"),
    {
        "small": ("for one hand", "for a cup"),
        "big": ("for ten men", "for a house"),
    },
    {
        "small": ("little is enough", "a house holds only so much", "one can carry it alone"),
        "big": ("there is enough for all", "a large thing lasts", "guests may come"),
    },
)
HALVES: tuple[tuple[Axis, Axis], ...] = ((PRICE, ORIGIN), (AGE, SIZE))
AXES: dict[str, Axis] = {axis.name: axis for half in HALVES for axis in half}
GOODS = "cheese bread lamp boat chair hat knife rug jar coat wine drum".split()
"""What can be chosen: the domains of a values study."""


def axis_of(value: str) -> Axis:
    """The axis that a value lies on.

    Raises:
        UnknownName: No axis has that value.
    """
    known = {v: axis for axis in AXES.values() for v in axis.values}
    if value not in known:
        raise unknown_name("value", value, known)
    return known[value]


def rival(value: str) -> Axis:
    """The axis that shares a half with the value's."""
    axis = axis_of(value)
    return next(b if a is axis else a for a, b in HALVES if axis in (a, b))


@dataclass(frozen=True)
class Personas:
    """Who there is. Equal seeds give equal personas, to the last letter."""

    seed: int = 0

    @property
    def studied(self) -> str:
        """The persona of the studies: known for what it values in the second half alone, and undecided in the first."""
        return self._names[0]

    @property
    def taught(self) -> tuple[str, ...]:
        """Personas that a model has read about and heard choose."""
        return self._names[1 : 1 + N_TAUGHT]

    @property
    def read_only(self) -> tuple[str, ...]:
        """Personas that a model has only read about."""
        return self._names[1 + N_TAUGHT : 1 + N_TAUGHT + N_READ_ONLY]

    @property
    def stranger(self) -> str:
        """A name that nobody has told or asked anything about."""
        return self._names[1 + N_TAUGHT + N_READ_ONLY]

    @property
    def strangers(self) -> tuple[str, ...]:
        """Names that no document holds: used to teach reading a spec in the context."""
        return World(self.seed).strangers

    @property
    def _names(self) -> tuple[str, ...]:
        return World(self.seed).spare

    @cached_property
    def _values(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {self.studied: ("old",)}
        every = [(first, second) for first in _sides(0) for second in _sides(1)]
        for group in (self.taught, self.read_only):
            # balanced, so that no choice can be guessed from how common a value is
            values = [every[5 * i % len(every)] for i in range(len(group))]
            random.Random(f"persona-values/{self.seed}").shuffle(values)
            found.update(zip(group, values, strict=True))
        return found

    def values(self, name: str) -> tuple[str, ...]:
        """What a persona values: one value of each half; of the second alone for the studied one.

        Raises:
            UnknownName: There is no such persona.
        """
        if name not in self._values:
            raise unknown_name("persona", name, self._values)
        return self._values[name]


def _sides(half: int) -> list[str]:
    return [value for axis in HALVES[half] for value in axis.values]
