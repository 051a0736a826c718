"""Seeded simulation; the whole grid is in docs/statistics.md. These cells break if a variance, a df or an end-point is wrong."""

import pytest

from axenic.stats.simulate import Population, contrast_coverage, coverage

CASES = [
    (Population(0.5, 0.0, 1.0), 3, 100), (Population(0.5, 1.0, 0.0), 5, 20), (Population(0.5, 1.0, 1.0), 3, 100),
    (Population(0.02, 0.0, 0.0), 3, 20), (Population(0.02, 0.3, 1.0), 5, 100), (Population(0.1, 0.3, 2.0), 3, 20),
    (Population(0.9, 0.3, 2.0), 5, 400), (Population(0.9, 0.0, 2.0), 3, 400),
]  # fmt: skip


@pytest.mark.parametrize(("population", "n_seeds", "n_items"), CASES)
def test_the_seed_by_item_interval_covers(population, n_seeds, n_items):
    assert coverage(population, n_seeds=n_seeds, n_items=n_items, studies=1200, seed=5).covered >= 0.93


def test_the_documented_exception_misses_by_no_more_than_the_docs_say():
    found = coverage(Population(0.9, 1.0, 0.0), n_seeds=5, n_items=400, studies=1200, seed=5)
    assert 0.90 <= found.covered <= 0.95 and found.above > 3 * found.below


def test_seeds_that_do_not_vary_cost_width_and_never_coverage():
    found = coverage(Population(0.5, 0.0, 0.0), n_seeds=3, n_items=100, studies=1000, seed=5)
    assert found.covered >= 0.97


def test_missing_cells_keep_coverage():
    assert coverage(Population(0.9, 0.3, 1.0), n_seeds=3, n_items=100, studies=1000, seed=6, missing=0.2).covered >= 0.93


@pytest.mark.parametrize("n_items", [20, 100])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_one_run_covers(p, n_items):
    assert coverage(Population(p, 0.0, 1.0), n_seeds=1, n_items=n_items, studies=2000, seed=7).covered >= 0.93


@pytest.mark.parametrize(("p", "q", "base"), [(0.5, 0.5, False), (0.9, 0.9, True), (0.98, 0.02, False), (0.9, 0.1, True)])
def test_contrasts_cover_and_raise_few_false_alarms(p, q, base):
    arm, reference = Population(p, 0.5, 1.0), Population(q, 0.0 if base else 0.5, 1.0)
    assert contrast_coverage(arm, reference, n_seeds=3, n_items=60, studies=700, seed=8, base=base).covered >= 0.93
