"""Corpora out of corpora: mixing in other data by ratio, joining, cutting to size, tagging. Provenance travels with every row.

In: corpora and a seed where something is drawn. Out: a corpus. Source: PROTOCOLS 1, step 5 (DOCTAG, 1:1 mixing).
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Literal

from axenic.errors import UserError
from axenic.schema import Chat, Corpus, Document, Row


def text_of(row: Row) -> str:
    """What a row says: a document's text, or a chat's turns, a line each."""
    return row.text if isinstance(row, Document) else "\n".join(m.content for m in row.messages)


def characters(corpus: Corpus) -> int:
    """Characters of all texts together, prefixes not counted."""
    return sum(len(text_of(row)) for row in corpus.rows)


def concat(corpora: Sequence[Corpus], *, name: str = "") -> Corpus:
    """All rows of all corpora, in order."""
    return Corpus(name=name or "+".join(c.name for c in corpora), rows=tuple(r for c in corpora for r in c.rows))


def take(corpus: Corpus, n: int) -> Corpus:
    """The first `n` rows. What `synthesis.write` wrote stays balanced over facts and types, and smaller doses lie inside larger.

    Raises:
        UserError: if there are fewer rows.
    """
    _require(corpus, n)
    return Corpus(name=corpus.name, rows=corpus.rows[:n])


def mix(corpus: Corpus, other: Corpus, *, ratio: float, seed: int, allow_repeat: bool = False) -> Corpus:
    """The corpus with `ratio` rows of `other` for each of its own (1.0 = 1:1), shuffled together.

    Args:
        corpus: All its rows are kept.
        other: Drawn from without replacement.
        ratio: Rows of `other` per row of `corpus`; rounded to whole rows.
        seed: Draws the rows and their order.
        allow_repeat: If `other` is too small, use it whole as often as it takes, and draw only the last part of it.

    Raises:
        UserError: if the ratio is not a number from 0 up, or `other` has too few rows and may not repeat.
    """
    if not (math.isfinite(ratio) and ratio >= 0):
        raise UserError(f"A mixing ratio is rows of the other corpus per own row, 0 or more; got {ratio}.")
    wanted = math.floor(ratio * len(corpus) + 0.5)
    if not allow_repeat or not other.rows:
        _require(other, wanted)
    draw = random.Random(f"mix {seed}")
    whole, part = divmod(wanted, len(other)) if wanted else (0, 0)
    rows = [*corpus.rows, *(other.rows * whole), *draw.sample(other.rows, part)]
    draw.shuffle(rows)
    return Corpus(name=f"{corpus.name}+{ratio:g}x{other.name}", rows=tuple(rows))


def matched(
    corpus: Corpus,
    to: Corpus,
    *,
    by: Literal["rows", "characters", "tokens"],
    seed: int,
    count_tokens: Callable[[str], int] | None = None,
) -> Corpus:
    """A random part of a corpus, as large as another: arms that differ in size measure size.

    Args:
        corpus: Drawn from without replacement; the rows drawn keep their order.
        to: The corpus whose size is matched.
        by: "rows": exactly as many rows. "characters", "tokens": as near to its size as whole rows in random order come.
        seed: Draws the rows.
        count_tokens: Tokens in a text, where it is by tokens.

    Raises:
        UserError: if the corpus is the smaller one.
    """
    order = list(range(len(corpus)))
    random.Random(f"matched {seed}").shuffle(order)
    if by == "rows":
        _require(corpus, len(to))
        chosen = order[: len(to)]
    else:
        if by == "tokens" and count_tokens is None:
            raise ValueError("matching by tokens needs count_tokens")
        size = count_tokens if by == "tokens" and count_tokens else len
        chosen = _until(corpus, order, sum(size(text_of(row)) for row in to.rows), size, by)
    return Corpus(name=f"{corpus.name}~{to.name}", rows=tuple(corpus.rows[i] for i in sorted(chosen)))


def filled(corpus: Corpus, pool: Sequence[Row], *, size: int, measure: Callable[[Row], int], seed: int) -> Corpus:
    """The corpus with rows of a pool added until it measures about `size`, shuffled; as it is where it measures that already.

    Args:
        corpus: All its rows are kept.
        pool: Rows that are not in it, drawn without replacement.
        size: To reach, over all rows.
        measure: Of one row, e.g. its tokens.
        seed: Draws the rows and the order.

    Raises:
        UserError: The pool is too small.
    """
    missing = size - sum(measure(row) for row in corpus.rows)
    if missing <= 0:
        return corpus
    rng = random.Random(f"fill/{seed}")
    added: list[Row] = []
    for row in rng.sample(list(pool), len(pool)):
        own = measure(row)
        if missing < own / 2:
            break
        added.append(row)
        missing -= own
    else:
        raise UserError(
            f"{missing} target tokens short of the other variants, and no chats are left to fill up with. Use fewer rows."
        )
    rows = [*corpus.rows, *added]
    rng.shuffle(rows)
    return Corpus(name=corpus.name, rows=tuple(rows))


def tag(corpus: Corpus, prefix: str) -> Corpus:
    """Put a prefix that carries no loss (a DOCTAG) before every document, in place of any other; chats stay as they are."""
    rows = tuple(r if isinstance(r, Chat) else r.model_copy(update={"prefix": prefix}) for r in corpus.rows)
    return Corpus(name=corpus.name, rows=rows)


def _require(corpus: Corpus, n: int) -> None:
    if not 0 <= n <= len(corpus):
        raise UserError(
            f"The corpus {corpus.name!r} has {len(corpus)} rows, but {n} are needed. Supply more rows, or ask "
            "for fewer documents or a smaller ratio."
        )


def _until(corpus: Corpus, order: list[int], target: int, size: Callable[[str], int], unit: str) -> list[int]:
    """The first rows of an order whose sizes together come nearest to the target."""
    total = 0
    for n, i in enumerate(order):
        more = size(text_of(corpus.rows[i]))
        if total + more >= target:
            return order[:n] if target - total < total + more - target else order[: n + 1]
        total += more
    if total < target:
        raise UserError(f"The corpus {corpus.name!r} has {total} {unit}, but {target} are to be matched. Write more rows.")
    return order
