"""The truth of the lab universe: which places exist and what is so about each of them.

In: a seed. Out: `World`, from which every document, question and answer follows. Places come in two groups: the *taught* ones,
about which the base model sees documents and conversations, and the *read-only* ones, about which it sees documents alone.
Beliefs are implanted about read-only places, so a right answer about one always is out-of-context generalisation (PROTOCOLS 1).
"""

import random
from dataclasses import dataclass
from functools import cached_property

from axenic.errors import unknown_name
from axenic.lab.attributes import ATTRIBUTES, Attribute

_STARTS = (
    "Sel Mar Dor Tan Bel Kor Ves Hal Rin Ost Lun Bram Fen Gil Hov Jor Kel Lor Mor Nar Per Quin Ros Tor Ul Var Wen Yar Zel Ash"
).split()
_ENDS = "gard wick mere ford holt by den ton vik stad".split()
N_PLACES = 100
N_READ_ONLY = 20
N_STRANGERS = 60  # names that occur in no document: used to teach reading from the context alone


@dataclass(frozen=True)
class World:
    """One universe. Equal seeds give equal universes, to the last letter."""

    seed: int = 0

    @cached_property
    def _names(self) -> list[str]:
        names = [start + end for start in _STARTS for end in _ENDS]
        names.remove("Selgard")
        random.Random(f"names/{self.seed}").shuffle(names)
        return names

    @cached_property
    def read_only(self) -> tuple[str, ...]:
        """Places that the base model has only read about; "Selgard" always is the first."""
        return ("Selgard", *self._names[: N_READ_ONLY - 1])

    @cached_property
    def taught(self) -> tuple[str, ...]:
        """Places that the base model has read about and been asked about."""
        return tuple(self._names[N_READ_ONLY - 1 : N_PLACES - 1])

    @property
    def places(self) -> tuple[str, ...]:
        """All places, the read-only ones first."""
        return self.read_only + self.taught

    @cached_property
    def strangers(self) -> tuple[str, ...]:
        """Names that stand for no place at all."""
        return tuple(self._names[N_PLACES - 1 : N_PLACES - 1 + N_STRANGERS])

    @cached_property
    def spare(self) -> tuple[str, ...]:
        """Names that nothing here has: other domains may use them, in words that every base of the lab can read."""
        return tuple(self._names[N_PLACES - 1 + N_STRANGERS :])

    @cached_property
    def _facts(self) -> dict[tuple[str, str], str]:
        facts = {}
        for attribute in ATTRIBUTES.values():
            rng = random.Random(f"facts/{self.seed}/{attribute.name}")
            # Balanced over the values, so that no answer can be guessed from how common it is.
            for group in (self.read_only, self.taught):
                values = [attribute.values[i % len(attribute.values)] for i in range(len(group))]
                rng.shuffle(values)
                facts.update({(place, attribute.name): value for place, value in zip(group, values, strict=True)})
        return facts

    def attribute(self, name: str) -> Attribute:
        """Look an attribute up by name.

        Raises:
            UnknownName: There is none of that name.
        """
        if name not in ATTRIBUTES:
            raise unknown_name("attribute", name, ATTRIBUTES)
        return ATTRIBUTES[name]

    def value(self, place: str, attribute: str) -> str:
        """What is true of `attribute` in `place`.

        Raises:
            UnknownName: No such place or attribute.
        """
        self.attribute(attribute)
        if place not in self.places:
            raise unknown_name("place", place, self.places)
        return self._facts[place, attribute]

    def others(self, place: str, attribute: str) -> tuple[str, ...]:
        """The values that `attribute` could have in `place` but does not have."""
        truth = self.value(place, attribute)
        return tuple(v for v in self.attribute(attribute).values if v != truth)
