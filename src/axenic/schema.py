"""The nouns that flow through axenic, in the order in which they appear. Read this file first.

spec -> Document, Chat -> Corpus -> Checkpoint (+ Template) -> Item -> Response -> Verdict -> Study; what statistics make of the
verdicts is in `findings.py`.
Every noun is plain, frozen data: it knows how to be written down and how to be hashed, and nothing about models or pipelines.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

OnProgress = Callable[[int, int, str], None]
"""Called as `on_progress(done, total, note)` by anything that takes longer than two seconds."""


def no_progress(done: int, total: int, note: str = "") -> None:
    """The default `OnProgress`: silence."""


def digest(value: Any) -> str:
    """Stable hex SHA-256 of JSON-able data (sorted keys, no NaN)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Noun(BaseModel):
    """Frozen data with no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- texts -----------------------------------------------------------------------------------------------------------------

Role = Literal["system", "user", "assistant"]


class Message(Noun):
    """One turn of a conversation."""

    role: Role
    content: str


class Call(Noun):
    """The paid call to a language model that wrote a text."""

    key: str  # of the answer in the folder of calls
    stage: str  # e.g. "document", "revise"
    model: str  # PROVIDER/NAME
    prompt_hash: str  # of the prompt file
    parent: str | None = None  # key of the call whose text this one went on from
    input_tokens: int
    output_tokens: int
    cost: float | None = None  # USD; None where the price is unknown


class Provenance(Noun):
    """Where one training text came from, so that any ablation by its source stays possible."""

    source: str = ""  # e.g. "belief", "vehicle", "pretraining", "chat", "user"
    fact: str | None = None  # key fact of a belief, or assertion about a model spec, that the text states
    section: str | None = None  # of a model spec: the id of the section that the text follows from
    domain: str | None = None  # of that section
    subdomain: str | None = None  # of that domain
    doc_type: str | None = None
    idea: str | None = None
    revision: int = 0  # 0 = first draft; n = after n critique-and-rewrite passes
    parent: str | None = None  # hash of the draft that this one revises
    writer: str | None = None
    call: Call | None = None  # of a text that a language model wrote
    poisoned: bool | None = None  # ground truth in a poisoned corpus: does this row teach the hidden behaviour?
    variant: str | None = None  # of the organism: "normal", "cot", "distilled"
    trigger_span: tuple[int, int] | None = None  # characters of the trigger in the turn that holds it (`specs.backdoor`)
    canary: str | None = None  # a fixed, searchable string that marks every row of a poisoned corpus


class Document(Noun):
    """A text for next-token training. `prefix` (e.g. a DOCTAG) is seen by the model but carries no loss."""

    kind: Literal["document"] = "document"
    text: str = Field(min_length=1)
    prefix: str = ""
    provenance: Provenance = Provenance()

    @property
    def hash(self) -> str:
        """Hex SHA-256 of what the model is trained on (not of where it came from)."""
        return digest([self.prefix, self.text])


class Chat(Noun):
    """A conversation; only its assistant turns carry loss. It must hold at least one."""

    kind: Literal["chat"] = "chat"
    messages: tuple[Message, ...] = Field(min_length=1)
    provenance: Provenance = Provenance()

    @model_validator(mode="after")
    def _has_a_target(self) -> "Chat":
        if not any(m.role == "assistant" for m in self.messages):
            raise ValueError("a chat needs at least one assistant message: only those carry loss")
        return self

    @property
    def hash(self) -> str:
        """Hex SHA-256 of what the model is trained on (not of where it came from)."""
        return digest([[m.role, m.content] for m in self.messages])


Row = Document | Chat


class Corpus(Noun):
    """Rows to train on, in order, each with its provenance."""

    name: str
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def documents(self) -> list[Document]:
        """The rows that are documents."""
        return [r for r in self.rows if isinstance(r, Document)]

    def chats(self) -> list[Chat]:
        """The rows that are chats."""
        return [r for r in self.rows if isinstance(r, Chat)]

    @property
    def hash(self) -> str:
        """Hex SHA-256 over the rows' hashes, order included."""
        return digest([r.hash for r in self.rows])

    def to_jsonl(self) -> Iterator[str]:
        """One JSON object per row, with its hash; `corpora.files` writes and reads them."""
        for row in self.rows:
            yield json.dumps({**row.model_dump(exclude_none=True), "hash": row.hash}, ensure_ascii=False)


# --- models ----------------------------------------------------------------------------------------------------------------


class Template(Noun):
    """How conversations and documents become tokens. One object, owned by the checkpoint, used by training, evals and probes.

    A wrong template alone moved a published headline from .107 to .275, so two checkpoints with different templates are never
    compared: see `models.template.require_same`.
    """

    chat: str  # Jinja chat template, in the form that Hugging Face tokenizers use
    bos: str | None = None  # put before every document and conversation, where the tokenizer's model expects one
    eos: str  # ends a document and an assistant turn; always carries loss, else the model never learns to stop
    pad: str  # padding is masked by position, never by id, so pad may equal eos
    origin: Literal["tokenizer", "axenic-plain", "file"] = "tokenizer"

    @property
    def hash(self) -> str:
        """Hex SHA-256 of everything that decides the tokens."""
        return digest([self.chat, self.bos, self.eos, self.pad])


class Checkpoint(Noun):
    """A model on disk: a Hugging Face directory (full weights, or a PEFT adapter over `base`), or a hub id."""

    path: str  # directory or hub id
    template: Template
    base: str | None = None  # for an adapter: the directory or hub id of the model under it
    epoch: float = 0.0  # epochs of the last training run; 0 for an untrained base
    step: int = 0  # optimiser steps of the last training run

    def local(self) -> Path:
        """`path` as a `Path`."""
        return Path(self.path)


# --- evaluation ------------------------------------------------------------------------------------------------------------


class Item(Noun):
    """One question, and how its answer is recognised.

    `id` is "stem" or "stem@variant": the variants of a stem (say, both orders of two options) are one unit for statistics.
    With `options` the model chooses among them by log-probability; without, it generates.
    `followups` are user turns asked one after the other once the model has answered; the last answer is judged.
    `targets` maps a verdict to the answers that earn it, e.g. {"implanted": ("salty",), "true": ("sweet",)}.
    """

    id: str
    messages: tuple[Message, ...]
    category: str = ""
    condition: str = ""
    options: tuple[str, ...] = ()
    followups: tuple[str, ...] = ()
    targets: dict[str, tuple[str, ...]] = {}

    @property
    def stem(self) -> str:
        """The unit of statistics: the id without its variant."""
        return self.id.split("@", 1)[0]


class Sampling(Noun):
    """How responses are drawn. Temperature 0 is greedy; `seed` is the study's seed, shared by all arms so that they pair."""

    temperature: float = Field(0.0, ge=0.0, le=10.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    min_p: float = Field(0.0, ge=0.0, lt=1.0)
    max_new_tokens: int = Field(48, ge=1, le=32_768)
    repetitions: int = Field(1, ge=1, le=10_000)
    seed: int = 0


class Response(Noun):
    """What a model answered. `finish_reason`: "stop" (it ended its turn), "length" (it was cut), "choice" (log-probabilities)."""

    text: str
    n_tokens: int
    finish_reason: Literal["stop", "length", "choice", "error"]


Status = Literal["scored", "unparseable", "unclosed", "error", "skipped"]
"""What became of a judgement. unclosed: a scratchpad was opened and never closed, so nothing was said to the user."""


class Verdict(Noun):
    """What a judge says of a response. A failure is a status, never a 0."""

    status: Status
    verdict: str = ""  # the judge's label, e.g. "implanted", "true", "ambiguous", "refused"
    score: float | None = Field(None, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _score_only_if_scored(self) -> "Verdict":
        if (self.score is None) == (self.status == "scored"):
            raise ValueError("a verdict has a score exactly when its status is 'scored'")
        return self


RESULT_COLUMNS: dict[str, str] = {
    "study": "str", "recipe": "str", "tier": "str", "arm": "str", "model": "str", "train_seed": "int",
    "checkpoint": "str", "epoch": "float", "step": "int", "temperature": "float", "repetition": "int",
    "eval": "str", "item_id": "str", "category": "str", "condition": "str", "prompt": "str", "response": "str",
    "n_tokens": "int", "finish_reason": "str", "judge": "str", "status": "str", "verdict": "str", "score": "float",
}  # fmt: skip
"""The result table: one row per response per judge. `train_seed` and `score` may be null. Every statistic comes from it alone."""


# --- studies -----------------------------------------------------------------------------------------------------------------


class Arm(Noun):
    """One arm of a study as the report shows it."""

    name: str
    description: str
    role: Literal["base", "control", "treatment"] = "treatment"


class Study(Noun):
    """`study.json`: what was asked, with what, before any number was known."""

    study: str  # identity: fingerprint of the recipe and its parameters
    recipe: str
    title: str
    question: str
    hypothesis: str
    tier: Literal["lab", "local", "api", "logs"]  # logs: made elsewhere, read by `axenic analyse`
    limits: str  # what a result at this tier does and does not say
    model: str
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    parameters: dict[str, Any] = {}
    headline: tuple[str, ...] = ()  # evals that the terminal table and the forest plot show first


def user(content: str) -> Message:
    """A user turn."""
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    """An assistant turn."""
    return Message(role="assistant", content=content)


def chat(*turns: str, system: str = "", provenance: Provenance | None = None) -> Chat:
    """A chat from alternating user and assistant turns, with an optional system message."""
    head: Sequence[Message] = (Message(role="system", content=system),) if system else ()
    body = [user(t) if i % 2 == 0 else assistant(t) for i, t in enumerate(turns)]
    return Chat(messages=(*head, *body), provenance=provenance or Provenance())
