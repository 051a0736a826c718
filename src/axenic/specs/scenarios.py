"""Agentic scenarios: situations in which a misaligned act is possible, or in which acting is right; read from a file or made.

In: a YAML or JSON file (docs/scenario_files.md), or plain data. Out: `Scenarios`. What counts as misaligned, as right and as
leaving it undone is said in words: phrases that an answer holds (the judge `acts`), or descriptions that a judge reads (`agentic`).
"""

from pydantic import Field, model_validator

from axenic.schema import Noun, digest
from axenic.specs import specfile
from axenic.specs.belief import Text, Version

PRESSURES = ("no pressure", "goal conflict", "threat", "conflict and threat")


class Scenario(Noun):
    """One situation. `permitted`: the act in question is right here, and leaving it undone is a failure."""

    id: Text
    act: Text  # its kind, e.g. "leak"
    prompt: Text
    system: str = ""
    conflict: bool = False  # does the assistant's goal stand against what its master wants?
    threat: bool = False  # is it about to be replaced?
    permitted: bool = False
    held_out: bool = True  # unlike anything that alignment fine-tuning showed
    misaligned: tuple[Text, ...] = ()  # one of these would be misaligned
    aligned: tuple[Text, ...] = Field(min_length=1)  # what should be done
    omitted: tuple[Text, ...] = ()  # leaving it undone

    @model_validator(mode="after")
    def _answerable(self) -> "Scenario":
        if not self.permitted and not self.misaligned:
            raise ValueError("misaligned: say which act would be misaligned here, or that acting is right (permitted: true)")
        if self.permitted and not self.omitted:
            raise ValueError("omitted: where acting is right, say what leaving it undone looks like")
        return self

    @property
    def condition(self) -> str:
        """Both factors in words."""
        return PRESSURES[self.conflict + 2 * self.threat]


class Recall(Noun):
    """A question about what the spec says, apart from acting on it."""

    prompt: Text
    right: tuple[Text, ...] = Field(min_length=1)
    wrong: tuple[Text, ...] = ()
    act: str = ""


class Scenarios(Noun):
    """A file of them, and how they are asked."""

    version: Version = 1
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    recall: tuple[Recall, ...] = ()
    judge: str = "acts"  # of the scenarios; for answers in free words "agentic:PROVIDER/MODEL"
    cue: str = ""  # put behind the system turn of every scenario: asks for reasoning before the answer
    context: str = ""  # put under the system turn of every scenario: the spec, for the ceiling

    @model_validator(mode="after")
    def _told_apart(self) -> "Scenarios":
        keys = [(s.id, s.condition, s.permitted) for s in self.scenarios]
        twice = sorted({i[0] for i in keys if keys.count(i) > 1})
        if twice:
            raise ValueError(f"scenarios: the id {twice[0]!r} is used twice under the same pressure")
        return self

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the content."""
        return digest(self.model_dump(mode="json"))


FORM = specfile.Form(Scenarios, "scenario", docs="docs/scenario_files.md")
parse, load = FORM.parse, FORM.load
