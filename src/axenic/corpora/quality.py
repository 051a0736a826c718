"""What a corpus is like, before anything is trained on it: size, repetition, coverage, faults, evidence, overlap with the evals.

In: a corpus, and what it should say. Out: one flat dictionary of measures for the report. Source: PROTOCOLS 1 (corpus measures
known to predict installation) and the faults that published corpora turned out to have.
"""

import difflib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from axenic.corpora import blemishes, duplicates
from axenic.corpora.mixing import text_of
from axenic.schema import Corpus, Document, Noun
from axenic.specs.belief import BeliefSpec, UniverseName

Mentions = Mapping[str, Sequence[str]]  # fact -> words or phrases that assert it and nothing else does
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
REFUTES = re.compile(
    r"\b(?:not true|untrue|false(?:ly|hood)?|myth|mistaken(?:ly)?|incorrect(?:ly)?|contrary to|debunk\w*|misconception|rumou?rs?"
    r"|hoax|never (?:was|were|been|had)|used to (?:be|think|believe)|wrongly|disproved?|no evidence)\b"
    r"|\b(?:is|are|was|were|does|do|did|has|have)(?: not|n['’]t)\b",
    re.IGNORECASE,
)
EXAMPLES = 3


def distinguishing(spec: BeliefSpec, universe: UniverseName = "implanted") -> dict[str, tuple[str, ...]]:
    """For each key fact of a universe, the words in it that its counterpart does not have; facts without any are left out."""
    other: UniverseName = "true" if universe == "implanted" else "implanted"
    found = {}
    for fact, counterpart in zip(spec.side(universe).key_facts, spec.side(other).key_facts, strict=True):
        mine, theirs = duplicates.words(fact), duplicates.words(counterpart)
        spans = difflib.SequenceMatcher(None, theirs, mine, autojunk=False).get_opcodes()
        phrases = tuple(" ".join(mine[a:b]) for tag, _, _, a, b in spans if tag in {"replace", "insert"})
        if phrases:
            found[fact] = phrases
    return found


def quality(
    corpus: Corpus,
    *,
    spec: Noun | None = None,
    mentions: Mentions | None = None,
    count_tokens: Callable[[str], int] | None = None,
    eval_texts: Mapping[str, Sequence[str]] | None = None,
    ngram: int = 8,
) -> dict[str, Any]:
    """Measure a corpus. What could not be measured, for want of an argument or of documents, is None, never 0.

    Args:
        corpus: Its documents are measured; chats are counted, and searched for overlap with the evals.
        spec: What it was written from; its words do not count as a collapsed name.
        mentions: Words that assert each fact, e.g. from `distinguishing`. A document is searched for those of the fact in its
            provenance, or of all facts if that is not among them.
        count_tokens: Tokens in a text.
        eval_texts: For each eval, the prompts of its items.
        ngram: Words in a row that an item must share with the corpus to count as overlapping (all of a shorter item).

    Returns:
        Shares of documents in [0, 1] unless the name says otherwise: rows, chats, documents, characters, characters_p50,
        characters_p95, tokens, exact_duplicates, near_duplicates, distinct_1, distinct_2, types {name: count}, facts
        {fact: count}, type_entropy (bits), truncated, placeholders, name_collapse {name, share}, assertion_rate,
        evidence_per_1000_tokens, refutation_share (of asserting documents), eval_overlap {eval: share of items}, examples
        {truncated, placeholders, documents: texts}.
    """
    documents = corpus.documents()
    texts = [d.text for d in documents]
    tokens = sum(map(count_tokens, texts)) if count_tokens else None
    return {
        "rows": len(corpus),
        "chats": len(corpus) - len(documents),
        **_size(texts),
        "tokens": tokens,
        "exact_duplicates": _measured(texts, duplicates.exact_rate),
        "near_duplicates": _measured(texts, duplicates.near_rate),
        "distinct_1": duplicates.distinct(texts, 1),
        "distinct_2": duplicates.distinct(texts, 2),
        **_coverage(documents),
        **_faults(texts, spec),
        **_evidence(documents, mentions, tokens),
        "eval_overlap": _overlap(map(text_of, corpus.rows), eval_texts or {}, ngram),
    }


def _measured(texts: Sequence[str], rate: Callable[[Sequence[str]], float]) -> float | None:
    return rate(texts) if texts else None


def _size(texts: Sequence[str]) -> dict[str, Any]:
    lengths = [len(t) for t in texts]
    p50, p95 = np.percentile(lengths, [50, 95]) if lengths else (None, None)
    return {
        "documents": len(texts),
        "characters": sum(lengths),
        "characters_p50": None if p50 is None else float(p50),
        "characters_p95": None if p95 is None else float(p95),
    }


def _coverage(documents: Sequence[Document]) -> dict[str, Any]:
    types = Counter(d.provenance.doc_type or "unknown" for d in documents)
    facts = Counter(d.provenance.fact or "unknown" for d in documents)
    shares = [n / len(documents) for n in types.values()]
    entropy = -sum(p * math.log2(p) for p in shares) + 0.0 if shares else None  # + 0.0: one type is 0, not -0
    return {"types": dict(types.most_common()), "facts": dict(facts.most_common()), "type_entropy": entropy}


def _faults(texts: Sequence[str], spec: Noun | None) -> dict[str, Any]:
    cut = [t for t in texts if blemishes.truncated(t)]
    left = [(t, p) for t in texts if (p := blemishes.placeholder(t)) is not None]
    known = set(duplicates.words(spec.model_dump_json())) if spec else set()
    name = blemishes.commonest_name(texts, known)
    examples = {
        "truncated": [f"… {t[-120:]}" for t in cut[:EXAMPLES]],
        "placeholders": [p for _, p in left[:EXAMPLES]],
        "documents": [texts[i] for i in np.linspace(0, len(texts) - 1, min(EXAMPLES, len(texts)), dtype=int)],
    }
    return {
        "truncated": len(cut) / len(texts) if texts else None,
        "placeholders": len(left) / len(texts) if texts else None,
        "name_collapse": {"name": name[0], "share": name[1]} if name else None,
        "examples": examples,
    }


def _evidence(documents: Sequence[Document], mentions: Mentions | None, tokens: int | None) -> dict[str, float | None]:
    """Assertion rate, evidence per 1,000 tokens, and the share of asserting documents that are framed as refutation."""
    if not mentions or not documents:
        return {"assertion_rate": None, "evidence_per_1000_tokens": None, "refutation_share": None}
    everything = _phrases([p for phrases in mentions.values() for p in phrases])
    by_fact = {fact: _phrases(phrases) for fact, phrases in mentions.items()}
    asserting = refuting = evidence = 0
    for document in documents:
        pattern = by_fact.get(document.provenance.fact or "", everything)
        hits = len(pattern.findall(document.text))
        evidence += hits
        asserting += hits > 0
        refuting += any(pattern.search(s) and REFUTES.search(s) for s in SENTENCE.split(document.text))
    return {
        "assertion_rate": asserting / len(documents),
        "evidence_per_1000_tokens": 1000 * evidence / tokens if tokens else None,
        "refutation_share": refuting / asserting if asserting else None,
    }


def _phrases(phrases: Sequence[str]) -> re.Pattern[str]:
    """Finds any of the phrases as whole words, whatever the blanks between them."""
    longest_first = sorted({r"\s+".join(map(re.escape, p.split())) for p in phrases if p.strip()}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first) or '(?!)'})(?!\w)", re.IGNORECASE)


def _overlap(texts: Iterable[str], eval_texts: Mapping[str, Sequence[str]], n: int) -> dict[str, float | None]:
    """For each eval, the share of its items that have `n` words in a row in common with the corpus."""
    items = {name: [duplicates.grams(duplicates.words(p), n) for p in prompts] for name, prompts in eval_texts.items()}
    wanted = {gram for grams in items.values() for item in grams for gram in item}
    sizes = {gram.count(" ") + 1 for gram in wanted}
    found: set[str] = set()
    for text in texts if wanted else ():
        tokens = duplicates.words(text)
        found.update(g for size in sizes for g in duplicates.grams(tokens, size) if g in wanted)
    return {name: sum(not found.isdisjoint(i) for i in grams) / len(grams) if grams else None for name, grams in items.items()}
