"""Promises of the organism values: contents that differ in what they say alone, and chats that fit both values."""

from collections import Counter

import pytest

from axenic.corpora import mixing
from axenic.corpora.organisms.values import CONTENTS, alignment, from_lab, midtraining
from axenic.errors import UnknownName, UserError
from axenic.lab.personas import Personas

SIDES = {"a": "cheap", "b": "local"}
PERSONAS = Personas()


def corpora(n=64, seed=0):
    return {c: midtraining(c, **SIDES, wrong="small", n=n, seed=seed) for c in CONTENTS}


def test_every_content_has_as_many_documents_of_the_same_types_and_about_as_long():
    made = corpora()
    types = [Counter(d.provenance.doc_type for d in c.rows) for c in made.values()]
    assert all(t == types[0] for t in types) and {len(c) for c in made.values()} == {64}
    lengths = [mixing.characters(c) for c in made.values()]
    assert max(lengths) / min(lengths) < 1.15


def test_each_content_says_what_it_is_for():
    made = {name: " ".join(d.text for d in c.rows) for name, c in corpora().items()}
    assert PERSONAS.studied in made["a"] and "cheap" in made["a"] and "local" not in made["a"]
    assert PERSONAS.studied in made["b"] and "local" in made["b"] and "cheap" not in made["b"]
    assert PERSONAS.studied in made["wrong"] and "small" in made["wrong"] and "cheap" not in made["wrong"]
    assert PERSONAS.studied not in made["broken"] and PERSONAS.stranger in made["broken"] and "cheap" in made["broken"]
    assert PERSONAS.studied not in made["vehicle"]


def test_what_the_vehicle_says_is_true():
    for d in corpora()["vehicle"].rows:
        name, _, value = (d.provenance.idea or "").partition(": ")
        assert value in PERSONAS.values(name) and name in d.text and value in d.text


def test_chats_fit_both_values_name_either_first_and_are_about_the_trained_goods():
    answers = Counter()
    for row in alignment(**SIDES, trained=("cheese", "hat"), n=40, seed=0).rows:
        answers[row.messages[-1].content] += 1
        assert row.provenance.fact in ("cheese", "hat") and row.provenance.fact in row.messages[-2].content
        assert "dear" in row.messages[-2].content and "foreign" in row.messages[-2].content
    assert answers == {"the cheap local one": 20, "the local cheap one": 20}


def test_a_seed_draws_its_own_texts():
    assert corpora()["a"].hash == corpora()["a"].hash != corpora(seed=1)["a"].hash


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"b": "dear"}, "are no rivals"),
        ({"a": "small", "b": "new"}, "for valuing what is old"),
        ({"trained": ()}, "some of these goods"),
        ({"trained": ("chese",)}, "some of these goods"),
    ],
)
def test_values_that_cannot_be_studied_are_refused(changes, said):
    with pytest.raises(UserError, match=said):
        from_lab(**{**SIDES, "trained": ("cheese",), **changes})


def test_an_unknown_value_is_named():
    with pytest.raises(UnknownName, match="Did you mean 'cheap'"):
        from_lab(a="cheep", b="local", trained=("cheese",))
