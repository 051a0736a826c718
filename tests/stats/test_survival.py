"""Promises of survival over seeds: agreement with statsmodels and with the exact binomial, limits that few seeds allow."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from axenic.stats.intervals import clopper_pearson_limits, t_interval
from axenic.stats.simulate import Design, coverage
from axenic.stats.simulate_persistence import METHODS
from axenic.stats.survival import Life, median_life, survival


def lives(*steps, censored=()):
    return [Life(float(s), True) for s in steps] + [Life(float(s), False) for s in censored]


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    drawn = [Life(float(s), bool(f)) for s, f in zip(rng.integers(1, 9, 12), rng.random(12) < 0.7, strict=True)]
    theirs = SurvfuncRight([life.step for life in drawn], [int(life.fell) for life in drawn])
    ours = {p.x: p for p in survival(drawn)}
    for x, value, at_risk, gone in zip(theirs.surv_times, theirs.surv_prob, theirs.n_risk, theirs.n_events, strict=True):
        if gone:
            assert ours[x].value == pytest.approx(value) and (ours[x].at_risk, ours[x].gone) == (at_risk, gone)


def test_without_censoring_before_it_a_point_is_exact_binomial():
    points = survival(lives(10, 20, 30, censored=[50, 50]))
    assert [p.x for p in points] == [0, 10, 20, 30, 50]
    for point, alive in zip(points, (5, 4, 3, 2, 2), strict=True):
        assert (point.low, point.high) == pytest.approx(clopper_pearson_limits(alive / 5, 5, 0.95))
        assert point.value == pytest.approx(alive / 5) and "Clopper-Pearson" in point.method


def test_a_seed_lost_early_makes_later_limits_wider_and_is_named_in_the_method():
    whole, lost = survival(lives(10, 20, 30, 40)), survival(lives(20, 30, 40, censored=[10]))
    assert lost[-1].value == whole[-1].value == 0
    assert lost[1].value == pytest.approx(2 / 3) and "beta product" in lost[1].method
    assert lost[1].high - lost[1].low > 0.7


@pytest.mark.parametrize("n", [1, 3, 10])
def test_limits_are_never_zero_width(n):
    for drawn in (lives(*[7] * n), lives(censored=[7] * n), lives(*range(1, n + 1))):
        assert all(0 <= p.low <= p.value <= p.high <= 1 and p.high - p.low > 0.2 for p in survival(drawn))


def test_three_seeds_that_all_fell_have_a_t_interval_on_the_log_scale():
    found = median_life(lives(20, 40, 80))
    logs = t_interval(np.log([20, 40, 80]))
    assert found.value == 40 and (found.low, found.high) == pytest.approx((np.exp(logs.low), np.exp(logs.high)))
    assert found.low < 20 and found.high > 80


def test_from_six_seeds_on_order_statistics_are_enough():
    found = median_life(lives(*range(10, 70, 10)))
    assert (found.value, found.low, found.high) == (35, 10, 60) and "order statistics" in found.method
    ten = median_life(lives(*range(1, 11)))
    assert (ten.low, ten.high) == (2, 9)  # the sign test: P(at most 1 of 10 below) = 1.1 %


def test_many_censored_seeds_give_an_at_least():
    found = median_life(lives(30, 60, censored=[400] * 6))
    assert found.value is None and found.low == 30 and found.high is None
    none_fell = median_life(lives(censored=[400] * 6))
    assert none_fell.low == 400 and none_fell.high is None


def test_few_seeds_of_which_one_never_fell_are_not_estimable_and_say_what_it_takes():
    found = median_life(lives(20, 40, censored=[400]))
    assert found.value == 40 and found.low is found.high is None
    assert found.method == "not estimable" and "6 seeds" in found.note
    assert median_life(lives(20, censored=[400, 400])).value is None


def test_seeds_that_fall_at_one_and_the_same_step_have_no_zero_width_interval():
    for n in (3, 8):
        found = median_life(lives(*[25] * n))
        assert found.value == 25 and found.low is found.high is None and found.note == "seeds do not vary"
    assert median_life([]).value is None and median_life(lives(25)).low is None


def test_order_and_seed_numbers_play_no_part():
    drawn = lives(12, 90, 33, 47, censored=[20, 100, 100])
    assert survival(drawn) == survival(drawn[::-1]) and median_life(drawn) == median_life(drawn[::-1])


@pytest.mark.parametrize("n", [3, 5, 6, 10])
@pytest.mark.parametrize("name", ["half_life_skewed", "half_life"])
def test_the_median_of_half_lives_is_covered(name, n):
    assert coverage(METHODS[name], Design(n_seeds=n, seed_sd=0.5), replications=600, seed=3).covered >= 0.93


@pytest.mark.parametrize("p", [0.2, 0.4, 0.6])
@pytest.mark.parametrize("n", [3, 6, 10])
def test_censoring_makes_no_more_than_one_study_in_twenty_wrong(n, p):
    found = coverage(METHODS["half_life_censored"], Design(n_seeds=n, seed_sd=0.5, p=p), replications=600, seed=4)
    wrong = (1 - found.covered) * (found.studies - found.not_estimable) / found.studies
    assert wrong <= 0.065


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_survival_is_covered_when_seeds_are_lost(p):
    assert coverage(METHODS["survival"], Design(n_seeds=5, p=p), replications=400, seed=5).covered >= 0.95
