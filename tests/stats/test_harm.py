"""Promises of the limits of a harm: honest where hardly anything changed, and one with their p-values."""

import numpy as np
import pytest

from axenic.stats.crossed import crossed_mean
from axenic.stats.harm import HarmMean, Share, share_limits
from axenic.stats.intervals import clopper_pearson_limits, constant_limits, difference_limits


def harm(change_I: np.ndarray, *, most: int = 0) -> HarmMean:
    found = crossed_mean(change_I[None, :])
    assert found is not None
    return HarmMean(found, *(Share.of((sign * change_I).clip(min=0), most=most or len(change_I)) for sign in (1, -1)))


def changed(n: int, worse: int, better: int = 0) -> np.ndarray:
    return np.array([1.0] * worse + [-1.0] * better + [0.0] * (n - worse - better))


def test_one_item_worse_never_leaves_less_room_for_harm_than_none() -> None:
    highs = [harm(changed(100, k)).limits(0.95)[1] for k in range(6)]
    assert highs == sorted(highs) and highs[0] == pytest.approx(constant_limits(0.0, 100)[1])
    plain = [difference_limits(harm(changed(100, k)).found)[1] for k in (0, 1)]
    assert plain[1] < plain[0], "the plain t-interval does, which is why it is widened"
    assert highs[1] == pytest.approx(clopper_pearson_limits(0.01, 100, 0.95)[1])


def test_shares_of_the_same_items_pair() -> None:
    low, high = share_limits(Share(0.05, 200), Share(0.05, 200), level=0.95)
    assert low == pytest.approx(-high) and 0.03 < high < 0.06


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (3, 0), (12, 4), (30, 25), (2, 9)])
def test_p_values_and_limits_never_disagree(worse: int, better: int) -> None:
    one = harm(changed(200, worse, better))
    for p, side in ((one.p_worse(), 0), (one.p_not_worse(0.05), 1)):
        if 1e-9 < p < 0.5:
            limit, bound = one.limits(1 - 2 * p)[side], (0.0, 0.05)[side]
            assert limit == pytest.approx(bound, abs=1e-6)
    low, high = one.limits(0.95)
    assert (low > 0) == (one.p_worse() < 0.025) and (high < 0.05) == (one.p_not_worse(0.05) < 0.025)


def test_a_harm_of_the_size_of_the_margin_is_hardly_ever_called_not_worse() -> None:
    rng = np.random.default_rng(0)
    missed, plainly_missed = 0, 0
    for _ in range(600):
        one = harm((rng.random(440) < 0.02).astype(float))
        missed += one.limits(0.95)[1] < 0.02
        plainly_missed += difference_limits(one.found)[1] < 0.02
    assert missed / 600 <= 0.04 < plainly_missed / 600


def test_wordings_of_a_request_count_as_far_as_they_are_seen_to_differ() -> None:
    """88 requests in 5 wordings, 5 % of them answered worse: whole requests, or wordings here and there."""
    rng = np.random.default_rng(1)
    whole = np.repeat(rng.random((88, 1)) < 0.05, 5, axis=1).astype(float).mean(axis=1)
    scattered = (rng.random((88, 5)) < 0.05).astype(float).mean(axis=1)
    assert harm(whole, most=440).worse == Share.of(whole, most=88), "no more than one item each"
    wide, narrow = harm(whole, most=440), harm(scattered, most=440)
    assert narrow.worse is not None and 88 < narrow.worse.n < 440
    assert narrow.limits(0.95)[1] - narrow.value < wide.limits(0.95)[1] - wide.value


@pytest.mark.parametrize("together", [1.0, 0.5])
def test_a_harm_that_strikes_whole_requests_is_hardly_ever_missed(together: float) -> None:
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(300):
        whole, apart = rng.random((88, 1)) < 0.05, rng.random((88, 5)) < 0.05
        change = np.where(rng.random((88, 1)) < together, whole, apart).astype(float).mean(axis=1)
        missed += harm(change, most=440).limits(0.95)[1] < 0.05
    assert missed / 300 <= 0.045


def test_fixed_items_are_no_sample() -> None:
    found = crossed_mean(np.array([[0.1, 0.0], [0.12, 0.0], [0.11, 0.0]]))
    assert found is not None
    assert HarmMean(found).limits(0.95) == difference_limits(found)[:2]
