"""Self-generated data: the same prompts, answered by the model that is to be fine-tuned.

In: a corpus of chats and a model (or its answers). Out: a corpus with the model's own answers in place of the last ones. Fraser
et al. 2025 (PROTOCOLS 4): training on it moves safety far less, so content and form of the data do the harm, not training as such.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from axenic.errors import UserError
from axenic.models.protocol import Model
from axenic.schema import Chat, Corpus, Message, OnProgress, Response, Sampling, assistant, digest, no_progress

What = Literal["answered", "empty", "truncated", "error"]
WRITER = "self"


@dataclass(frozen=True)
class Generated:
    """A self-generated corpus. `kept` are the positions of its rows in the original, `counts` what became of every prompt."""

    corpus: Corpus
    kept: tuple[int, ...]
    counts: dict[str, int]

    def same_prompts(self, original: Corpus) -> Corpus:
        """The original's rows with the prompts that were kept, so that both arms are asked alike."""
        return Corpus(name=original.name, rows=tuple(original.rows[i] for i in self.kept))


def prompts(corpus: Corpus) -> list[tuple[Message, ...]]:
    """Every chat up to its last assistant turn; earlier answers in a conversation stay as they are.

    Raises:
        UserError: A row is a document or a chat that begins with an answer: there is nothing to ask.
    """
    return [_prompt(row, i, corpus.name) for i, row in enumerate(corpus.rows)]


def self_generated(corpus: Corpus, answers: Sequence[str], *, name: str = "") -> Corpus:
    """The same prompts with other answers, in order.

    Raises:
        UserError: As `prompts`; or the answers are not as many as the rows.
        ValueError: An answer is blank: decide by `regenerate` what becomes of it.
    """
    if len(answers) != len(corpus):
        raise UserError(f"The corpus {corpus.name!r} has {len(corpus)} rows, but {len(answers)} answers were given.")
    blank = next((i for i, answer in enumerate(answers) if not answer.strip()), None)
    if blank is not None:
        raise ValueError(f"answer {blank} is blank")
    rows = []
    for row, asked, answer in zip(corpus.rows, prompts(corpus), answers, strict=True):
        written = row.provenance.model_copy(update={"writer": WRITER, "parent": row.hash})
        rows.append(Chat(messages=(*asked, assistant(answer.strip())), provenance=written))
    return Corpus(name=name or f"{corpus.name} self-generated", rows=tuple(rows))


def regenerate(
    model: Model,
    corpus: Corpus,
    *,
    sampling: Sampling,
    keep_truncated: bool = False,
    name: str = "",
    on_progress: OnProgress = no_progress,
) -> Generated:
    """Ask the model every prompt and make a corpus of its answers.

    Failed and empty answers are left out, since there is nothing to learn in them. Truncated ones (cut at
    `sampling.max_new_tokens`) are left out too unless `keep_truncated`: they would teach the model to end in mid-sentence.
    All are counted. An answer depends on its prompt and the sampling's seed alone, not on its company.

    Raises:
        UserError: As `prompts`; or not one answer is left.
    """
    asked = prompts(corpus)
    ids = [f"self/{digest([[m.role, m.content] for m in messages])}" for messages in asked]
    responses = model.generate(asked, sampling=sampling, ids=ids, on_progress=on_progress)
    found = [outcome(response) for response in responses]
    wanted = {"answered", "truncated"} if keep_truncated else {"answered"}
    kept = tuple(i for i, what in enumerate(found) if what in wanted)
    counts = {what: Counter(found)[what] for what in ("answered", "empty", "truncated", "error")}
    if not kept:
        said = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
        raise UserError(
            f"The model answered no prompt of {corpus.name!r} in full ({said}). Raise max_new_tokens or check the model."
        )
    original = Corpus(name=corpus.name, rows=tuple(corpus.rows[i] for i in kept))
    return Generated(self_generated(original, [responses[i].text for i in kept], name=name), kept, counts)


def outcome(response: Response) -> What:
    """What an answer is worth as training data."""
    if response.finish_reason == "error":
        return "error"
    if not response.text.strip():
        return "empty"
    return "truncated" if response.finish_reason == "length" else "answered"


def _prompt(row: object, number: int, name: str) -> tuple[Message, ...]:
    if not isinstance(row, Chat):
        raise UserError(f"Row {number + 1} of {name!r} is a document, not a chat: there is no prompt that a model could answer.")
    last = max(i for i, m in enumerate(row.messages) if m.role == "assistant")
    if not any(m.role == "user" for m in row.messages[:last]):
        raise UserError(f"Row {number + 1} of {name!r} has no user turn before its last answer: there is no prompt to answer.")
    return row.messages[:last]
