import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from axenic.stats.paired import cluster_robust, mcnemar, newcombe, newcombe_paired, permutation


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (3, 3), (12, 4), (1, 9)])
def test_mcnemar_is_the_sign_test_on_what_changed(gained, lost):
    assert mcnemar(gained, lost) == pytest.approx(reference_mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)
    n, k = gained + lost, min(gained, lost)
    at = stats.binom.pmf(k, n, 0.5)
    half = 1 - at / 2 if gained == lost else 2 * stats.binom.cdf(k, n, 0.5) - at  # Fagerland et al. (2013), p. 4
    assert mcnemar(gained, lost, mid_p=True) == pytest.approx(half if n else 1.0)


def test_newcombe_gives_his_published_intervals():
    # Newcombe (1998a), table II, contrast (a): 56/70 - 48/80 by method 10.
    found = newcombe((56, 70), (48, 80))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    low, high = confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((low, high))
    assert newcombe((0, 10), (0, 10)).high == pytest.approx(0.2775, abs=5e-5)  # no difference seen is not no difference


def test_pairing_narrows_newcombe_where_answers_agree_and_is_symmetric():
    paired, independent = newcombe_paired(60, 8, 2, 30), newcombe((68, 100), (62, 100))
    assert paired.value == pytest.approx(independent.value) == pytest.approx(0.06)
    assert paired.high - paired.low < 0.6 * (independent.high - independent.low)
    back = newcombe_paired(60, 2, 8, 30)
    assert (back.low, back.high) == pytest.approx((-paired.high, -paired.low))


def test_newcombe_is_never_zero_wide_and_refuses_impossible_counts():
    for one in (newcombe((5, 5), (0, 5)), newcombe_paired(0, 5, 0, 0), newcombe_paired(5, 0, 0, 0)):
        assert one.low < one.value or one.high > one.value
    assert newcombe((0, 0), (1, 2)).method == "not estimable" and newcombe_paired(0, 0, 0, 0).low is None
    with pytest.raises(ValueError, match="successes"):
        newcombe((3, 2), (1, 2))


def test_few_items_are_permuted_exactly():
    d = np.array([0.5, 0.25, -0.1, 0.4, 0.0])
    sums = [abs(sum(s * x for s, x in zip(signs, d, strict=True))) for signs in itertools.product((1, -1), repeat=5)]
    found = permutation(d, rng=np.random.default_rng(0))
    assert found.p == pytest.approx(np.mean([s >= d.sum() - 1e-12 for s in sums])) and found.method.startswith("all sign flips")


def test_a_permutation_of_0_1_answers_is_mcnemar():
    d = np.array([1.0] * 9 + [-1.0] * 2 + [0.0] * 20)
    assert permutation(d, rng=np.random.default_rng(0)).p == pytest.approx(mcnemar(9, 2))
    many = np.array([1.0] * 30 + [-1.0] * 14 + [0.0] * 20)
    assert permutation(many, rng=np.random.default_rng(0), draws=40_000).p == pytest.approx(mcnemar(30, 14), abs=0.003)


def test_variants_of_a_stem_flip_together():
    d, stems = np.repeat([1.0, 1.0, -1.0], 6), np.repeat(["a", "b", "c"], 6).tolist()
    found = permutation(d, rng=np.random.default_rng(0), clusters=stems)
    assert found.p == 1.0 and found.n_clusters == 3  # of three equal sums, every sign change is as extreme
    assert permutation(d, rng=np.random.default_rng(0)).p < 0.3


def test_a_permutation_depends_on_its_seed_alone_and_never_gives_zero():
    d = np.ones(60)
    assert permutation(d, rng=np.random.default_rng(3), draws=500).p == 1 / 501
    assert permutation(np.array([np.nan]), rng=np.random.default_rng(0)).p is None
    assert permutation(np.zeros(4), rng=np.random.default_rng(0)).p == 1.0


def test_a_cluster_robust_error_grows_when_answers_come_in_clusters():
    rng = np.random.default_rng(0)
    stems = [f"s{k}" for k in range(30) for _ in range(8)]
    scores = (np.repeat(rng.random(30), 8) > 0.4).astype(float)
    wide, narrow = cluster_robust(scores, stems), cluster_robust(scores, [str(i) for i in range(240)])
    assert wide.value == pytest.approx(scores.mean()) and narrow.value == pytest.approx(scores.mean())
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)  # 30 answers, not 240: sqrt(8) = 2.8


def test_a_cluster_robust_difference_is_paired_within_items():
    rng = np.random.default_rng(1)
    base = (rng.random(50) < 0.5).astype(float)
    tuned = np.where(rng.random(50) < 0.1, 1 - base, base)
    found = cluster_robust(np.r_[tuned, base], [f"i{k}" for k in range(50)] * 2, arm=[True] * 50 + [False] * 50)
    d = tuned - base
    assert found.value == pytest.approx(d.mean())
    # statsmodels' small-sample factor is G / (G - 1) (n - 1) / (n - 2); the paired t has (G / (G - 1)).
    half = stats.t.ppf(0.975, 49) * d.std(ddof=1) / 50**0.5 * (99 / 98) ** 0.5
    assert found.high - found.value == pytest.approx(half)


def test_one_cluster_and_no_spread_are_not_estimable_and_never_zero():
    assert cluster_robust(np.array([1.0, 0.0]), ["a", "a"]).low is None
    still = cluster_robust(np.ones(6), list("abcdef"))
    assert (still.low, still.high, still.note) == (None, None, "clusters do not vary")
    assert cluster_robust(np.array([np.nan]), ["a"]).value is None
    assert cluster_robust(np.array([1.0, np.nan]), ["a", "b"], arm=[True, False]).note == "nothing scored in one of the arms"
