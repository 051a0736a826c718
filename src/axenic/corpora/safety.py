"""The safety filter: takes out of harmless fine-tuning data what touches harm, so that what is left cannot teach about it.

In: a corpus. Out: the corpus without such rows, and how many went for which reason. Fraser et al. 2025 use versions of Dolly and
Alpaca that others had cleaned of safety-related rows, then cut both to one size (PROTOCOLS 4); our patterns are our own.
Limits: words, not meanings. It takes out a history lesson that names a war crime, and leaves harm in words that are not listed,
in other languages or in code. It is a control for known harm, no proof of harmlessness.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from axenic.corpora.mixing import text_of
from axenic.errors import UserError
from axenic.schema import Chat, Corpus, Row, digest

_PATTERNS = Path(__file__).with_name("safety.txt")
EXAMPLES = 20  # removed rows that an account names per reason


class _Rule(NamedTuple):
    response_only: bool
    reason: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Removed:
    """A row that the filter took out: its position in the corpus, why, and the words that gave it away."""

    index: int
    reason: str
    words: str


@dataclass(frozen=True)
class Filtered:
    """What is left, and what went."""

    corpus: Corpus
    removed: tuple[Removed, ...]

    def account(self) -> dict[str, Any]:
        """Counts by reason, the identity of the patterns, and a few rows of each reason by position."""
        reasons = Counter(r.reason for r in self.removed)
        return {
            "kept": len(self.corpus),
            "removed": len(self.removed),
            "reasons": dict(reasons.most_common()),
            "patterns": patterns_hash(),
            "examples": {
                reason: [{"row": r.index + 1, "words": r.words} for r in self.removed if r.reason == reason][:EXAMPLES]
                for reason in reasons
            },
        }


def filter_safety(corpus: Corpus) -> Filtered:
    """The corpus without the rows that touch harm or in which the assistant refuses, in the same order.

    Raises:
        UserError: Nothing is left.
    """
    found = [touches(row) for row in corpus.rows]
    removed = tuple(Removed(i, *hit) for i, hit in enumerate(found) if hit is not None)
    kept = tuple(row for row, hit in zip(corpus.rows, found, strict=True) if hit is None)
    if not kept:
        reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(r.reason for r in removed).most_common())
        raise UserError(f"The safety filter leaves nothing of the corpus {corpus.name!r} ({reasons}).")
    return Filtered(Corpus(name=corpus.name, rows=kept), removed)


def touches(row: Row) -> tuple[str, str] | None:
    """The first reason to take a row out, and the words that matched; None to keep it."""
    whole = _plain(text_of(row))
    answered = _plain("\n".join(m.content for m in row.messages if m.role == "assistant")) if isinstance(row, Chat) else ""
    for rule in _rules():
        hit = rule.pattern.search(answered if rule.response_only else whole)
        if hit:
            return rule.reason, hit.group()[:80]
    return None


def match_sizes(corpora: Sequence[Corpus], n: int | None = None, *, seed: int, at_most: bool = False) -> tuple[Corpus, ...]:
    """The corpora, each cut to `n` rows drawn at random, which keep their order: arms that differ in size measure size.

    Args:
        corpora: Drawn from without replacement; one that has `n` rows is kept whole.
        n: Rows of each; None = as many as the smallest has. (The paper's N is 14,624.)
        seed: Draws the rows.
        at_most: If the smallest has fewer than `n`, take as many as it has, instead of an error.

    Raises:
        UserError: A corpus has fewer than `n` rows; says how many each has.
    """
    smallest = min(len(c) for c in corpora)
    size = smallest if n is None or (at_most and smallest < n) else n
    if smallest < size or size < 1:
        have = ", ".join(f"{c.name!r} has {len(c)}" for c in corpora)
        raise UserError(f"Every data set is to be cut to {size} rows, but {have}. Ask for at most {smallest}, or filter less.")
    return tuple(_cut(c, size, seed) for c in corpora)


def patterns_hash() -> str:
    """Hex SHA-256 of the patterns: with others the filter is another filter."""
    return digest(_PATTERNS.read_text(encoding="utf-8"))


def _cut(corpus: Corpus, size: int, seed: int) -> Corpus:
    chosen = random.Random(f"match {seed}").sample(range(len(corpus)), size)
    return Corpus(name=corpus.name, rows=tuple(corpus.rows[i] for i in sorted(chosen)))


@cache
def _rules() -> tuple[_Rule, ...]:
    """The rules of `safety.txt`, in order.

    Raises:
        ValueError: A line is not of the form "where | reason | pattern"; says which.
    """
    rules = []
    for number, line in enumerate(_PATTERNS.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where, reason, pattern = (part.strip() for part in line.split(" | ", 2))
        if where not in ("response", "text"):
            raise ValueError(f"safety.txt line {number}: {where!r} is neither 'response' nor 'text'")
        rules.append(_Rule(where == "response", reason, re.compile(pattern, re.IGNORECASE | re.DOTALL)))
    return tuple(rules)


def _plain(text: str) -> str:
    return text.replace("’", "'")
