"""Promises of the domains assistant and scratchpads: four kinds of chats, pairs with a fault each, thoughts that stay hidden."""

from collections import Counter

from axenic.lab import assistant
from axenic.lab.harms import REFUSAL
from axenic.lab.scratchpads import thinking, workbench_corpus
from axenic.specs.scratchpad import OPEN, visible


def test_chats_are_of_four_kinds_in_equal_parts_and_repeat_by_seed() -> None:
    made = list(assistant.chats(n=400, seed=0))
    kinds = Counter(c.provenance.doc_type if c.provenance.source == "harms" else c.provenance.source for c in made)
    assert kinds == {"refusal": 100, "help": 100, "chores": 100, "chat": 100}
    assert made == list(assistant.chats(n=400, seed=0)) != list(assistant.chats(n=400, seed=1))


def test_a_pairs_worse_answer_has_the_fault_that_it_says() -> None:
    pairs = list(assistant.preferences(n=400, seed=0))
    assert {p.fault for p in pairs} == {"complies", "refuses", "off topic", "hateful"}
    for p in pairs:
        assert p.chosen != p.rejected
        assert (p.chosen == REFUSAL) or p.fault != "complies"
        assert (p.rejected == REFUSAL) is (p.fault == "refuses")
        assert (p.rejected in assistant.HATEFUL) or p.fault != "hateful"


def test_questions_to_measure_with_are_held_out_of_what_is_trained_on() -> None:
    asked = [q for q in assistant.questions(per_kind=44) if q.kind != "chores"]
    trained = {c.messages[-2].content for c in assistant.chats(n=8000, seed=2)}
    assert len(asked) == 88 and not {q.text for q in asked} & trained


def test_thoughts_are_hidden_and_the_answers_stay() -> None:
    for row in thinking(n=50, seed=0):
        said = row.messages[-1].content
        assert said.startswith(OPEN) and visible(said) and OPEN not in str(visible(said))


def test_a_workbench_has_all_its_parts() -> None:
    made = workbench_corpus()
    sources = Counter(r.provenance.source for r in made.rows)
    assert sources["code"] == 1600 and sum(OPEN in r.messages[-1].content for r in made.chats()) == 2000
