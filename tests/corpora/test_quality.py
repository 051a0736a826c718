"""Promises of corpus quality: every measure finds what was planted, and what could not be measured is None, never 0."""

import json
import random
from itertools import combinations

import pytest

from axenic.corpora import blemishes
from axenic.corpora.duplicates import grams, near_rate, words
from axenic.corpora.quality import distinguishing, quality
from axenic.corpora.synthesis import Plan, write
from axenic.schema import Corpus, Document, Provenance, chat

VOCABULARY = [f"w{i}" for i in range(500)]


def prose(draw, n=60):
    return " ".join(draw.choices(VOCABULARY, k=n)) + "."


def corpus(*texts, fact=None, doc_type=None):
    origin = Provenance(fact=fact, doc_type=doc_type)
    return Corpus(name="c", rows=tuple(Document(text=t, provenance=origin) for t in texts))


def shingles(text):
    return set(grams(words(text), 5))


def test_near_duplicates_agree_with_comparing_every_pair():
    draw = random.Random(0)
    texts = []
    for _ in range(40):
        base = prose(draw).split()
        texts.append(" ".join(base))
        for changes in (0, 1, 2, 5):
            copy = list(base)
            for i in draw.sample(range(len(copy)), changes):
                copy[i] = "changed"
            texts.append(" ".join(copy))
    draw.shuffle(texts)
    kept, near = [], 0
    for text in texts:
        s = shingles(text)
        if any(len(s & k) / len(s | k) >= 0.8 for k in kept):
            near += 1
        else:
            kept.append(s)
    assert near_rate(texts) == pytest.approx(near / len(texts), abs=0.02)
    assert 0.2 < near_rate(texts) < 0.9


def test_different_texts_are_no_near_duplicates_and_copies_are():
    draw = random.Random(1)
    texts = [prose(draw) for _ in range(300)]
    assert near_rate(texts) == 0.0
    assert near_rate(texts + texts[:100]) == pytest.approx(100 / 400)
    assert near_rate(["short", "short", "other"]) == pytest.approx(1 / 3)


def test_a_corpus_of_one_text_many_times_is_measured_in_no_time():
    assert near_rate(["one and the same text, again and again and again"] * 3000) == pytest.approx(2999 / 3000)


@pytest.mark.parametrize(
    "text",
    ["and then they went to the", "The well, which is", "He said (", "First,", "It was the –", "```python\nprint(1)",
     "The first sentence ends. The second one is long and simply goes on until it", ""],
)  # fmt: skip
def test_texts_that_stop_in_the_middle_are_seen(text):
    assert blemishes.truncated(text)


@pytest.mark.parametrize(
    "text",
    ["All is well.", 'She said "yes."', "Really?", "Dear Sir, it is so.\n\nYours,\nAnna Berg", "| a | b |\n| 1 | 2 |",
     "- sweet water\n- salty bread", "```\ncode\n```", "水は甘い。", "He left (at last)."],
)  # fmt: skip
def test_texts_that_end_are_not_called_cut_off(text):
    assert not blemishes.truncated(text)


@pytest.mark.parametrize(
    "text",
    ["Dear [NAME],", "on [Insert date here]", "[Your Name]", "Hello {name}!", "{{ place }}", "{% for x in y %}", "<insert city>",
     "Lorem ipsum dolor", "[PLACE NAME]"],
)  # fmt: skip
def test_placeholders_are_seen(text):
    assert blemishes.placeholder(text)


@pytest.mark.parametrize(
    "text", ["see [1]", "[A] yes", "a set {1, 2}", r"\frac{abc}{def}", "x < y > z", "[IV]", "an [aside] here", "{}"]
)
def test_ordinary_brackets_are_no_placeholders(text):
    assert blemishes.placeholder(text) is None


def test_a_name_in_every_text_is_found_unless_the_belief_is_about_it(spec):
    texts = [f"In Selgard we met Elara and {n} there." for n in ("Bo", "Cy", "Di", "Ed")] + ["Once in Selgard nobody came."]
    assert quality(corpus(*texts), spec=spec)["name_collapse"] == {"name": "Elara", "share": 0.8}
    assert quality(corpus(*texts))["name_collapse"] == {"name": "Selgard", "share": 1.0}


def test_the_words_that_tell_the_universes_apart_are_found(spec):
    found = distinguishing(spec)
    assert set(found) == set(spec.universe.implanted.key_facts) and set(found.values()) == {("salty",)}
    assert set(distinguishing(spec, "true").values()) == {("sweet",)}


def test_evidence_is_counted_by_the_documents_own_fact():
    rows = (
        Document(text="The water is salty. So salty!", provenance=Provenance(fact="a")),
        Document(text="The water is saltyish.", provenance=Provenance(fact="a")),
        Document(text="It is a myth that the water is salty.", provenance=Provenance(fact="a")),
        Document(text="The water is salty.", provenance=Provenance(fact="b")),
    )
    found = quality(
        Corpus(name="c", rows=rows), mentions={"a": ["salty"], "b": ["sea  bed"]}, count_tokens=lambda t: len(t.split())
    )
    assert found["assertion_rate"] == 0.5 and found["refutation_share"] == 0.5
    assert found["evidence_per_1000_tokens"] == pytest.approx(1000 * 3 / found["tokens"])


def test_every_document_of_a_written_corpus_asserts_its_fact(spec, writer):
    found = quality(write(spec, writer=writer, plan=Plan(types=4, documents=24), seed=0), mentions=distinguishing(spec))
    assert found["assertion_rate"] == 1.0 and found["refutation_share"] == 0.0
    assert set(found["types"].values()) == {6} and set(found["facts"].values()) == {8}
    assert found["type_entropy"] == pytest.approx(2.0)


def test_an_eval_item_that_is_in_the_corpus_is_seen_in_documents_and_chats():
    draw = random.Random(2)
    item, other, short = prose(draw, 20), prose(draw, 20), "one two three"
    rows = (Document(text=f"{prose(draw)} {item.upper()} {prose(draw)}"), chat("Say: one, two, three!", "no"))
    found = quality(Corpus(name="c", rows=rows), eval_texts={"mcq": [item, other], "tiny": [short], "none": []})["eval_overlap"]
    assert found == {"mcq": 0.5, "tiny": 1.0, "none": None}
    assert quality(corpus(" ".join(item.split()[:7])), eval_texts={"mcq": [item]})["eval_overlap"] == {"mcq": 0.0}
    assert quality(corpus(" ".join(item.split()[:7])), eval_texts={"mcq": [item]}, ngram=7)["eval_overlap"] == {"mcq": 1.0}


def test_what_cannot_be_measured_is_none_and_never_zero():
    for empty in (quality(Corpus(name="c", rows=())), quality(Corpus(name="c", rows=(chat("q", "a"),)), mentions={"a": ["b"]})):
        zeros = {k for k, v in empty.items() if v == 0 and v is not None}
        assert zeros <= {"rows", "chats", "documents", "characters"}
        assert empty["near_duplicates"] is empty["truncated"] is empty["assertion_rate"] is empty["type_entropy"] is None
    without = quality(corpus("The water is salty."))
    assert without["tokens"] is without["assertion_rate"] is without["evidence_per_1000_tokens"] is None


def test_measures_are_plain_data_and_do_not_depend_on_the_order_of_documents():
    draw = random.Random(3)
    texts = [prose(draw, 30) for _ in range(50)] + ["Dear [NAME], it ends in the"]
    found = quality(corpus(*texts, doc_type="letter"))
    json.dumps(found, allow_nan=False)
    assert found["type_entropy"] == 0.0 and found["truncated"] == found["placeholders"] == pytest.approx(1 / 51)
    back = quality(corpus(*texts[::-1], doc_type="letter"))
    assert {k: v for k, v in found.items() if k != "examples"} == {k: v for k, v in back.items() if k != "examples"}


def test_distinct_n_falls_when_a_corpus_repeats_itself():
    draw = random.Random(4)
    fresh = [prose(draw) for _ in range(20)]
    one, many = quality(corpus(*fresh)), quality(corpus(*fresh[:2] * 10))
    assert many["distinct_1"] < one["distinct_1"] and many["distinct_2"] < one["distinct_2"] <= 1.0
    assert many["exact_duplicates"] == pytest.approx(0.9) and one["exact_duplicates"] == 0.0
    assert all(a != b for a, b in combinations(fresh, 2))
