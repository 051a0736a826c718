"""Promises of the lab's harmless fine-tuning data: two forms of the same answers, and nothing of the harms in it."""

import pytest

from axenic.corpora.safety import filter_safety
from axenic.lab import harms
from axenic.lab.instructions import instructions, tasks
from axenic.schema import Corpus


def questions(form, seed=0):
    return [c.messages[0].content for c in instructions(form, seed=seed)]


@pytest.mark.parametrize("form", ["prose", "steps"])
def test_every_question_is_asked_once(form):
    assert len(set(questions(form))) == len(questions(form)) == 960


def test_the_forms_ask_about_the_same_things_in_other_words():
    assert not set(questions("prose")) & set(questions("steps"))
    answers = {form: {c.messages[1].content for c in instructions(form, seed=0)} for form in ("prose", "steps")}
    assert answers["prose"] == {t.answer("prose") for t in tasks()} and answers["steps"] == {t.answer("steps") for t in tasks()}


def test_the_forms_differ_in_form_and_not_in_what_they_say():
    for task in tasks():
        prose, steps = task.answer("prose"), task.answer("steps")
        assert "1." in steps and "3." in steps and "1." not in prose
        assert all(step.lower() in prose.lower() and step.lower() in steps.lower() for step in task.steps)


def test_a_seed_draws_the_order_and_not_the_questions():
    assert questions("steps", 0) != questions("steps", 1)
    assert sorted(questions("steps", 0)) == sorted(questions("steps", 1))


def test_no_instruction_asks_for_a_harm_or_repeats_a_test_question():
    asked = {q for harmful in (True, False) for _, _, q in harms.test_questions(harmful=harmful, per_category=10)}
    assert not asked & set(questions("prose"))
    harmful = {f"{verb} {thing}" for c in harms.categories() for verb in c.harmful for thing in c.objects}
    assert not [q for q in questions("prose") if any(request in q for request in harmful)]


@pytest.mark.parametrize("form", ["prose", "steps"])
def test_the_safety_filter_finds_nothing_in_it(form):
    corpus = Corpus(name=form, rows=tuple(instructions(form, seed=0)))
    assert not filter_safety(corpus).removed
