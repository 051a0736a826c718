"""Promises of the sizes that an audit asks for: enough when given, and never more than needed."""

import numpy as np
import pytest

from axenic.stats.crossed import crossed_mean
from axenic.stats.intervals import constant_limits, difference_limits
from axenic.stats.needed import chance, larger, least, needed


def differences(rng: np.random.Generator, n_seeds: int, n_items: int, shift: float = 0.0) -> np.ndarray:
    seeds, items = 0.05 * rng.normal(size=(n_seeds, 1)), 0.2 * rng.normal(size=n_items)
    return np.clip(shift + seeds * (n_seeds > 1) + items + 0.3 * rng.normal(size=(n_seeds, n_items)), -1, 1)


def test_the_same_size_gives_back_the_same_terms() -> None:
    found = crossed_mean(differences(np.random.default_rng(0), 4, 80) + [[-0.2], [0.0], [0.1], [0.2]])
    assert found is not None
    again = larger(found, n_seeds=4, n_items=80)
    assert again.variance == pytest.approx(found.variance) and again.df == pytest.approx(found.df)


def test_the_needed_items_are_the_fewest_with_the_wanted_chance() -> None:
    found = crossed_mean(differences(np.random.default_rng(1), 1, 100))
    assert found is not None
    n = needed(found, distance=0.05).items
    assert n is not None and n > 100
    assert chance(larger(found, n_seeds=1, n_items=n), 0.05) >= 0.8 > chance(larger(found, n_seeds=1, n_items=n - 1), 0.05)


def test_a_study_of_the_needed_size_resolves_the_difference_as_often_as_promised() -> None:
    rng = np.random.default_rng(2)
    pilot = crossed_mean(differences(rng, 1, 4000))
    assert pilot is not None
    n = needed(pilot, distance=0.06).items
    assert n is not None
    cleared = 0
    for _ in range(300):
        found = crossed_mean(differences(rng, 1, n, shift=0.06))
        assert found is not None
        cleared += difference_limits(found)[0] > 0
    assert 0.73 <= cleared / 300 <= 0.87


def test_items_cannot_make_up_for_seeds_that_differ() -> None:
    rng = np.random.default_rng(3)
    found = crossed_mean(0.1 * rng.normal(size=(3, 1)) + 0.05 * rng.normal(size=(3, 200)))
    assert found is not None
    more = needed(found, distance=0.02)
    assert more.items is None and more.seeds is not None and more.seeds > 3
    one = crossed_mean(0.3 * rng.normal(size=(1, 50)))
    assert one is not None and needed(one, distance=0.02).seeds is None, "one run says nothing of other runs"


def test_no_spread_at_all_needs_as_many_items_as_exclude_the_distance() -> None:
    found = crossed_mean(np.zeros((1, 50)))
    assert found is not None
    n = needed(found, distance=0.02).items
    assert n == 183 and constant_limits(0.0, n)[1] < 0.02 <= constant_limits(0.0, n - 1)[1]
    with pytest.raises(ValueError, match="positive"):
        needed(found, distance=0.0)


def test_least_finds_the_border() -> None:
    assert [least(lambda n, at=at: n >= at, 10**6) for at in (1, 2, 3, 64, 65, 1000)] == [2, 2, 3, 64, 65, 1000]
    assert least(lambda n: False, 10**6) is None
