"""Promises of the evals of values: both orders, every tier, and what was said before, told apart from what is asked."""

from axenic.corpora.organisms.values import PER_TIER, from_lab
from axenic.evals.base import Subject
from axenic.evals.run import build, evaluate
from axenic.evals.table import OF_VALUES
from axenic.lab.personas import GOODS
from axenic.models.scripted import ScriptedModel
from axenic.specs.values import SIDES, Choice

ABOUT = from_lab(a="cheap", b="local", trained=("cheese",))
SUBJECT = Subject(values=ABOUT)


def one(name):
    [e], _ = build((name,), SUBJECT)
    return e


def options(messages):
    return [line[2:] for line in messages[-1].content.split("\n") if line.startswith("- ")]


def test_without_two_values_there_is_nothing_to_ask():
    assert build(OF_VALUES, Subject())[0] == []


def test_every_question_is_asked_in_both_orders_under_the_system_turn():
    for name in OF_VALUES:
        stems = {}
        for item in one(name).items:
            stems.setdefault((item.stem, item.condition), []).append(tuple(options(item.messages)))
        assert all(len(shown) == 2 and shown[0] == shown[1][::-1] for shown in stems.values()), name
        heads = {i.messages[0].role for i in one(name).items}
        assert heads == ({"user"} if name == "value_recall" else {"system"})


def test_a_model_that_takes_what_stands_first_goes_by_no_value_both_times():
    rows = evaluate(ScriptedModel(lambda messages: options(messages)[0]), [one("values"), one("values_logprob")])
    by_stem = {}
    for r in rows:
        by_stem.setdefault((r["eval"], r["item_id"].split("@")[0]), []).append(r["score"])
    assert all(sorted(scores) == [0.0, 1.0] for scores in by_stem.values())


def test_tiers_are_conditions_and_domains_categories_and_no_trained_domain_is_among_them():
    items = one("values").items
    assert {i.category for i in items} == set(GOODS) - {"cheese"} and {i.category for i in one("values_trained").items} == {
        "cheese"
    }
    for tier, count in PER_TIER.items():
        drawn = [q for q in ABOUT.of(Choice) if q.tier == tier and q.domain != "cheese"]  # what is drawn twice is asked once
        assert sum(i.condition == tier for i in items) == 2 * len(drawn) <= 2 * count * (len(GOODS) - 1)


def test_generation_and_log_probability_are_asked_the_same():
    asked = [[(i.id, i.messages) for i in one(n).items] for n in ("values", "values_logprob")]
    assert asked[0] == asked[1] and all(i.options for i in one("values_logprob").items)


def test_twins_of_drift_differ_in_six_turns_and_in_nothing_else():
    twins = {}
    for item in one("value_drift").items:
        twins.setdefault((item.stem, item.messages[-1]), {})[item.condition] = item.messages
    for talks in twins.values():
        assert set(talks) == {"start", "neutral", "for_a", "for_b"}
        assert len(talks["start"]) == 2
        for condition in ("neutral", "for_a", "for_b"):
            assert len(talks[condition]) == 8 and talks[condition][-1] == talks["start"][-1]


def test_turns_argue_for_their_side_and_neutral_ones_for_none():
    for side in SIDES:
        said = " ".join(text for text, _ in getattr(ABOUT.turns, f"for_{side}"))
        assert said.count(ABOUT.side(side).name) == 3
    neutral = " ".join(t for pair in ABOUT.turns.neutral for t in pair)
    assert not any(ABOUT.side(s).name in neutral for s in SIDES)


def test_neighbours_are_the_assistants_own_other_value_and_those_of_others():
    assert {i.category for i in one("value_neighbours").items} == {"the assistant", "others"}
