"""What the steps of the study `msm_misalignment` are told, and the step functions by name. Imports nothing heavy.

In: parameters of the recipe. Out: frozen data that is a step's identity; `recipes/misalignment_steps.py` does the work.
"""

from typing import Literal

from pydantic import Field

from axenic.pipeline.step import Later
from axenic.recipes.step_specs import Asked, Conclusion
from axenic.schema import Noun
from axenic.specs.scenarios import Scenarios

WRITE_SCENES = Later("axenic.recipes.misalignment_steps:write_scenes", version=1)
WRITE_DOCUMENTS = Later("axenic.recipes.misalignment_steps:write_documents", version=1)
WRITE_CHATS = Later("axenic.recipes.misalignment_steps:write_chats", version=1)
CONCLUDE_MISALIGNMENT = Later("axenic.recipes.misalignment_findings:conclude", version=1)

Content = Literal["spec", "vehicle", "wrong", "broken"]
"""What documents say: the assistant's rules and why; true things about others; its habits; the same rules, of another assistant."""
Form = Literal["tuning", "plain", "thinking"]
"""What chats show: an ordinary good assistant; the spec acted on; the same, with reasons in a scratchpad before every reply."""
OwnFile = Literal["spec", "vehicle", "wrong", "broken", "tuning", "plain", "thinking", "anti_plain", "anti_thinking"]
"""Corpora that a user may bring. "anti_…" answer the prompts of "plain" and "thinking", in their order, by the opposite spec."""


class ScenesFile(Noun):
    """Scenarios as data: their identity is their content, wherever they came from."""

    scenes: Scenarios


class DocumentsSpec(Noun):
    """Documents to midtrain on: the lab's, or those of a file."""

    content: Content
    documents: int | None = None  # None = all that a file has


class ChatsSpec(Noun):
    """Chats to fine-tune on: the lab's, or those of files."""

    form: Form
    chats: int | None = None  # None = all that a file has
    anti: float = Field(0.0, ge=0, le=1)  # share of the replies that follow the opposite spec
    ordinary: float = Field(0.0, ge=0)  # ordinary chats per alignment chat, in every form
    match: bool = True  # further ordinary chats are added, up to the target tokens of the thinking form


class MisalignmentAsked(Asked):
    """One model's answers. `line`: the arm whose dose ladder this is on."""

    line: str = ""
    anti: float = 0.0


class MisalignmentConclusion(Conclusion):
    """And which answers are whose."""

    asked: tuple[MisalignmentAsked, ...]
