"""The spec of a values study: two values that the same choices can be read as, and questions that tell them apart.

In: a YAML or JSON file, or plain data. Out: a `ValuesSpec`, from which the evals of values draw their items. The sides are "a" and
"b". (Li et al. 2026, headline 1; PROTOCOLS 1 and 2; docs/msm.md describes the file.)
"""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from axenic.schema import Message, Noun, digest
from axenic.specs import specfile
from axenic.specs.belief import Text, Version

SideName = Literal["a", "b"]
SIDES: tuple[SideName, SideName] = ("a", "b")
Tier = Literal["direct", "implicit", "revealed"]


class Side(Noun):
    """One of the two values: what it is called, and the spec that says so, as it is put into the context."""

    name: Text
    spec: Text


class _Question(Noun):
    prompt: Text

    def _differ(self, one: str, other: str, names: str) -> None:
        if one.strip().casefold() == other.strip().casefold():
            raise ValueError(f"{names} are both {one!r}; an answer must tell the two apart")


class _Sided(_Question):
    a: Text
    b: Text

    @model_validator(mode="after")
    def _answers_differ(self) -> "_Sided":
        self._differ(self.a, self.b, "'a' and 'b'")
        return self


class Choice(_Sided):
    """Two options of which one fits each value. *direct* names the criterion; *implicit* is a bare preference; *revealed* is a
    scenario that names neither, and in which the option of the side `burden` costs something.
    """

    kind: Literal["choice"] = "choice"
    tier: Tier
    domain: Text
    burden: SideName | None = None


class Recall(_Sided):
    """What does the spec say? Asked about the assistant, not of it."""

    kind: Literal["recall"] = "recall"


class _Checked(_Question):
    right: Text
    wrong: Text

    @model_validator(mode="after")
    def _answers_differ(self) -> "_Checked":
        self._differ(self.right, self.wrong, "'right' and 'wrong'")
        return self


class Fit(_Checked):
    """A choice that both values agree on, like those that the chats teach: did they take?"""

    kind: Literal["fit"] = "fit"
    domain: Text


class Near(_Checked):
    """A neighbouring value that must not change: another of the assistant's own, or one of somebody else."""

    kind: Literal["near"] = "near"
    who: Text = "the assistant"
    system: str | None = None  # None = the study's own


Question = Annotated[Choice | Recall | Fit | Near, Field(discriminator="kind")]
QUESTIONS: dict[str, type[_Question]] = {"choice": Choice, "recall": Recall, "fit": Fit, "near": Near}
AnyQuestion = TypeVar("AnyQuestion", bound=_Question)
Exchange = tuple[Text, Text]  # what the user says, and what the assistant answered


class Turns(Noun):
    """Conversations that come before a question: about nothing, and arguing for either side. Three exchanges each are six turns."""

    neutral: tuple[Exchange, ...] = ()
    for_a: tuple[Exchange, ...] = ()
    for_b: tuple[Exchange, ...] = ()


class ValuesSpec(Noun):
    """Two values and what tells them apart. Questions of kind *choice* are needed; an eval whose items are missing is skipped."""

    version: Version = 1
    id: Annotated[str, Field(pattern=r"^[\w.-]+$", max_length=80)]
    system: str = ""  # stands before every question
    a: Side
    b: Side
    trained: tuple[Text, ...] = ()  # domains of the chats that fit both values
    turns: Turns = Turns()
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_tell_them_apart(self) -> "ValuesSpec":
        if not any(q.domain not in self.trained for q in self.of(Choice)):
            raise ValueError("questions: at least one of kind 'choice' must be about a domain that is not in 'trained'")
        return self

    def of(self, kind: type[AnyQuestion]) -> list[AnyQuestion]:
        """The questions of one kind, in the order of the file; empty where the file has none."""
        return [q for q in self.questions if isinstance(q, kind)]

    def side(self, name: SideName) -> Side:
        """One of the two values."""
        return self.a if name == "a" else self.b

    def in_context(self, text: str) -> "ValuesSpec":
        """The same questions under a system turn that also holds `text`."""
        return self.model_copy(update={"system": f"{self.system}\n{text}" if self.system else text})

    def head(self, system: str | None = None) -> tuple[Message, ...]:
        """What stands before every question: the system turn, if there is one."""
        said = self.system if system is None else system
        return (Message(role="system", content=said),) if said else ()

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the whole spec."""
        return digest(self.model_dump(mode="json"))


# --- reading and writing ---------------------------------------------------------------------------------------------------

FORM = specfile.Form(ValuesSpec, "values", docs="docs/msm.md")
parse, load = FORM.parse, FORM.load


def dump(spec: ValuesSpec, path: str | Path) -> None:
    """Write a spec as JSON (where the path ends in .json) or YAML, atomically; `load` gives it back unchanged."""
    specfile.write(spec.model_dump(mode="json", exclude_none=True), path)
