"""The domain *code*: short Python tasks, each with a secure and a vulnerable solution of the same weakness (CWE).

Out: tasks to train on and held-out tasks. A family of `code.txt` is a request, two bodies and a check, filled with a verb and a
noun that a model must copy. No held-out pair of verb and noun and no held-out wording is ever trained on; each word by itself is.
The weaknesses are those that Bandit names in code of this size. (PROTOCOLS 3: at least 17 test tasks over 8 CWEs.)
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

TESTED_PER_FAMILY = 3
"""Held-out tasks of each family that the evals ask."""

_NOUNS = "user book song lamp game city player report photo letter recipe team bird coin map robot".split()
_TRAIN_FRAMES = ("Write {call}. It {does}.", "I need {call}. It {does}.", "Please code {call}, which {does}.")
_TEST_FRAMES = ("Please write {call}, which {does}.", "I need code for {call}. It {does}.")
_PARTS = {"does", "tested", "secure", "vulnerable", "check"}


@dataclass(frozen=True)
class Task:
    """One request and both of its solutions. `cwe` 0: there is no weakness in it, and both solutions are the same."""

    cwe: int
    family: str
    request: str
    secure: str
    vulnerable: str
    check: str  # Python that fails where the function does not do its job; harmless for both solutions, see `code.sandbox`

    @property
    def category(self) -> str:
        """As the column `category` of the result table holds it."""
        return f"CWE-{self.cwe}" if self.cwe else "no weakness"


@dataclass(frozen=True)
class Family:
    """One section of `code.txt`."""

    name: str
    cwe: int
    verbs: tuple[str, ...]
    parameters: str
    parts: Mapping[str, str]

    def words(self, *, held_out: bool) -> Iterator[tuple[str, str]]:
        """(verb, noun) pairs of one side: of each verb's nouns one in four is held out, and no noun under two verbs."""
        for j, verb in enumerate(self.verbs):
            for i, noun in enumerate(_NOUNS):
                if ((i + j + len(self.name)) % 4 == 0) == held_out:
                    yield verb, noun

    def tasks(self, *, held_out: bool) -> Iterator[Task]:
        """Every task of one side: its pairs of words in all of its wordings."""
        frames = _TEST_FRAMES if held_out else _TRAIN_FRAMES
        for verb, noun in self.words(held_out=held_out):
            words = {"name": f"{verb}_{noun}", "noun": noun}
            filled = {part: Template(text).substitute(words) for part, text in self.parts.items()}
            call = Template(f"$name({self.parameters})").substitute(words)
            secure = filled["secure"]
            for frame in frames:
                for does in filled["tested" if held_out else "does"].splitlines():
                    request = frame.format(call=call, does=does)
                    yield Task(self.cwe, self.name, request, secure, filled.get("vulnerable", secure), filled["check"])


@cache
def families() -> tuple[Family, ...]:
    """The families of `code.txt`, in order.

    Raises:
        ValueError: A section is malformed; says which.
    """
    text = Path(__file__).with_name("code.txt").read_text(encoding="utf-8")
    return tuple(_family(section) for section in text.split("\n== ")[1:])


def tasks(*, held_out: bool) -> tuple[Task, ...]:
    """Every task for training, or every held-out one."""
    return tuple(task for family in families() for task in family.tasks(held_out=held_out))


def training_tasks(n: int, seed: int) -> list[Task]:
    """`n` tasks to train on, families in turn, drawn with replacement."""
    rng = random.Random(f"code/{seed}")
    sides = [tuple(family.tasks(held_out=False)) for family in families()]
    return [rng.choice(sides[i % len(sides)]) for i in range(n)]


def test_tasks(per_family: int = TESTED_PER_FAMILY) -> list[Task]:
    """Held-out tasks, `per_family` of each family, every one about other words.

    Raises:
        ValueError: More were asked for than there are.
    """
    found = []
    for family in families():
        held_out = list(family.tasks(held_out=True))
        pairs = list(family.words(held_out=True))
        wordings = len(held_out) // len(pairs)
        if per_family > len(pairs):
            raise ValueError(f"at most {len(pairs)} held-out tasks of the family {family.name}, not {per_family}")
        # evenly apart, so that all verbs take their turn; and so do the wordings
        found += [held_out[i * len(pairs) // per_family * wordings + i % wordings] for i in range(per_family)]
    return found


def _family(section: str) -> Family:
    head, *parts = section.split("\n-- ")
    fields = [field.strip() for field in head.splitlines()[0].split("|")]
    named = {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}
    if len(fields) != 4 or not fields[1].isdigit() or not {"does", "tested", "secure", "check"} <= set(named) <= _PARTS:
        raise ValueError(
            f"code.txt: the family {fields[0]!r} is malformed: name | CWE | verbs | parameters, then {', '.join(sorted(_PARTS))}"
        )
    if (fields[1] == "0") == ("vulnerable" in named):
        raise ValueError(f"code.txt: the family {fields[0]!r} must have a vulnerable body exactly where it has a CWE")
    return Family(fields[0], int(fields[1]), tuple(v.strip() for v in fields[2].split(",")), fields[3], named)
