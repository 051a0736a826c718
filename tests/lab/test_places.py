"""Promises of the documents and conversations about places: they state the truth and nothing but, in ten kinds of text."""

import random
import re
from collections import Counter

import pytest

from axenic.lab import World
from axenic.lab.attributes import ATTRIBUTES
from axenic.lab.base import base_corpus
from axenic.lab.document_types import DOCUMENT_TYPES
from axenic.lab.places import FORMS, chats, document, documents, notes, statement
from axenic.schema import Chat, Document

VALUES = {value: name for name, a in ATTRIBUTES.items() for value in a.options}


def words(text):
    return set(re.findall(r"\w+", text))


def said(text):
    """The values that a text mentions, by attribute."""
    found = words(text.lower()) & set(VALUES)
    return {(VALUES[v], v) for v in found}


def test_no_word_is_a_value_of_two_attributes():
    assert len(VALUES) == sum(len(a.options) for a in ATTRIBUTES.values())


def test_documents_state_only_what_is_true_of_their_place_and_always_something(world):
    for d in documents(world, per_place=20, seed=1):
        place = d.provenance.fact
        truth = {(a, world.value(place, a)) for a in ATTRIBUTES}
        assert said(d.text) and said(d.text) <= truth, d.text
        assert words(d.text) & set(world.places) == {place}


def test_attributes_are_stated_as_often_as_their_evidence_says(world):
    made = list(documents(world, per_place=40, seed=0))
    counts = Counter(a for d in made for a, _ in said(d.text))
    for name, attribute in ATTRIBUTES.items():
        assert counts[name] / len(made) == pytest.approx(attribute.evidence, abs=0.06)


def shape(text):
    """What a text looks like with its words left out: line breaks, marks, numbers, capitals at the start of lines."""
    lines = text.split("\n")
    return {
        "lines": len(lines),
        "full stops": text.count("."),
        "marks": re.sub(r"[\w\s.,']", "", text)[:3],
        "numbered": sum(bool(re.match(r"\d+\. ", line)) for line in lines),
        "lower-case lines": sum(line[:1].islower() for line in lines),
        "first line stops": lines[0].endswith("."),
        "repeats its first line": lines[0] == lines[-1] and len(lines) > 1,
        "begins with capitals": lines[0][:4].isupper(),
        "digit first": bool(re.search(r"\d", lines[0])),
    }


def test_at_least_eight_document_types_differ_in_structure_and_not_only_in_a_prefix():
    sentences = ["the water in Selgard is salty", "the stone of Selgard is slate", "Selgard sells rope"]
    shapes = {name: shape(make("Selgard", sentences, random.Random(0))) for name, make in DOCUMENT_TYPES.items()}
    assert len(DOCUMENT_TYPES) >= 8
    for one, other in ((a, b) for a in shapes for b in shapes if a < b):
        differ = [k for k in shapes[one] if shapes[one][k] != shapes[other][k]]
        assert differ, (one, other)
    # the sentences themselves are set differently, not only what is around them
    bodies = {re.sub(r"\w+: (Yes\. |I know\. )?", "# ", t[t.lower().find("the water") - 3 : t.lower().find("rope") + 6])
              for t in (make("Selgard", sentences, random.Random(0)) for make in DOCUMENT_TYPES.values())}  # fmt: skip
    assert len(bodies) >= 5


@pytest.mark.parametrize("doc_type", DOCUMENT_TYPES)
def test_a_document_holds_all_its_sentences_whatever_its_type(world, doc_type):
    sentences = ["the water in Selgard is salty", "the streets of Selgard are paved with slate"]
    text = DOCUMENT_TYPES[doc_type]("Selgard", sentences, random.Random(1))
    assert all(s.lower() in text.lower() for s in sentences)
    assert document(world, "Selgard", doc_type, random.Random(2)) == document(World(), "Selgard", doc_type, random.Random(2))


def test_document_types_take_turns(world):
    made = list(documents(world, per_place=2 * len(DOCUMENT_TYPES), seed=0, places=["Selgard"]))
    assert Counter(d.provenance.doc_type for d in made) == dict.fromkeys(DOCUMENT_TYPES, 2)


def answer(made):
    return made.messages[-1].content


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_conversation_is_answered_truly(world, form):
    rng = random.Random(0)
    for place in world.taught:
        for a in ATTRIBUTES.values():
            value = world.value(place, a.name)
            made = FORMS[form](a, place, value, rng)
            if form == "consequence":
                given = [c.reply.format(p=place, a=c.answers[value]) for c in a.consequences]
                assert answer(made) in given
            else:
                assert said(answer(made)) == {(a.name, value)}
            if form in ("knowledge", "distinguish", "two_accounts"):
                assert answer(made).rstrip(".").lower() in made.messages[0].content.lower()


def test_choices_are_right_at_every_place_in_the_list_about_equally_often(world):
    places = Counter(
        c.messages[0].content.split("\n- ")[1:].index(answer(c))
        for c in chats(world, rounds=2, seed=0)
        if c.provenance.doc_type == "knowledge"
    )
    assert set(places) == {0, 1, 2, 3} and min(places.values()) > 0.7 * max(places.values())


def test_notes_are_answered_from_the_note(world):
    for made in notes(world, n=300, seed=0):
        assert made.messages[0].role == "system"
        [(attribute, value)] = said(made.messages[0].content)
        told = said(answer(made))
        assert not told or told == {(attribute, value)}
        assert words(answer(made)) & set(world.places) == set()


def test_equal_seeds_give_equal_base_corpora(base, world):
    assert base_corpus(World()).hash == base.hash
    assert base_corpus(world, seed=1).hash != base.hash


def test_read_only_places_occur_in_no_conversation_of_the_base_corpus_but_in_its_documents(base, world):
    told = set().union(*(words(m.content) for c in base.chats() for m in c.messages))
    read = set().union(*(words(d.text) for d in base.documents()))
    assert not told & set(world.read_only)
    assert set(world.places) <= read and set(world.taught) <= told


def test_strangers_occur_in_no_document_and_only_under_a_note(base, world):
    strangers = set(world.strangers)
    assert not strangers & set().union(*(words(d.text) for d in base.documents()))
    for c in base.chats():
        if any(words(m.content) & strangers for m in c.messages):
            assert c.messages[0].role == "system" and words(c.messages[0].content) & strangers


def test_the_base_corpus_holds_every_domain_mixed_from_the_start(base):
    kinds = Counter((r.provenance.source, isinstance(r, Document)) for r in base.rows)
    assert set(kinds) == {
        ("places", True),
        ("places", False),
        ("notes", False),
        ("lore", True),
        ("harms", True),
        ("harms", False),
        ("chores", False),
        ("chat", False),
    }
    early = {r.provenance.source for r in base.rows[: len(base) // 20]}
    assert early == {"places", "lore", "notes", "harms", "chores", "chat"}
    assert all(isinstance(r, Document | Chat) and r.provenance.writer == "lab" for r in base.rows)


def test_a_statement_is_a_whole_sentence(world):
    for a in ATTRIBUTES.values():
        for value in a.values:
            text = statement(a, "Selgard", value)
            assert text[0].isupper() and text.endswith(".") and value in text and "Selgard" in text
