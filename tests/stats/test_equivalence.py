import numpy as np
import pytest

from axenic.errors import UserError
from axenic.stats.contrasts import Planned
from axenic.stats.crossed import crossed_mean
from axenic.stats.equivalence import equivalent, tost
from axenic.stats.intervals import difference_limits, one_sided_p


def differences(seed=0, shift=0.0, shape=(4, 200)):
    rng = np.random.default_rng(seed)
    return crossed_mean(np.clip(shift + 0.05 * rng.normal(size=shape) + 0.01 * rng.normal(size=(shape[0], 1)), -1, 1))


@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.02, 0.9])
@pytest.mark.parametrize("side", ["above", "below"])
def test_a_one_sided_p_is_small_exactly_when_the_interval_excludes_the_bound(shift, side):
    found = differences(shift=shift)
    low, high, _ = difference_limits(found, level=0.9)
    limit = low if side == "above" else high
    for bound in (limit - 1e-4, limit + 1e-4):
        excluded = bound < limit if side == "above" else bound > limit
        assert (one_sided_p(found, bound, side=side) < 0.05) == excluded


def test_one_sided_and_two_sided_p_are_one_test():
    found = differences(shift=0.02)
    assert 2 * one_sided_p(found, 0.0, side="above") == pytest.approx(difference_limits(found)[2])
    assert one_sided_p(found, 0.0, side="above") + one_sided_p(found, 0.0, side="below") == pytest.approx(1.0)


def test_a_constant_difference_is_tested_exactly():
    found = crossed_mean(np.zeros((3, 100)))
    # All 100 items show 0; that a share of more than .05 lies below would leave none of them with probability .95^100.
    assert one_sided_p(found, -0.05, side="above") == pytest.approx(0.95**100)
    assert tost(found, margin=0.05).p_equivalent < 0.05 < tost(found, margin=0.02).p_equivalent
    assert one_sided_p(found, 0.0, side="above") == 1.0


def test_equivalence_needs_both_sides_and_non_inferiority_one():
    close = tost(differences(), margin=0.05)
    assert close.p_equivalent < 0.05 and -0.05 < close.low < close.high < 0.05
    better = tost(differences(shift=0.2), margin=0.05)
    assert better.p_not_lower < 0.001 and better.p_not_higher > 0.99 and better.p_equivalent == better.p_not_higher


def test_little_data_is_no_evidence_of_equivalence():
    assert tost(differences(shape=(2, 5)), margin=0.02).p_equivalent > 0.05


def test_from_the_result_table(make, cells_of):
    rng = np.random.default_rng(2)
    a, b = (np.clip(0.5 + 0.01 * rng.normal(size=(3, 50)), 0, 1).tolist() for _ in "ab")
    plan = Planned(name="a - b", arm="a", reference="b", eval="e")
    rows = make(cells_of(a, arm="a"), cells_of(b, arm="b"))
    (contrast, found), (gone, nothing) = equivalent(rows, [plan, Planned(name="x", arm="x", reference="b", eval="e")], margin=0.02)
    assert contrast.value == pytest.approx(np.mean(a) - np.mean(b)) and found.p_equivalent < 0.05
    assert gone.method == "not estimable" and nothing is None


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, 2.0])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(UserError, match="margin must lie between 0 and 1"):
        tost(differences(), margin=margin)
