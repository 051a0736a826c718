"""The nouns of a corpus that a language model wrote: what was asked, what it cost, what was lost, what is covered.

In: calls, failures and rows. Out: `Writing`, which is `report.json` beside the corpus; the page is drawn from it alone.
"""

from typing import Any, Literal

from pydantic import Field

from axenic.schema import Noun


class StageLine(Noun):
    """What one stage cost, earlier runs on the folder included; `reused` counts this run only."""

    stage: str
    calls: int = 0
    reused: int = 0  # answered from the folder
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None  # USD; None where the price is unknown
    statuses: dict[str, int] = Field(default_factory=dict)


class Loss(Noun):
    """How often a stage lost a text for one reason, and one such text."""

    stage: str
    reason: str
    count: int
    example: str = ""


class SectionCoverage(Noun):
    """How much of one section of a spec was found, and how much was written about it."""

    section: str  # id
    name: str
    characters: int
    domains: int = 0
    subdomains: int = 0
    assertions: int = 0
    rows: int = 0  # documents or chats; 0 = not covered


class Example(Noun):
    """One row to read, with where it comes from, as words."""

    about: dict[str, str]
    text: str


class Writing(Noun):
    """Everything that is to be said of a written corpus."""

    name: str
    kind: Literal["documents", "chats"]
    about: str  # the file that it was written from
    model: str
    seed: int
    wanted: int
    rows: int
    cost: float | None = None  # USD for the whole folder
    stages: tuple[StageLine, ...] = ()
    losses: tuple[Loss, ...] = ()
    coverage: tuple[SectionCoverage, ...] = ()  # of a spec
    quality: dict[str, Any] = {}  # as `corpora.quality` measures it
    spread: dict[str, dict[str, int]] = {}  # rows by document type, section, ...
    examples: tuple[Example, ...] = ()
    command: str = ""

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Names of the sections without a row."""
        return tuple(c.name for c in self.coverage if not c.rows)
