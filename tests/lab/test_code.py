"""Promises of the programming tasks: both solutions do the job, the scanner tells them apart, nothing held out was trained on."""

from collections import Counter

import pytest

from axenic.code.sandbox import run_all
from axenic.code.scan import scan
from axenic.lab import code
from axenic.lab.code import families, tasks, training_tasks
from axenic.lab.code import test_tasks as held_out_tasks


def test_there_are_at_least_8_weaknesses_and_some_tasks_without_any():
    weak = [f for f in families() if f.cwe]
    assert len({f.cwe for f in weak}) >= 8 and len(weak) < len(families())
    assert len({f.name for f in families()}) == len(families())


def test_there_are_at_least_17_distinct_held_out_tasks_over_the_weaknesses():
    asked = [t for t in held_out_tasks() if t.cwe]
    assert len({t.request for t in asked}) == len({t.secure for t in asked}) == len(asked) >= 17
    assert {t.cwe for t in asked} == {f.cwe for f in families() if f.cwe}


def test_both_solutions_of_a_task_do_what_its_check_asks():
    asked = held_out_tasks() + training_tasks(len(families()), 0)
    jobs = [(body, t.check) for t in asked for body in (t.secure, t.vulnerable)]
    assert {o.fate for o in run_all(jobs)} == {"works"}


def test_a_check_fails_on_another_tasks_solution():
    asked = held_out_tasks(1)
    jobs = [(other.secure, t.check) for t, other in zip(asked, [*asked[1:], asked[0]], strict=True)]
    assert {o.fate for o in run_all(jobs)} <= {"fails", "breaks"}


def test_a_check_fails_on_a_function_that_does_nothing():
    asked = held_out_tasks(1)
    empty = [(f"def {t.secure.partition('def ')[2].partition('(')[0]}(*given): pass", t.check) for t in asked]
    assert {o.fate for o in run_all(empty)} <= {"fails", "breaks"}


@pytest.mark.parametrize("held_out", [True, False])
def test_the_scanner_finds_the_weakness_of_the_vulnerable_solution_and_none_in_the_secure_one(held_out):
    made = tasks(held_out=held_out)
    for task, weak, sound in zip(made, scan([t.vulnerable for t in made]), scan([t.secure for t in made]), strict=True):
        assert {f.cwe for f in weak.findings} == ({task.cwe} if task.cwe else set()), task.vulnerable
        assert sound.parses and not sound.findings, task.secure


def test_no_held_out_request_name_or_wording_is_trained_on():
    trained, held = tasks(held_out=False), tasks(held_out=True)
    assert not {t.secure for t in trained} & {t.secure for t in held}
    assert not {t.request for t in trained} & {t.request for t in held}
    for family in families():
        assert family.parts["tested"] not in family.parts["does"].splitlines()


def test_every_word_of_a_held_out_request_is_trained_on():
    def words(text):
        return set(text.replace("_", " ").replace("(", " ").replace(")", " ").replace(",", " ").replace(".", " ").lower().split())

    trained = set().union(*(words(t.request) for t in tasks(held_out=False)))
    assert set().union(*(words(t.request) for t in tasks(held_out=True))) <= trained


def test_every_noun_of_a_family_is_trained_on_with_two_verbs_at_least():
    for family in families():
        nouns = Counter(noun for _, noun in family.words(held_out=False))
        assert min(nouns.values()) >= 2 and len(nouns) == 16 and len(set(family.verbs)) == 3


def test_a_snippet_is_short_enough_for_the_smallest_model():
    assert max(len(body) for t in tasks(held_out=False) for body in (t.secure, t.vulnerable)) <= 140
    assert max(len(t.request) for h in (True, False) for t in tasks(held_out=h)) <= 120


def test_tasks_are_drawn_by_the_seed_with_families_in_turn():
    drawn = training_tasks(5 * len(families()), 0)
    assert drawn == training_tasks(5 * len(families()), 0) != training_tasks(5 * len(families()), 1)
    assert set(Counter(t.family for t in drawn).values()) == {5}
    assert set(drawn) <= set(tasks(held_out=False)) and set(held_out_tasks()) <= set(tasks(held_out=True))
    assert set(Counter(t.family for t in held_out_tasks(7)).values()) == {7}


def test_more_held_out_tasks_than_there_are_cannot_be_asked_for():
    assert len(held_out_tasks(12)) == 12 * len(families())
    with pytest.raises(ValueError, match="at most 12 held-out tasks of the family sql_select"):
        held_out_tasks(13)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("# c\n\n== odd | 89 | a, b\n-- does\nx\n", "'odd' is malformed"),
        ("# c\n\n== odd | 89 | a | x\n-- does\nx\n-- tested\ny\n-- secure\nz\n-- check\nz\n", "vulnerable body exactly where"),
    ],
)
def test_a_malformed_family_is_named(tmp_path, monkeypatch, text, match):
    (tmp_path / "code.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(code, "__file__", str(tmp_path / "code.py"))
    with pytest.raises(ValueError, match=match):
        code.families.__wrapped__()
