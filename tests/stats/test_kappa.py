"""Promises of kappa and alpha: published values, no width of 0, nothing claimed where chance agrees fully."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from axenic.stats.kappa import cohen_kappa, krippendorff_alpha
from axenic.stats.simulate_labels import Errors, kappa_coverage

KRIPPENDORFF_2011 = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def raters(text: str) -> list[list[str | None]]:
    return [[None if label == "." else label for label in line.split()] for line in text.strip().splitlines()]


def test_alpha_is_that_of_krippendorffs_own_example_with_missing_labels() -> None:
    by_rater = raters(KRIPPENDORFF_2011)
    units = [[rater[u] for rater in by_rater] for u in range(12)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_not_defined_where_one_label_alone_occurs_or_nobody_overlaps() -> None:
    assert krippendorff_alpha([["a", "a"], ["a", None]]) is None
    assert krippendorff_alpha([["a", None], [None, "b"]]) is None
    assert krippendorff_alpha([]) is None


def test_kappa_is_sklearns_and_its_limits_those_of_fleiss_cohen_and_everitt_in_large_samples() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 20_000)
    b = np.where(rng.random(20_000) < 0.7, a, rng.integers(0, 3, 20_000))
    kappa, low, high = cohen_kappa(a, b, np.arange(20_000))
    assert kappa == pytest.approx(cohen_kappa_score(a, b))
    p = np.histogram2d(a, b, bins=3)[0] / len(a)
    rows, columns = p.sum(1), p.sum(0)
    observed, chance = np.trace(p), rows @ columns
    first = sum(p[i, i] * ((1 - chance) - (rows[i] + columns[i]) * (1 - observed)) ** 2 for i in range(3))
    second = (1 - observed) ** 2 * sum(p[i, j] * (columns[i] + rows[j]) ** 2 for i in range(3) for j in range(3) if i != j)
    third = (observed * chance - 2 * chance + observed) ** 2
    se = np.sqrt((first + second - third) / len(a)) / (1 - chance) ** 2
    assert high - low == pytest.approx(2 * 1.96 * se, rel=2e-3)


def test_perfect_agreement_has_no_zero_width_and_one_label_alone_no_kappa() -> None:
    a = np.array([0, 1] * 20)
    kappa, low, high = cohen_kappa(a, a, np.arange(40))
    assert kappa == high == 1.0 and 0.7 < low < 0.95
    assert cohen_kappa(np.zeros(9, np.int64), np.zeros(9, np.int64), np.arange(9)) == (None, None, None)


def test_answers_to_one_item_are_not_independent_evidence() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, 60)
    b = np.where(rng.random(60) < 0.8, a, 1 - a)
    alone = cohen_kappa(a, b, np.arange(60))
    ten_each = cohen_kappa(np.repeat(a, 10), np.repeat(b, 10), np.repeat(np.arange(60), 10))
    assert ten_each[0] == pytest.approx(alone[0])
    assert ten_each[2] - ten_each[1] == pytest.approx(alone[2] - alone[1], rel=0.05)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.02])
def test_limits_of_kappa_cover_also_when_a_label_is_rare(p: float) -> None:
    found = kappa_coverage(p, Errors(0.9, 0.95), n=100, studies=300, seed=2)
    assert 0.90 <= found.covered <= 1.0
