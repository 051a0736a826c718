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


def near_rate(texts: Sequence[str], *, threshold: float = 0.8, n: int = 5) -> float:
    """Share of texts that are a near-duplicate of an earlier text that is not one itself (exact copies included): see `repeats`."""
    return sum(repeats(texts, threshold=threshold, n=n)) / len(texts) if texts else 0.0


def repeats(texts: Sequence[str], *, threshold: float = 0.8, n: int = 5) -> list[bool]:
    """For each text, whether it is a near-duplicate of an earlier one that is not one itself.

    Args:
        texts: The documents.
        threshold: Jaccard similarity of the sets of word `n`-grams from which two texts are near-duplicates.
        n: Words per gram.
    """
    shingles = [frozenset(zlib.crc32(g.encode()) for g in grams(words(t), n)) for t in texts]
    index = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS if threshold >= 0.8 else LOOSE_BANDS)
    sketches = np.zeros((len(texts), PERMUTATIONS), dtype=np.uint64)
    near: list[bool] = []
    for i, sketch in enumerate(MinHash.generator(shingles, num_perm=PERMUTATIONS, hashfunc=int)):
        sketches[i] = sketch.hashvalues
        candidates = np.array(index.query(sketch), dtype=np.intp)
        agreement = (sketches[candidates] == sketches[i]).mean(axis=1)
        likely = candidates[agreement >= threshold - SLACK]
        near.append(any(_jaccard(shingles[i], shingles[j]) >= threshold for j in likely))
        if not near[-1]:
            index.insert(i, sketch, check_duplication=False)
    return near


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
