import numpy as np
import pytest
from scipy import stats

from axenic.stats.contrasts import Planned
from axenic.stats.spread import limits, of_runs, p_equal, spread

PLAN = Planned(name="spread", arm="tuned", reference="base", eval="e", temperature=0.7)


def runs(arm, means, *, seeds, n_items=50, temperature=0.7):
    """Rows whose runs (seed, repetition) have the given means, exactly."""
    return [
        {"arm": arm, "train_seed": seed, "repetition": r, "item_id": f"i{i:02}", "temperature": temperature, "score": mean}
        for seed, repeated in zip(seeds, means, strict=True) for r, mean in enumerate(repeated) for i in range(n_items)
    ]  # fmt: skip


def test_the_sd_of_one_run_is_seeds_and_repetitions_together():
    rng = np.random.default_rng(0)
    means = [list(0.5 + 0.1 * rng.normal() + 0.02 * rng.normal(size=4)) for _ in range(6)]
    found = of_runs([np.array(m) for m in means])
    between = np.var([np.mean(m) for m in means], ddof=1)
    within = np.mean([np.var(m, ddof=1) for m in means])
    assert found.sd**2 == pytest.approx(between - within / 4 + within)  # variance component of seeds + that of repetitions
    assert (found.n_seeds, found.n_runs) == (6, 24)


def test_one_axis_alone_gives_the_chi_squared_limits_and_the_sd_itself():
    seeds = np.array([0.1, 0.3, 0.2, 0.5])
    for found in (of_runs([np.array([s]) for s in seeds]), of_runs([seeds])):
        assert found.sd == pytest.approx(seeds.std(ddof=1))
        low, high = found.limits(0.025)
        assert low == pytest.approx(found.sd * (3 / stats.chi2.ppf(0.975, 3)) ** 0.5)
        assert high == pytest.approx(found.sd * (3 / stats.chi2.ppf(0.025, 3)) ** 0.5)


def test_p_is_the_level_at_which_the_limits_reach_zero():
    rng = np.random.default_rng(1)
    a, b = of_runs(list(0.2 * rng.normal(size=(5, 3)))), of_runs([0.02 * rng.normal(size=5)])
    p = p_equal(a, b)
    assert 0 < p < 0.05 and limits(a, b, p / 2)[0] == pytest.approx(0.0, abs=1e-9)
    assert p_equal(b, a) == pytest.approx(p) and p_equal(a, a) == 1.0


def test_a_tuned_arm_that_varies_by_seed_is_more_spread_than_its_base(make):
    tuned = runs("tuned", [[0.2, 0.22], [0.5, 0.52], [0.7, 0.69], [0.4, 0.41], [0.1, 0.12]], seeds=range(5))
    found = spread(make(tuned, runs("base", [[0.3, 0.31, 0.29, 0.3, 0.32]], seeds=[None])), PLAN)
    assert found.measure == "sd between runs" and found.value > 0.15 and found.low > 0 and found.p < 0.01
    assert (found.n_seeds, found.n_items, found.temperature, found.reference_temperature) == (5, 50, 0.7, 0.7)
    assert "tuned 0.2" in found.note and "(5 seeds, 10 runs)" in found.note and "(one seed, 5 runs)" in found.note


def test_one_run_and_runs_that_do_not_vary_are_not_estimable(make):
    tuned = runs("tuned", [[0.2], [0.5]], seeds=(0, 1))
    single = spread(make(tuned, runs("base", [[0.3]], seeds=[None])), PLAN)
    assert (single.value, single.low, single.p, single.method) == (None, None, None, "not estimable")
    assert "base: one run" in single.note and "base unknown" in single.note
    still = spread(make(tuned, runs("base", [[0.3, 0.3]], seeds=[None])), PLAN)
    assert still.value == pytest.approx(np.std([0.2, 0.5], ddof=1)) and still.low is None and "do not vary" in still.note
    assert spread(make(tuned), PLAN).note == "no rows for base"


def test_rows_without_a_score_do_not_count_as_runs(make):
    lost = [r | {"score": None} for r in runs("base", [[0.1]], seeds=[None])]
    found = spread(make(runs("tuned", [[0.2], [0.5]], seeds=(0, 1)), lost), PLAN)
    assert found.value is None and "base: one run" in found.note
