import numpy as np
import pytest
from scipy import stats

from axenic.stats.ranges import ranges
from axenic.stats.simulate_variance import Logits, range_coverage


def test_one_bar_per_cell_with_its_chi_square_limits(make, cells_of):
    scores = [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]]
    [found] = ranges(make(cells_of(scores)), measures={"e": "complied"})
    means = np.array([0.75, 0.25, 0.5])
    assert (found.minimum, found.maximum, found.value, found.n_runs, found.n_seeds) == (0.25, 0.75, 0.5, 3, 3)
    assert found.sd == pytest.approx(means.std(ddof=1)) and found.measure == "complied"
    limits = [found.sd * (2 / q) ** 0.5 for q in (stats.chi2.isf(0.025, 2), stats.chi2.ppf(0.025, 2))]
    assert (found.sd_low, found.sd_high) == pytest.approx(limits)
    assert found.sampling_sd == pytest.approx((0.25 / 4) ** 0.5)


def test_repetitions_are_runs_but_not_seeds(make, cells_of):
    parts = [cells_of([[1, 1, 0, 0], [1, 0, 0, 0]], repetition=r, temperature=0.7) for r in range(5)]
    [found] = ranges(make(*parts))
    assert (found.n_runs, found.n_seeds) == (10, 2)
    assert found.sd == pytest.approx(np.std([0.5, 0.25], ddof=1))  # repetitions never differ: as if there were one
    assert found.sd_high > 20 * found.sd  # two seeds say next to nothing


def test_every_epoch_and_temperature_has_its_bar(make, cells_of):
    parts = [cells_of([[1, 0], [0, 0]], epoch=e, temperature=t) for e in (1.0, 2.0) for t in (0.0, 0.7)]
    found = ranges(make(*parts, cells_of([[1, 0]], arm="a | b")))
    assert [(r.epoch, r.temperature) for r in found] == [(1.0, 0.0), (1.0, 0.7), (2.0, 0.0), (2.0, 0.7)]
    assert {r.arm for r in found} == {"a"}


@pytest.mark.parametrize(("scores", "note"), [
    ([[1, 0, 1]], "one run"), ([[1, 1], [1, 1]], "runs do not vary"), ([[None, None]], "nothing scored"),
])  # fmt: skip
def test_what_cannot_be_told_says_so(make, cells_of, scores, note):
    [found] = ranges(make(cells_of(scores)))
    assert found.sd is None and found.sd_low is None and note in found.note


def test_one_seed_shows_the_spread_of_its_repetitions_and_says_so(make, cells_of):
    parts = [cells_of([[1, r % 2, 0]], repetition=r, temperature=0.7) for r in range(4)]
    [found] = ranges(make(*parts))
    assert found.sd == pytest.approx(np.std([1 / 3, 2 / 3, 1 / 3, 2 / 3], ddof=1)) and "repetitions only" in found.note


def test_missing_rows_are_said(make, cells_of):
    [found] = ranges(make(cells_of([[1, None, 0], [1, 1, 0]])))
    assert "1 of 6 rows missing" in found.note and found.minimum == 0.5


@pytest.mark.parametrize(("seed_sd", "repetitions"), [(0.5, 1), (0.5, 5), (0.0, 5)])
def test_limits_of_the_spread_of_runs_cover(seed_sd, repetitions):
    assert range_coverage(Logits(-1.0, seed_sd), n_seeds=5, n_items=100, repetitions=repetitions, studies=300, seed=4) >= 0.91
