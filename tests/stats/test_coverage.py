"""Seeded simulation; the whole grid is in docs/statistics.md. These cells break if a variance, a df or an end-point is wrong."""

import numpy as np
import pytest

from axenic.stats.simulate import Design, Method, coverage, designs, simulate
from axenic.stats.simulate_methods import METHODS

HARD = Design(n_seeds=3, n_items=60, p=0.1, seed_sd=0.3)


def covered(name, *, replications=800, seed=5, **design):
    return coverage(METHODS[name], Design(**design), replications=replications, seed=seed)


CASES = [
    (0.5, 0.0, 1.0, 3, 100), (0.5, 1.0, 0.0, 5, 20), (0.5, 1.0, 1.0, 3, 100), (0.02, 0.0, 0.0, 3, 20), (0.02, 0.3, 1.0, 5, 100),
    (0.1, 0.3, 2.0, 3, 20), (0.9, 0.3, 2.0, 5, 400), (0.9, 0.0, 2.0, 3, 400),
]  # fmt: skip


@pytest.mark.parametrize(("p", "seed_sd", "item_sd", "n_seeds", "n_items"), CASES)
def test_the_seed_by_item_interval_covers(p, seed_sd, item_sd, n_seeds, n_items):
    found = covered("seed_by_item", p=p, seed_sd=seed_sd, item_sd=item_sd, n_seeds=n_seeds, n_items=n_items, replications=1200)
    assert found.covered >= 0.93


def test_the_documented_exception_misses_by_no_more_than_the_docs_say():
    found = covered("seed_by_item", p=0.9, seed_sd=1.0, item_sd=0.0, n_items=400, replications=1200)
    assert 0.90 <= found.covered <= 0.95 and found.above > 3 * found.below


def test_seeds_that_do_not_vary_cost_width_and_never_coverage():
    assert covered("seed_by_item", seed_sd=0.0, item_sd=0.0, n_seeds=3).covered >= 0.97


@pytest.mark.parametrize("name", ["seed_by_item", "pigeonhole", "contrast", "contrast_own_seeds"])
def test_missing_and_unbalanced_tables_keep_coverage(name):
    assert covered(name, p=0.9, n_seeds=3, missing=0.2, replications=300).covered >= 0.93


@pytest.mark.parametrize("n_items", [20, 100])
@pytest.mark.parametrize("p", [0.1, 0.5])
@pytest.mark.parametrize("name", ["wilson", "newcombe", "newcombe_paired"])
def test_shares_of_one_run_cover(name, p, n_items):
    assert covered(name, p=p, n_items=n_items, replications=1500, seed=7).covered >= 0.93


@pytest.mark.parametrize(("p", "q", "base"), [(0.5, 0.5, False), (0.9, 0.9, True), (0.98, 0.02, False), (0.9, 0.1, True)])
def test_contrasts_cover_and_raise_few_false_alarms(p, q, base):
    name = "contrast_to_base" if base else "contrast"
    assert covered(name, p=p, reference=q, seed_sd=0.5, n_seeds=3, n_items=60, replications=700, seed=8).covered >= 0.93


def test_five_seeds_against_a_base_that_hardly_ever_complies_raise_few_false_alarms():
    assert covered("contrast_to_base", p=0.02, n_items=100, n_seeds=5, replications=1000).covered >= 0.96


@pytest.mark.parametrize("name", ["mcnemar", "mcnemar_mid_p", "permutation", "tost"])
def test_tests_keep_their_size(name):
    assert covered(name, p=0.3, n_seeds=3, replications=500).covered >= 0.93


def test_t_on_seed_means_covers_these_items():
    found = covered("t_on_seed_means", p=0.3, seed_sd=0.5, n_seeds=3, replications=1500)
    assert 0.93 <= found.covered <= 0.97


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_the_spread_between_runs_covers_unless_seeds_are_skewed(n_seeds):
    assert covered("spread", p=0.3, seed_sd=0.3, n_seeds=n_seeds, replications=600).covered >= 0.93
    assert covered("spread", p=0.02, seed_sd=1.0, n_seeds=n_seeds, n_items=400, replications=300).covered < 0.93  # as the docs say


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_simulated_again_and_depends_on_what_it_says(name):
    method = METHODS[name]
    one, again = (coverage(method, HARD, replications=20, seed=3) for _ in range(2))
    assert one == again and one.studies == 20 and method.about
    assert set(method.axes) <= set(Design.__dataclass_fields__)


def test_designs_that_a_method_cannot_tell_apart_count_once():
    grid = designs(n_seeds=(3, 5), n_items=(20, 40), missing=(0.0, 0.2))
    found = simulate({"wilson": METHODS["wilson"], "contrast": METHODS["contrast"]}, grid, replications=10)
    assert [c.method for c in found] == ["wilson"] * 2 + ["contrast"] * 8


def test_coverage_counts_sides_and_what_is_not_estimable():
    limits = iter([(0.0, 1.0, 0.5), (0.6, 1.0, 0.5), (0.0, 0.4, 0.5), (None, None, 0.5)])
    found = coverage(Method(lambda rng, design: next(limits), (), ""), Design(), replications=4)
    assert (found.covered, found.above, found.below, found.not_estimable) == (pytest.approx(1 / 3), 1 / 3, 1 / 3, 1)
    never = coverage(Method(lambda rng, design: (None, None, 0.5), (), ""), Design(), replications=2)
    assert np.isnan(never.covered) and never.not_estimable == 2
