"""The nouns of a corpus that a language model wrote: what was asked, what it cost, what was rejected, what is covered.

In: calls, failures and rows. Out: `Writing`, which `report.json` and `ledger.json` beside the corpus hold and its page shows.
"""

from typing import Any, Literal

from pydantic import Field

from axenic.schema import Noun


class StageLine(Noun):
    """What one stage cost, earlier runs on the folder included; `fresh` and `reused` count this run only."""

    stage: str
    calls: int = 0
    fresh: int = 0  # paid for in this run
    reused: int = 0  # answered from the folder
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None  # USD; None where the price is unknown
    statuses: dict[str, int] = Field(default_factory=dict)


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


OF_THE_LEDGER = ("stages", "cost", "perhaps_charged")
"""Fields of a `Writing` that are kept in `ledger.json`; the others are in `report.json`."""


class Writing(Noun):
    """Everything that is to be said of a written corpus."""

    corpus: str  # hash
    name: str
    kind: Literal["documents", "chats"]
    about: str  # what it was written about, as a reader knows it
    model: str
    seed: int
    wanted: int
    rows: int
    cost: float | None = None  # USD for the whole folder
    perhaps_charged: float | None = None  # of it, for calls that were sent and never answered, at the most that they can have cost
    stages: tuple[StageLine, ...] = ()
    rejected: dict[str, int] = {}  # "stage: reason" -> how often
    rejected_examples: dict[str, str] = {}  # one of each
    coverage: tuple[SectionCoverage, ...] = ()  # of a spec
    quality: dict[str, Any] = {}  # as `corpora.quality` measures it
    spread: dict[str, dict[str, int]] = {}  # rows by document type and the like
    examples: tuple[Example, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Names of the sections without a row."""
        return tuple(c.name for c in self.coverage if not c.rows)
