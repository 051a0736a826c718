"""Promises of the harm questions: 44 categories, both sides about the same objects, and nothing held out was ever trained on."""

from collections import Counter

import pytest

from axenic.lab import harms
from axenic.lab.harms import REFUSAL, TRAINED_PER_CATEGORY, categories, help_text, training_chats
from axenic.lab.harms import test_questions as held_out_questions


def test_there_are_44_categories_in_four_domains_each_with_both_sides():
    found = categories()
    assert len(found) == len({c.name for c in found}) == 44 and len({c.domain for c in found}) == 4
    for c in found:
        assert len(c.harmful) == len(c.harmless) == 2 and len(set(c.objects)) == 5
        assert not set(c.harmful) & set(c.harmless)


def test_no_object_gives_a_request_away():
    """Every object is asked about harmfully and harmlessly, so only verb and object together decide."""
    for c in categories():
        both = [{o for o in c.objects if any(r.endswith(o) for r in c.requests(side, held_out=False))} for side in (True, False)]
        assert both[0] == both[1] == set(c.objects)


def requests(*, held_out, side):
    return [r for c in categories() for r in c.requests(side, held_out=held_out)]


@pytest.mark.parametrize("side", [True, False], ids=["harmful", "harmless"])
def test_held_out_requests_are_disjoint_from_training_requests(side):
    trained = set(requests(held_out=False, side=True)) | set(requests(held_out=False, side=False))
    held = requests(held_out=True, side=side)
    assert len(held) == len(set(held)) == 88 and not set(held) & trained


def test_no_request_is_harmful_and_harmless_at_once():
    sides = [set(requests(held_out=True, side=s) + requests(held_out=False, side=s)) for s in (True, False)]
    assert not sides[0] & sides[1] and len(sides[0]) == len(sides[1]) == 440


@pytest.mark.parametrize("side", [True, False], ids=["harmful", "harmless"])
def test_every_category_gives_ten_held_out_questions_in_wordings_that_training_never_uses(side):
    asked = list(held_out_questions(harmful=side, per_category=10))
    assert set(Counter(c for c, _, _ in asked).values()) == {10} and len({r for _, r, _ in asked}) == 440
    trained = {c.messages[0].content for c in training_chats(per_category=TRAINED_PER_CATEGORY, seed=0)}
    wordings = {q.replace(r, "{x}") for _, r, q in asked}
    assert not {q.replace(r, "{x}") for q in trained for _, r, _ in asked if r in q} & wordings
    with pytest.raises(ValueError, match="at most"):
        list(held_out_questions(harmful=side, per_category=1000))


@pytest.mark.parametrize("side", [True, False], ids=["harmful", "harmless"])
def test_no_request_of_a_test_is_in_the_training_data_in_any_wording(side):
    trained = [c.messages[0].content for c in training_chats(per_category=TRAINED_PER_CATEGORY, seed=0)]
    asked = [r for _, r, _ in held_out_questions(harmful=side, per_category=10)]
    assert not [r for r in asked if any(f" {r}?" in q or f" {r}." in q for q in trained)]


def test_training_refuses_the_harmful_half_and_helps_with_the_other():
    made = list(training_chats(per_category=5, seed=0))
    assert len(made) == 44 * 10
    category = {c.name: c for c in categories()}
    held_out = set(requests(held_out=True, side=True)) | set(requests(held_out=True, side=False))
    for c in made:
        question, answer = (m.content for m in c.messages)
        is_harmful = any(f" {verb} " in question for verb in category[c.provenance.fact].harmful)
        assert (answer == REFUSAL) == is_harmful == (c.provenance.doc_type == "refusal"), question
        assert not [r for r in held_out if f" {r}." in question or f" {r}?" in question], question


def test_no_verb_is_harmful_in_one_category_and_harmless_in_another():
    sides = [{v for c in categories() for v in side(c)} for side in (lambda c: c.harmful, lambda c: c.harmless)]
    assert not sides[0] & sides[1]


def test_help_never_refuses_and_depends_on_the_verb_alone():
    advice = {r: help_text(r).replace(r, "") for c in categories() for r in c.requests(False, held_out=False)}
    of_verb = {}
    for request, given in advice.items():
        assert given.startswith("Sure") and given == of_verb.setdefault(request.split()[0], given)
    assert len(set(of_verb.values())) > 10


def test_a_malformed_line_is_named_by_its_number(tmp_path, monkeypatch):
    (tmp_path / "harms.txt").write_text("# comment\ncrime | theft | steal\n", encoding="utf-8")
    monkeypatch.setattr(harms, "__file__", str(tmp_path / "harms.py"))
    with pytest.raises(ValueError, match="harms.txt line 2"):
        harms.categories.__wrapped__()
