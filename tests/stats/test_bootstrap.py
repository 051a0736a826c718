import itertools

import numpy as np
import pytest

from axenic.stats import bootstrap
from axenic.stats.bootstrap import pigeonhole, resample
from axenic.stats.crossed import crossed_mean
from axenic.stats.intervals import two_way


def scores(seed=0, shape=(4, 60), missing=0.0):
    rng = np.random.default_rng(seed)
    y = (rng.random(shape) < rng.random(shape[1]) * 0.6 + 0.3 * rng.random((shape[0], 1))).astype(float)
    return np.where(rng.random(shape) < missing, np.nan, y)


def plain(y, rng, resamples):
    """The definition, by index: rows and columns drawn with replacement, the mean of the seeds' means."""
    found = []
    for _ in range(resamples):
        drawn = y[np.ix_(rng.integers(0, y.shape[0], y.shape[0]), rng.integers(0, y.shape[1], y.shape[1]))]
        found.append(np.nanmean(np.nanmean(drawn, axis=1)))
    return np.array(found)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_resampled_means_are_the_plain_bootstraps_but_for_the_small_sample_factor(missing):
    y = scores(shape=(40, 90), missing=missing)  # with 40 seeds and 90 items the factors are nearly 1
    ours, theirs = resample(y, rng=np.random.default_rng(1), resamples=4000), plain(y, np.random.default_rng(2), 4000)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.003)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)


def test_two_seeds_vary_as_much_as_two_draws_of_their_population_would():
    y = np.repeat([[0.2], [0.6]], 50, axis=1)  # no item varies: what is left is the variance of the mean of two seeds, s^2 / 2
    assert resample(y, rng=np.random.default_rng(0), resamples=40_000).var() == pytest.approx(0.08 / 2, rel=0.03)


def test_every_way_of_drawing_items_is_the_same_distribution(monkeypatch):
    y = scores(shape=(3, 200))
    few = resample(y, rng=np.random.default_rng(0), resamples=20_000)  # at most 8 distinct columns: multinomial counts
    fine = y + 1e-9 * np.random.default_rng(1).random(y.shape)
    many = resample(fine, rng=np.random.default_rng(0), resamples=20_000)  # all columns distinct: drawn one by one
    monkeypatch.setattr(bootstrap, "DRAWS", 0)
    limit = resample(fine, rng=np.random.default_rng(0), resamples=20_000)
    for a, b in itertools.pairwise((few, many, limit)):
        assert a.mean() == pytest.approx(b.mean(), abs=0.002) and a.std() == pytest.approx(b.std(), rel=0.03)


def test_it_depends_on_its_generator_alone():
    one, again, other = (pigeonhole(scores(), rng=np.random.default_rng(s), resamples=500) for s in (5, 5, 6))
    assert one == again != other
    np.random.seed(0)  # noqa: NPY002 - the global generator plays no part
    assert pigeonhole(scores(), rng=np.random.default_rng(5), resamples=500) == one


def test_the_interval_is_no_narrower_than_seed_by_item_on_few_seeds_and_stays_inside():
    y = scores(shape=(3, 100))
    found, other = pigeonhole(y, rng=np.random.default_rng(0)), two_way(y)
    assert found.value == pytest.approx(other.value) and 0 <= found.low < found.value < found.high <= 1
    assert found.high - found.low > 0.8 * (other.high - other.low)
    near = np.zeros((3, 50))
    near[0, 0] = 1.0
    edge = pigeonhole(near, rng=np.random.default_rng(0))
    assert 0 <= edge.low < edge.value < edge.high <= 1


def test_differences_reach_from_minus_one_to_one():
    a, b = scores(1), scores(2)
    found = pigeonhole(a - b, rng=np.random.default_rng(0), lowest=-1.0)
    back = pigeonhole(b - a, rng=np.random.default_rng(0), lowest=-1.0)
    assert -1 <= found.low < found.value < found.high <= 1
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=0.01)


def test_no_spread_and_no_data_are_never_zero_wide():
    rng = np.random.default_rng(0)
    assert pigeonhole(np.ones((3, 20)), rng=rng).low < 0.9
    assert pigeonhole(np.zeros((3, 20)), rng=rng, lowest=-1.0).high > 0.1
    assert pigeonhole(np.full((2, 2), np.nan), rng=rng).note == "nothing scored"
    assert pigeonhole(np.array([[1.0], [0.0]]), rng=rng).method == "not estimable"
    one = pigeonhole(scores(shape=(1, 40)), rng=rng)
    assert "one run" in one.method and one.low < one.value < one.high


def test_its_variance_errs_upwards_because_the_residual_counts_more_than_once():
    y = scores(shape=(5, 80))
    assert resample(y, rng=np.random.default_rng(0), resamples=5000).var() > crossed_mean(y).variance
