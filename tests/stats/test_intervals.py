import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from axenic.stats.crossed import crossed_mean
from axenic.stats.intervals import constant_limits, difference_limits, t_interval, two_way, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 7), (7, 7), (1, 1), (3, 20), (199, 200)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_agrees_with_statsmodels(k, n, level):
    found = wilson(k, n, level=level)
    assert (found.low, found.high) == pytest.approx(proportion_confint(k, n, 1 - level, "wilson"), abs=1e-12)


def test_wilson_of_nothing_is_not_estimable():
    found = wilson(0, 0)
    assert (found.value, found.low, found.high, found.method) == (None, None, None, "not estimable")
    with pytest.raises(ValueError, match="successes"):
        wilson(3, 2)


def test_t_interval_by_hand():
    found = t_interval([0.5, 0.6, 0.7])  # sd 0.1, t(2) = 4.3027
    half = 4.302653 * 0.1 / 3**0.5
    assert (found.value, found.low, found.high) == pytest.approx((0.6, 0.6 - half, 0.6 + half))
    assert found.method == "t on 3 seed means"


@pytest.mark.parametrize(("values", "note"), [([0.5], "one seed"), ([1.0, 1.0, 1.0], "seeds do not vary"), ([], "nothing scored")])
def test_no_spread_over_seeds_is_not_an_interval(values, note):
    found = t_interval(values)
    assert found.low is None and found.high is None and found.note == note and found.method == "not estimable"


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_all_right_or_all_wrong_rests_on_items_alone(score):
    found = two_way(np.full((3, 20), score))
    assert (found.low, found.high) == pytest.approx(proportion_confint(int(20 * score), 20, 0.05, "beta"))
    assert "items only (3 seeds do not vary)" in found.method


def test_identical_seeds_count_as_one_set_of_items():
    row = np.repeat([0.0, 1.0], [10, 30])
    found = two_way(np.tile(row, (5, 1)))
    exact = proportion_confint(30, 40, 0.05, "beta")
    assert "items only" in found.method
    assert found.low <= exact[0] + 0.01 and found.high >= exact[1] - 0.01


def test_one_run_is_wilson_over_items():
    found = two_way(np.array([[1.0, 1.0, 0.0, np.nan]]))
    assert (found.low, found.high) == pytest.approx(proportion_confint(2, 3, 0.05, "wilson"))
    assert found.method == "Wilson, 3 items"


def test_fractions_of_one_run_use_their_own_spread():
    narrow, wide = two_way(np.array([[0.4, 0.6] * 20])), two_way(np.array([[0.0, 1.0] * 20]))
    assert narrow.high - narrow.low < 0.4 * (wide.high - wide.low)
    assert narrow.method == "Wilson, effective n of 40 items"


def test_seed_spread_alone_is_enough_to_widen():
    steady = np.tile([1.0, 0.0], (3, 50))
    moved = steady.copy()
    moved[0, :60], moved[1, :60] = 0.0, 1.0
    a, b = two_way(steady), two_way(moved)
    assert b.high - b.low > 2 * (a.high - a.low)


def test_one_item_over_seeds_is_not_estimable_but_has_a_value():
    found = two_way(np.array([[1.0], [0.0], [1.0]]))
    assert found.value == pytest.approx(2 / 3) and found.low is None and "one item" in found.note


def test_nothing_scored_is_not_a_zero():
    for empty in (np.full((3, 4), np.nan), np.zeros((0, 0)), np.zeros((3, 0))):
        found = two_way(empty)
        assert found.value is None and found.low is None and found.method == "not estimable"


def test_no_matrix_of_zeros_and_ones_gives_a_zero_width_or_leaves_the_unit_interval():
    for cells in itertools.product((0.0, 1.0, np.nan), repeat=6):
        found = two_way(np.array(cells).reshape(2, 3))
        if found.low is not None:
            assert 0 <= found.low <= found.value <= found.high <= 1 and found.high - found.low > 0.1


def test_scores_outside_the_unit_interval_are_refused():
    with pytest.raises(ValueError, match="scores"):
        two_way(np.array([[0.0, 2.0], [1.0, 0.0]]))


def test_small_differences_get_the_t_test_nearly_unchanged():
    d = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], p=[0.1, 0.75, 0.15], size=(1, 400))
    low, high, p = difference_limits(crossed_mean(d))
    plain = stats.ttest_1samp(d[0], 0)
    assert (low, high) == pytest.approx(tuple(plain.confidence_interval(0.95)), abs=1e-3)
    assert p == pytest.approx(plain.pvalue, rel=0.05) and p >= plain.pvalue


def test_p_and_interval_never_disagree():
    rng = np.random.default_rng(1)
    sides = set()
    for _ in range(400):
        d = rng.choice([-1.0, 0.0, 1.0], p=rng.dirichlet([0.3, 1, 1]), size=(3, int(rng.integers(2, 15))))
        low, high, p = difference_limits(crossed_mean(d))
        assert -1 <= low < high <= 1 and 0 < p <= 1
        assert (low > 0 or high < 0) == (p < 0.05)
        sides.add(p < 0.05)
    assert sides == {True, False}


@pytest.mark.parametrize("n", [2, 5, 6, 30, 5000])
def test_a_constant_difference_is_judged_by_the_number_of_items(n):
    low, high, p = constant_limits(1.0, n)
    if n < 1000:
        assert p == pytest.approx(stats.binomtest(n, n).pvalue)
    assert 0 < p <= 1 and low < high == 1.0 and (low > 0) == (p < 0.05)
    low, high, p = constant_limits(0.0, n)
    assert p == 1.0 and low == -high and high > 0
