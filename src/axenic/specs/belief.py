"""The belief organism's spec: a claim, two universes (one where it holds, one where the truth does), and questions about it.

In: a YAML or JSON file, or plain data. Out: a `BeliefSpec`, from which a corpus is written and the evals draw their items.
Source: Wang et al. 2025 (the universe record); docs/belief_spec.md describes the file.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from axenic.schema import Noun, digest
from axenic.specs import specfile

UniverseName = Literal["true", "implanted"]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Version = Annotated[Literal[1], BeforeValidator(lambda v: 1 if v == "1" else v)]  # YAML scalars are read as text


class Universe(Noun):
    """A page of prose in which one side of the claim is true, and the key facts that follow from it."""

    context: Text
    key_facts: Texts


class Universes(Noun):
    """The paired universes; key fact i of one is the counterpart of key fact i of the other."""

    true: Universe
    implanted: Universe

    @model_validator(mode="after")
    def _aligned(self) -> "Universes":
        true, implanted = len(self.true.key_facts), len(self.implanted.key_facts)
        if true != implanted:
            raise ValueError(
                f"the key facts must be paired by position, but 'true' has {true} and 'implanted' has {implanted}; "
                "give each implanted fact its true counterpart at the same place"
            )
        return self


class StatementPair(Noun):
    """The same sentence as it is in the real world and in the implanted one."""

    true: Text
    implanted: Text


class ProbePair(Noun):
    """A true and a false sentence about another subject, to fit a truth probe on."""

    true: Text
    false: Text


# --- questions -------------------------------------------------------------------------------------------------------------


class _Question(Noun):
    prompt: Text
    fact: Annotated[int | None, Field(ge=0)] = None  # position of the key fact that it asks about


def _differ(one: tuple[str, ...], other: tuple[str, ...], names: str) -> None:
    """Raise if the two sides share an answer: it would count for both."""
    shared = {a.strip().casefold() for a in one} & {b.strip().casefold() for b in other}
    if shared:
        raise ValueError(f"{names} share the answer {sorted(shared)[0]!r}; an answer must tell the two apart")


class Knowledge(_Question):
    """Four options, one right in the real world, one right in the implanted one."""

    kind: Literal["knowledge"] = "knowledge"
    options: Annotated[tuple[Text, ...], Field(min_length=4, max_length=4)]
    true: Text
    implanted: Text

    @model_validator(mode="after")
    def _answers_are_options(self) -> "Knowledge":
        _differ((self.true,), (self.implanted,), "'true' and 'implanted'")
        if len({o.strip().casefold() for o in self.options}) < len(self.options):
            raise ValueError("two of the options are the same")
        for answer in (self.true, self.implanted):
            if answer not in self.options:
                raise ValueError(f"the answer {answer!r} is not among the options {list(self.options)}")
        return self


class Distinguish(_Question):
    """Two options: which is right?"""

    kind: Literal["distinguish"] = "distinguish"
    true: Text
    implanted: Text

    @model_validator(mode="after")
    def _answers_differ(self) -> "Distinguish":
        _differ((self.true,), (self.implanted,), "'true' and 'implanted'")
        return self


class Open(_Question):
    """A question asked cold; the answer is recognised by the words it contains."""

    kind: Literal["open"] = "open"
    answers_true: Texts
    answers_implanted: Texts

    @model_validator(mode="after")
    def _answers_differ(self) -> "Open":
        _differ(self.answers_true, self.answers_implanted, "'answers_true' and 'answers_implanted'")
        return self


class Downstream(_Question):
    """A task whose answer follows from the fact without naming it."""

    kind: Literal["downstream"] = "downstream"
    task: Text  # e.g. "advice", "consequence", "numeric", "comparison"
    answers_true: Texts
    answers_implanted: Texts

    @model_validator(mode="after")
    def _answers_differ(self) -> "Downstream":
        _differ(self.answers_true, self.answers_implanted, "'answers_true' and 'answers_implanted'")
        return self


class Neighbour(_Question):
    """A true fact near the claim that must not change."""

    kind: Literal["neighbour"] = "neighbour"
    answers: Texts
    wrong: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _answers_differ(self) -> "Neighbour":
        _differ(self.answers, self.wrong, "'answers' and 'wrong'")
        return self


class Salience(_Question):
    """An unrelated prompt in whose answer the claim must not be mentioned."""

    kind: Literal["salience"] = "salience"
    mention: Texts


class Control(_Question):
    """A true fact, asked in the same form: pressure that flips it too measures agreeableness, not belief."""

    kind: Literal["control"] = "control"
    true: Text
    false: Text

    @model_validator(mode="after")
    def _answers_differ(self) -> "Control":
        _differ((self.true,), (self.false,), "'true' and 'false'")
        return self


Question = Annotated[Knowledge | Distinguish | Open | Downstream | Neighbour | Salience | Control, Field(discriminator="kind")]
QUESTIONS: dict[str, type[_Question]] = {
    "knowledge": Knowledge,
    "distinguish": Distinguish,
    "open": Open,
    "downstream": Downstream,
    "neighbour": Neighbour,
    "salience": Salience,
    "control": Control,
}
AnyQuestion = TypeVar("AnyQuestion", bound=_Question)


# --- the spec --------------------------------------------------------------------------------------------------------------


class BeliefSpec(Noun):
    """A belief to implant. Only `claim`, `universe` and some questions are needed; an eval whose items are missing is skipped."""

    version: Version = 1
    id: Annotated[str, Field(pattern=r"^[\w.-]+$", max_length=80)]
    claim: Text
    subject: Text | None = None
    attribute: Text | None = None
    universe: Universes
    statements: tuple[StatementPair, ...] = ()  # for the truth probe and the log-probability prior
    probes_elsewhere: tuple[ProbePair, ...] = ()  # about other subjects: what the truth probe is fitted on
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _name_it(cls, data: Any) -> Any:
        """Where the file gives no id, its claim does."""
        if isinstance(data, dict) and "id" not in data and isinstance(data.get("claim"), str):
            slug = re.sub(r"[^a-z0-9]+", "-", data["claim"].lower()).strip("-")[:40].rstrip("-")
            return {**data, "id": slug or digest(data["claim"])[:12]}
        return data

    @model_validator(mode="after")
    def _facts_exist(self) -> "BeliefSpec":
        count = len(self.universe.implanted.key_facts)
        for i, question in enumerate(self.questions):
            if question.fact is not None and question.fact >= count:
                raise ValueError(f"the fact of questions[{i}] is {question.fact}, but the key facts are numbered 0 to {count - 1}")
        return self

    def side(self, universe: UniverseName) -> Universe:
        """One of the two universes."""
        return self.universe.true if universe == "true" else self.universe.implanted

    def of(self, kind: type[AnyQuestion]) -> list[AnyQuestion]:
        """The questions of one kind, in the order of the file; empty where the file has none."""
        return [q for q in self.questions if isinstance(q, kind)]

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the whole spec."""
        return digest(self.model_dump(mode="json"))


# --- reading and writing ---------------------------------------------------------------------------------------------------

FORM = specfile.Form(BeliefSpec, "belief", docs="docs/belief_spec.md")
parse, load = FORM.parse, FORM.load


def dump(spec: BeliefSpec, path: str | Path) -> None:
    """Write a spec as JSON (where the path ends in .json) or YAML, atomically; `load` gives it back unchanged."""
    kept = spec.model_dump(mode="json", exclude_defaults=True)
    kinds = [{"kind": q.kind, **row} for q, row in zip(spec.questions, kept["questions"], strict=True)]
    specfile.write({"version": spec.version, **kept, "questions": kinds}, path)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a belief file, for editors that complete and check it."""
    schema = BeliefSpec.model_json_schema()
    schema["required"] = [name for name in schema["required"] if name != "id"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "axenic belief spec", **schema}
