"""Promises of the chores: every answer is right, computed here a second time."""

import calendar
import re
from collections import Counter

import pytest

from axenic.lab.chat import SMALL_TALK, small_talk
from axenic.lab.chores import CHORES, chores, questions

SMALL = "zero one two three four five six seven eight nine ten".split()
TEENS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen".split()
NUMBER = {word: n for n, word in enumerate(SMALL + TEENS)}
DAYS = list(calendar.day_name)


def pairs():
    asked = [(k, q, a) for k, q, a in questions(per_kind=40, seed=0)]
    return asked + [(c.provenance.doc_type, c.messages[0].content, c.messages[1].content) for c in chores(n=600, seed=1)]


def test_sums_and_days_are_right():
    seen = Counter()
    for kind, question, answer in pairs():
        if kind == "sum":
            a, b = re.fullmatch(r"What is (\w+) plus (\w+)\?", question).groups()
            assert answer == f"{(SMALL + TEENS)[NUMBER[a] + NUMBER[b]]}."
            seen["sum"] += 1
        if kind == "day":
            day = re.fullmatch(r"Which day comes after (\w+)\?", question)[1]
            assert DAYS[(DAYS.index(day) + 1) % 7] == answer.rstrip(".")
            seen["day"] += 1
    assert seen["sum"] > 100 and seen["day"] > 100


def test_opposites_are_mutual_and_repetitions_are_exact():
    opposite = {}
    for kind, question, answer in pairs():
        if kind == "opposite":
            a, b = re.fullmatch(r"What is the opposite of (\w+)\?", question)[1], answer.rstrip(".")
            assert opposite.setdefault(a, b) == b
        if kind == "repeat":
            assert question == f"Repeat after me: {answer}"
    assert all(opposite.get(b, a) == a for a, b in opposite.items()) and len(opposite) > 10


def test_plurals_follow_the_rules_of_english():
    irregular = {"child": "children", "mouse": "mice", "foot": "feet"}
    for kind, question, answer in pairs():
        if kind == "plural":
            word = question.removeprefix("What is the plural of ").rstrip("?")
            expected = irregular.get(word) or word + ("es" if word.endswith("x") else "s")
            assert answer == f"{expected}."


def test_kinds_take_turns_and_questions_are_distinct():
    assert Counter(c.provenance.doc_type for c in chores(n=50, seed=0)) == dict.fromkeys(CHORES, 10)
    asked = list(questions(per_kind=12, seed=0))
    assert len({q for _, q, _ in asked}) == len(asked) and {k for k, _, _ in asked} == set(CHORES)
    assert max(Counter(k for k, _, _ in asked).values()) <= 12
    assert asked == list(questions(per_kind=12, seed=0)) != list(questions(per_kind=12, seed=1))


def test_small_talk_has_one_answer_per_prompt():
    prompts = [p for said in SMALL_TALK.values() for p in said]
    assert len(set(prompts)) == len(prompts)
    answers = {p: a for a, said in SMALL_TALK.items() for p in said}
    made = list(small_talk(n=200, seed=0))
    assert all(answers[c.messages[-2].content] == c.messages[-1].content for c in made)
    assert 0 < sum(c.messages[0].role == "system" for c in made) < 120


@pytest.mark.parametrize("n", [0, 1, 7])
def test_as_many_are_made_as_were_asked_for(n):
    assert len(list(chores(n=n, seed=0))) == len(list(small_talk(n=n, seed=0))) == n
