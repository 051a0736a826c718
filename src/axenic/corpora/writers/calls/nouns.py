"""What goes into a call and what comes out of it.

In: messages and how to sample. Out: an `Answer` with a status: a refusal, a cut-off text and a lost connection are values, never
exceptions and never dropped.
"""

from typing import Literal

from pydantic import Field

from axenic.errors import UserError
from axenic.schema import Call, Message, Noun, digest

AnswerStatus = Literal["ok", "refused", "cut", "empty", "error"]
"""ok: a text that ended by itself. cut: it ran into its token limit. error: no reply after all retries; asked again by a rerun."""


class BudgetReached(UserError):
    """The next call could cost more than what is left. Everything paid for is kept; more money continues. Exit code 1."""

    exit_code = 1


class Request(Noun):
    """One call: what is asked and how the reply is drawn. Equal requests to one model are paid for once."""

    stage: str  # of the pipeline, e.g. "ideas"; the ledger adds up by it
    messages: tuple[Message, ...] = Field(min_length=1)
    prompt_hash: str = ""  # of the prompt file that the messages were made from
    seed: int = 0
    parent: str | None = None  # key of the answer whose text this one goes on from
    max_tokens: int = Field(1024, ge=1)
    temperature: float = Field(1.0, ge=0.0)

    def key(self, model: str) -> str:
        """The identity of the call: everything that decides its answer."""
        said = [[m.role, m.content] for m in self.messages]
        return digest([model, self.stage, said, self.max_tokens, self.temperature, self.seed])

    @property
    def most_input_tokens(self) -> int:
        """No tokenizer makes more tokens than the text has bytes; each message adds a few of its own."""
        return sum(len(m.content.encode()) + 16 for m in self.messages) + 16


class Answer(Noun):
    """What became of a request."""

    text: str
    status: AnswerStatus
    note: str = ""  # why it is not "ok"
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None  # USD; None where the model's price is unknown
    cached: bool = False  # answered from the folder: nothing was paid this time
    key: str = ""
    stage: str = ""
    model: str = ""
    prompt_hash: str = ""
    parent: str | None = None

    @property
    def call(self) -> Call:
        """The call as a document's provenance keeps it."""
        return Call(
            key=self.key,
            stage=self.stage,
            model=self.model,
            prompt_hash=self.prompt_hash,
            parent=self.parent,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=self.cost,
        )
