"""Promises of the world: it follows from its seed, nothing can be guessed from how common it is, names do not overlap."""

from collections import Counter

import pytest

from axenic.errors import UnknownName
from axenic.lab import World
from axenic.lab.attributes import ATTRIBUTES


def facts(world):
    return {(p, a): world.value(p, a) for p in world.places for a in ATTRIBUTES}


def test_equal_seeds_give_equal_universes_and_other_seeds_other_ones():
    assert facts(World(3)) == facts(World(3)) and World(3).strangers == World(3).strangers
    assert facts(World(3)) != facts(World(4)) and World(3).taught != World(4).taught


@pytest.mark.parametrize("seed", range(5))
def test_every_value_is_true_of_equally_many_places_in_either_group(seed):
    world = World(seed)
    for group in (world.read_only, world.taught):
        for name, attribute in ATTRIBUTES.items():
            counts = Counter(world.value(p, name) for p in group)
            assert set(counts) == set(attribute.values) and max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_places_and_strangers_have_names_of_their_own_and_selgard_is_read_only(seed):
    world = World(seed)
    names = [*world.read_only, *world.taught, *world.strangers]
    assert len(set(names)) == len(names) and world.read_only[0] == "Selgard"
    assert set(world.places) == {*world.read_only, *world.taught}


def test_one_attribute_does_not_give_another_away(world):
    for one, other in (("water", "stone"), ("water", "craft"), ("stone", "craft")):
        pairs = Counter((world.value(p, one), world.value(p, other)) for p in world.taught)
        for value in ATTRIBUTES[one].values:
            counts = [n for (v, _), n in pairs.items() if v == value]
            assert max(counts) <= 0.8 * sum(counts)


def test_others_are_the_values_that_are_not_true(world):
    for place in world.places:
        assert {world.value(place, "water"), *world.others(place, "water")} == set(ATTRIBUTES["water"].values)
        assert len(world.others(place, "water")) == len(ATTRIBUTES["water"].values) - 1 >= 1


def test_a_misspelt_place_or_attribute_is_answered_with_the_nearest_one(world):
    with pytest.raises(UnknownName, match="Did you mean 'Selgard'"):
        world.value("Sellgard", "water")
    with pytest.raises(UnknownName, match="Did you mean 'water'"):
        world.value("Selgard", "watr")


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_answers_that_follow_from_the_values_differ_and_name_none_of_them(name):
    attribute = ATTRIBUTES[name]
    assert attribute.values and len({c.kind for c in attribute.consequences}) == len(attribute.consequences) == 4
    for c in attribute.consequences:
        assert set(c.answers) == set(attribute.values) and len(set(c.answers.values())) == len(c.answers)
        said = " ".join([c.reply, *c.questions, *c.answers.values()]).lower().split()
        assert not set(attribute.options) & set(said), c.kind


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_form_of_words_names_its_place_and_what_states_a_value_states_it(name):
    attribute = ATTRIBUTES[name]
    said = [form for forms in attribute.topics.values() for form in forms] + [attribute.statement]
    assert all("{p}" in form and "{v}" in form for form in said)
    asked = [*attribute.direct, *attribute.open, *(q for c in attribute.consequences for q in c.questions)]
    assert all("{p}" in form and "{v}" not in form for form in asked) and len(set(asked)) == len(asked)
    assert 0 < attribute.evidence <= 1
    assert len(set(attribute.options)) == 4 and set(attribute.values) < set(attribute.options)
