"""How much a corpus repeats itself: exact copies, near-duplicates, and the share of distinct words and word pairs.

In: texts. Out: shares. Near-duplicates are found by MinHash with locality-sensitive hashing (Broder 1997; datasketch) and then
confirmed by the exact Jaccard similarity of their word 5-grams, so the rate holds no false positive.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH

WORD = re.compile(r"\w+(?:['’]\w+)*")
PERMUTATIONS = 64
BANDS = (12, 5)  # (bands, rows): a pair at Jaccard 0.8 becomes a candidate with probability 0.99
LOOSE_BANDS = (21, 3)  # for lower thresholds: a pair at Jaccard 0.6 becomes a candidate with probability 0.99
SLACK = 0.2  # four standard errors of the MinHash estimate at 0.8: below, the exact comparison is not worth its time


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return WORD.findall(text.lower())


def grams(tokens: Sequence[str], n: int) -> list[str]:
    """The word n-grams of a text; a text shorter than `n` words is one gram."""
    if len(tokens) < n:
        return [" ".join(tokens)] if tokens else []
    return [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def exact_rate(texts: Sequence[str]) -> float:
    """Share of texts that repeat an earlier one, blanks and case aside."""
    return 1 - len({" ".join(t.lower().split()) for t in texts}) / len(texts) if texts else 0.0


class NearIndex:
    """Texts seen so far, and whether a further one is a near-duplicate of any of them."""

    def __init__(self, *, threshold: float = 0.8, n: int = 5) -> None:
        """`threshold`: Jaccard similarity of the sets of word `n`-grams from which two texts are near-duplicates."""
        self._threshold, self._n = threshold, n
        self._index = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS if threshold >= 0.8 else LOOSE_BANDS)
        self._shingles: list[frozenset[int]] = []
        self._sketches: list[np.ndarray] = []  # type: ignore[type-arg]

    def shingles(self, text: str) -> frozenset[int]:
        """The hashed word n-grams of a text."""
        return frozenset(zlib.crc32(g.encode()) for g in grams(words(text), self._n))

    def add(self, text: str) -> bool:
        """Whether a text is new. One that is not is not kept: a chain of small changes is no chain of duplicates."""
        shingles = self.shingles(text)
        return self.add_sketched(shingles, next(MinHash.generator([shingles], num_perm=PERMUTATIONS, hashfunc=int)))

    def add_sketched(self, shingles: frozenset[int], sketch: MinHash) -> bool:
        """As `add`, for a text that is sketched already; many at once are sketched faster."""
        candidates = self._index.query(sketch)
        likely = [i for i in candidates if (self._sketches[i] == sketch.hashvalues).mean() >= self._threshold - SLACK]
        if any(_jaccard(shingles, self._shingles[i]) >= self._threshold for i in likely):
            return False
        self._index.insert(len(self._shingles), sketch, check_duplication=False)
        self._shingles.append(shingles)
        self._sketches.append(sketch.hashvalues)
        return True


def near_rate(texts: Sequence[str], *, threshold: float = 0.8, n: int = 5) -> float:
    """Share of texts that are a near-duplicate of an earlier text that is not one itself (exact copies included).

    Args:
        texts: The documents.
        threshold: Jaccard similarity of the sets of word `n`-grams from which two texts are near-duplicates.
        n: Words per gram.
    """
    index = NearIndex(threshold=threshold, n=n)
    shingles = [index.shingles(t) for t in texts]
    sketches = MinHash.generator(shingles, num_perm=PERMUTATIONS, hashfunc=int)
    near = sum(not index.add_sketched(one, sketch) for one, sketch in zip(shingles, sketches, strict=True))
    return near / len(texts) if texts else 0.0


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Distinct-n (Li et al. 2016): different word n-grams over all word n-grams. It falls with size: compare equal sizes only."""
    total, seen = 0, set()
    for text in texts:
        tokens = words(text)
        found = list(zip(*(tokens[i:] for i in range(n)), strict=False))
        total += len(found)
        seen.update(found)
    return len(seen) / total if total else None


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 1.0
