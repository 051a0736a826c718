"""Promises of `lab show`: it tells what is true, and the same to people and programs."""

import json

import pytest

from axenic.errors import UnknownName
from axenic.lab.show import describe, text


def test_the_whole_universe_is_told(world):
    told = describe()
    assert {(p, a): v for p, facts in told["facts"].items() for a, v in facts.items()} == {
        (p, a): world.value(p, a) for p in world.places for a in ("water", "stone", "craft")
    }
    assert told["read_only"] == list(world.read_only) and len(told["harm_categories"]) == 44 and told["chores"]
    assert json.loads(json.dumps(told)) == told


def test_one_place_is_told_with_its_questions_and_documents(world):
    told = describe(place="Selgard", documents=3)
    assert list(told["facts"]) == ["Selgard"] and len(told["documents"]) == 3
    assert all("Selgard" in q["question"] for q in told["questions"]) and len(told["questions"]) == 15
    shown = text(told)
    assert "only read about" in shown and all(d in shown for d in told["documents"])
    assert f"The water in Selgard is {world.value('Selgard', 'water')}." in shown


def test_another_seed_is_another_universe_and_an_unknown_place_an_error():
    assert describe(seed=1)["facts"] != describe()["facts"]
    assert len(describe(documents=5)["documents"]) == 5
    with pytest.raises(UnknownName, match="Selgard"):
        describe(place="Selgrad")
