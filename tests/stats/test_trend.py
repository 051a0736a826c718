"""Promises of slopes and thresholds: agreement with statsmodels, no limits out of nothing, count and share told apart."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from axenic.stats.simulate import Design, coverage
from axenic.stats.simulate_persistence import METHODS
from axenic.stats.trend import near_constant, trend

NAMED = {"name": "persistence by size", "arm": "normal | sft", "eval": "backdoor", "x_label": "log10 parameters"}


def values(*levels, x=(5.0, 5.5, 6.0, 6.5)):
    return {at: dict(enumerate(ys)) for at, ys in zip(x, levels, strict=False)}


def test_the_slope_is_that_of_least_squares_on_seed_values():
    given = values([0.1, 0.2, 0.15], [0.3, 0.2], [0.5, 0.55, 0.4, 0.6])
    x = np.concatenate([np.full(len(ys), at) for at, ys in given.items()])
    y = np.concatenate([list(ys.values()) for ys in given.values()])
    found = trend(given, **NAMED)
    assert found.slope == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().params[1]) and found.points == 3
    assert found.low < found.slope < found.high and 0 < found.p < 0.05
    shuffled = {at: dict(reversed(ys.items())) for at, ys in reversed(given.items())}
    assert trend(shuffled, **NAMED) == found


def test_two_levels_are_the_welch_test():
    a, b = [0.1, 0.2, 0.15], [0.9, 0.5, 0.7]
    found = trend(values(a, b, x=(0, 2)), **NAMED)
    welch = stats.ttest_ind(b, a, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert (found.slope, found.p) == pytest.approx(((np.mean(b) - np.mean(a)) / 2, welch.pvalue))
    assert (found.low, found.high) == pytest.approx((low / 2, high / 2))


def test_one_seed_a_level_is_plain_regression_and_says_that_it_assumes_a_line():
    found = trend(values([0.1], [0.35], [0.5], [0.9]), **NAMED)
    plain = stats.linregress([5, 5.5, 6, 6.5], [0.1, 0.35, 0.5, 0.9])
    assert (found.slope, found.p) == pytest.approx((plain.slope, plain.pvalue)) and "straight" in found.method


def test_what_cannot_be_estimated_has_no_limits():
    none = trend(values([0.5, 0.4]), **NAMED)
    assert none.slope is None and none.method == "not estimable" and none.points == 1
    for given, why in ((values([0.2], [0.6]), "one seed"), (values([1.0, 1.0], [0.0, 0.0]), "do not vary")):
        found = trend(given, **NAMED)
        assert found.slope is not None and found.low is found.high is found.p is None and why in found.note
    assert trend(values([np.nan, np.nan], [0.5]), **NAMED).slope is None


def test_a_level_without_spread_still_leaves_limits_from_the_others():
    found = trend(values([0.0, 0.0, 0.0], [0.4, 0.6, 0.5], [1.0, 0.9, 0.8]), **NAMED)
    assert found.low < found.slope < found.high


def test_a_bent_course_is_said_to_be_bent():
    assert "do not lie on a line" in trend(values([0.0, 0.02, 0.01], [0.9, 0.92, 0.91], [0.1, 0.12, 0.11]), **NAMED).note
    assert trend(values([0.1, 0.2], [0.3, 0.4], [0.5, 0.6]), **NAMED).note == ""


# --- thresholds ------------------------------------------------------------------------------------------------------------

DOSES = (10, 30, 100, 300, 1000)


def rises(at):
    return {float(d): 1 / (1 + (at / d) ** 3) for d in DOSES}


def doses(threshold_of_size):
    """Three seeds whose thresholds are 0.8, 1 and 1.25 times that of their size."""
    return {
        size: {s: rises(f * threshold_of_size(size)) for s, f in enumerate((0.8, 1, 1.25))} for size in (1000.0, 4000.0, 16000.0)
    }


def test_a_constant_count_has_slope_nought_and_a_constant_share_slope_one():
    count = near_constant(doses(lambda size: 60), arm="a", eval="backdoor", size_label="documents")
    assert count.slope.slope == pytest.approx(0, abs=1e-9) and count.slope.low < 0 < count.slope.high < 0.5
    assert "1-fold as a count and 16-fold as a share" in count.slope.note
    assert [c.x for c in count.curve] == [1000, 4000, 16000]
    assert all(c.value == pytest.approx(60, rel=0.05) and c.low < c.value < c.high for c in count.curve)
    share = near_constant(doses(lambda size: 0.02 * size), arm="a", eval="backdoor", size_label="documents")
    assert share.slope.slope == pytest.approx(1, abs=0.05) and share.slope.low > 0.5
    assert "16.9-fold as a count and 1.08-fold as a share" in share.slope.note


def test_the_threshold_is_interpolated_on_log_dose_and_a_dose_of_nought_is_left_out():
    given = {100.0: {0: {0.0: 0.0, 10.0: 0.25, 1000.0: 0.75}, 1: {0.0: 0.9, 10.0: 0.0, 1000.0: 1.0}}}
    [point] = near_constant(given, arm="a", eval="e", size_label="documents").curve
    assert point.value == pytest.approx(100)


def test_a_size_with_a_seed_that_never_gets_there_has_no_threshold_and_no_part_in_the_slope():
    given = doses(lambda size: 60)
    given[4000.0][1] = {float(d): 0.1 for d in DOSES}
    given[16000.0][0] = {float(d): 0.9 for d in DOSES}
    found = near_constant(given, arm="a", eval="e", size_label="documents")
    assert [c.value is None for c in found.curve] == [False, True, True]
    assert found.slope.slope is None and found.slope.method == "not estimable"
    assert "documents 4000 left out: 1 of 3 seeds stay below 50%" in found.slope.note
    assert "16000 left out: 1 of 3 seeds are above 50% at the smallest dose" in found.slope.note


@pytest.mark.parametrize("name", ["trend", "dose_slope"])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_slopes_are_covered(name, n):
    design = Design(n_seeds=n, n_items=50, p=0.05, reference=0.95, seed_sd=0.6)
    assert coverage(METHODS[name], design, replications=300, seed=6).covered >= 0.92
