import numpy as np
import pytest

from axenic.stats.crossed import crossed_mean, independent_difference


def test_terms_of_a_full_matrix_are_the_mean_squares_of_the_analysis_of_variance():
    # By hand: grand mean 2; seed means 1, 3; item means 1.5, 2, 2.5; residuals 0.5, 0, -0.5 and their negatives.
    y = np.array([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]])
    found = crossed_mean(y)
    ms_seed, ms_item, ms_residual = 6.0 / 1, 1.0 / 2, 1.0 / 2
    assert found.value == 2.0
    assert found.seeds == ((pytest.approx(ms_seed / 6), 1.0),)
    assert found.items == (pytest.approx(ms_item / 6), 2.0)
    assert found.residual == ((pytest.approx(ms_residual / 6), 2.0),)
    assert found.variance == pytest.approx((ms_seed + ms_item - ms_residual) / 6)
    assert found.df == pytest.approx(1.0 / (1.0 / 1 + (1 / 12) ** 2 / 2 + (1 / 12) ** 2 / 2), abs=0.02)


def test_the_variance_is_unbiased_under_its_own_model():
    rng = np.random.default_rng(0)
    n_seeds, n_items, sds = 4, 12, (0.7, 1.1, 1.5)
    found = []
    for _ in range(2000):
        seeds, items = sds[0] * rng.normal(size=(n_seeds, 1)), sds[1] * rng.normal(size=n_items)
        found.append(crossed_mean(seeds + items + sds[2] * rng.normal(size=(n_seeds, n_items))))
    truth = sds[0] ** 2 / n_seeds + sds[1] ** 2 / n_items + sds[2] ** 2 / (n_seeds * n_items)
    raw = [f.items[0] + f.seeds[0][0] - f.residual[0][0] for f in found]
    assert np.mean(raw) == pytest.approx(truth, rel=0.05)
    assert np.var([f.value for f in found]) == pytest.approx(truth, rel=0.08)


def test_the_variance_stays_right_when_cells_are_missing():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(2000):
        y = 0.7 * rng.normal(size=(4, 1)) + 1.1 * rng.normal(size=12) + rng.normal(size=(4, 12))
        found.append(crossed_mean(np.where(rng.random(y.shape) < 0.25, np.nan, y)))
    raw = [f.items[0] + f.seeds[0][0] - f.residual[0][0] for f in found]
    assert np.mean(raw) == pytest.approx(np.var([f.value for f in found]), rel=0.08)


def test_the_residual_of_an_unbalanced_matrix_is_that_of_least_squares():
    rng = np.random.default_rng(2)
    y = np.where(rng.random((3, 8)) < 0.3, np.nan, rng.random((3, 8)))
    seen = ~np.isnan(y)
    s, i = np.nonzero(seen)
    design = np.column_stack([np.eye(3)[s], np.eye(8)[i]])
    fit, _, rank, _ = np.linalg.lstsq(design, y[seen], rcond=None)
    square = ((y[seen] - design @ fit) ** 2).sum() / (len(s) - rank)
    weight = 1 / (3 * seen.sum(axis=1))[s]
    assert crossed_mean(y).residual[0] == (pytest.approx(square * (weight**2).sum()), len(s) - rank)


def test_seeds_and_items_without_any_score_do_not_count():
    y = np.array([[0.0, 1.0, np.nan], [1.0, 1.0, np.nan], [np.nan, np.nan, np.nan]])
    found = crossed_mean(y)
    assert (found.n_seeds, found.n_items, found.n_cells, found.value) == (2, 2, 4, 0.75)


def test_one_item_or_nothing_has_no_variance():
    assert crossed_mean(np.array([[1.0], [0.0]])) is None
    assert crossed_mean(np.full((2, 3), np.nan)) is None


def test_independent_seeds_add_their_variances():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(2000):
        items = rng.normal(size=15)
        a = 0.5 + 0.6 * rng.normal(size=(3, 1)) + items + rng.normal(size=(3, 15))
        b = 0.9 * rng.normal(size=(4, 1)) + items + rng.normal(size=(4, 15))
        found.append(independent_difference(a, b))
    truth = 0.36 / 3 + 0.81 / 4 + (1 / 3 + 1 / 4) / 15
    raw = [f.items[0] + sum(t[0] for t in f.seeds) - sum(t[0] for t in f.residual) for f in found]
    assert np.mean(raw) == pytest.approx(truth, rel=0.05)
    assert np.mean([f.value for f in found]) == pytest.approx(0.5, abs=0.05)
