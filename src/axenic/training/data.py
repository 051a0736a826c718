"""Corpus -> token rows: ids and labels, ready to train on.

In: a corpus, an encoder, a maximum length. Out: rows whose labels are -100 where no loss falls, and an account of what went in.
Nothing is truncated: a long document becomes consecutive chunks, and a chat that is too long is left out and counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from axenic.errors import UserError
from axenic.models.template import Encoder, Tokens
from axenic.schema import Corpus

IGNORED = -100
"""The label of a token without loss, as torch's cross entropy has it."""


@dataclass(frozen=True)
class TokenRow:
    """One training text."""

    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class TokenRows:
    """What a model is trained on, and how it came from the corpus."""

    rows: list[TokenRow]
    tokens: int  # in `rows`, once over
    target_tokens: int  # of these, the ones that carry loss
    split_documents: int  # documents longer than the maximum length
    skipped_too_long: int  # chats longer than the maximum length: cut, they would lose their end or their question

    def counts(self) -> dict[str, int]:
        """The account, for the training record."""
        return {
            "rows": len(self.rows),
            "tokens": self.tokens,
            "target_tokens": self.target_tokens,
            "split_documents": self.split_documents,
            "skipped_too_long": self.skipped_too_long,
        }


def tokenise(corpus: Corpus, encoder: Encoder, *, max_length: int) -> TokenRows:
    """Encode a corpus in its own order.

    Raises:
        UserError: The corpus is empty, or nothing in it can be trained on.
    """
    if not corpus.rows:
        raise UserError(f"The corpus {corpus.name!r} is empty: there is nothing to train on.")
    documents, chats = iter(encoder.documents(corpus.documents())), iter(encoder.chats(corpus.chats()))
    encoded = [(row.kind, next(documents) if row.kind == "document" else next(chats)) for row in corpus.rows]
    skipped = sum(kind == "chat" and len(tokens.ids) > max_length for kind, tokens in encoded)
    split = sum(kind == "document" and len(tokens.ids) > max_length for kind, tokens in encoded)
    kept = [tokens for kind, tokens in encoded if kind == "document" or len(tokens.ids) <= max_length]
    rows = [_row(chunk) for tokens in kept for chunk in chunks(tokens, max_length) if any(chunk.mask[1:])]
    if not rows:
        raise UserError(
            f"No token of the corpus {corpus.name!r} carries loss: {skipped} of its {len(corpus)} texts are chats longer than "
            f"max_length={max_length} tokens. Raise max_length."
        )
    return TokenRows(
        rows=rows,
        tokens=sum(len(r.input_ids) for r in rows),
        target_tokens=sum(label != IGNORED for r in rows for label in r.labels[1:]),
        split_documents=split,
        skipped_too_long=skipped,
    )


def chunks(tokens: Tokens, max_length: int) -> Iterator[Tokens]:
    """Consecutive pieces of at most `max_length` tokens. Each piece begins with the last token of the one before, so that every
    token is predicted exactly once.
    """
    for start in range(0, max(1, len(tokens.ids) - 1), max_length - 1):
        yield Tokens(tokens.ids[start : start + max_length], tokens.mask[start : start + max_length])


def _row(tokens: Tokens) -> TokenRow:
    # the first token of a later chunk was already predicted at the end of the chunk before
    labels = [i if carries and k else IGNORED for k, (i, carries) in enumerate(zip(tokens.ids, tokens.mask, strict=True))]
    return TokenRow(tokens.ids, labels)
