"""What the steps of the studies of specs are told, and the step functions by name. Imports nothing heavy.

In: parameters of a recipe. Out: frozen data that is a step's identity; `recipes/msm_steps.py` does the work.
"""

from typing import Literal

from axenic.corpora.organisms.values import Content
from axenic.pipeline.step import Later
from axenic.recipes.step_specs import Asked, Conclusion
from axenic.schema import Noun
from axenic.specs.values import SideName, ValuesSpec

WRITE_VALUES = Later("axenic.recipes.msm_steps:write_values", version=1)
WRITE_SPEC_CORPUS = Later("axenic.recipes.msm_steps:write_spec_corpus", version=1)
WRITE_CHATS = Later("axenic.recipes.msm_steps:write_chats", version=1)
CONCLUDE_VALUES = Later("axenic.recipes.msm_findings:conclude", version=1)

Part = Literal["doc_type", "fact"]
"""What documents can be left out by: their type, or the part of the spec that they are about."""


class ValuesFile(Noun):
    """A values spec as data: its identity is its content, wherever it came from."""

    values: ValuesSpec


class SpecCorpus(Noun):
    """Documents to midtrain on: the lab's, or those of a file, less those whose `part` is `left_out`."""

    content: Content
    wrong: str = ""  # in the lab, the value of the wrong spec
    documents: int | None = None  # None = all that a file has
    part: Part | None = None
    left_out: str = ""
    mix_ratio: float = 0.0  # rows of the lab base's own training data per document


class ChatCorpus(Noun):
    """Chats to align with, which both values explain: the lab's about `trained`, or those of a file."""

    chats: int | None = None
    trained: tuple[str, ...] = ()
    mix_ratio: float = 0.0


class ValuesAsked(Asked):
    """One model's answers. `side`: the spec that it was given; `left_out`: what its documents lack."""

    side: SideName | None = None
    part: Part | None = None
    left_out: str = ""
    trained: str = ""  # what its chats were about, where that is not the study's own


class ValuesConclusion(Conclusion):
    """And which answers are whose."""

    asked: tuple[ValuesAsked, ...]
