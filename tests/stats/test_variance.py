import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from axenic.stats.mean_squares import MeanSquare, component, mean_squares, modified_large_sample, value_of
from axenic.stats.simulate_variance import Logits, answers, component_coverage, rows_of
from axenic.stats.variance import variance_components


def by_source(rows, **kept):
    options = {k: kept.pop(k) for k in ("items", "level") if k in kept}
    found = [v for v in variance_components(rows, **options) if all(getattr(v, k) == w for k, w in kept.items())]
    assert len({v.source for v in found}) == len(found)
    return {v.source: v for v in found}


def crossed(rng, sizes, sds):
    """Normal scores in [0, 1] around .5 with one axis per facet; sds maps a tuple of axes to a standard deviation."""
    y = np.full(sizes, 0.5)
    for axes, sd in sds.items():
        y = y + sd * rng.normal(size=[n if k in axes else 1 for k, n in enumerate(sizes)])
    return y


def test_a_balanced_table_gives_the_analysis_of_variance_by_hand(make, cells_of):
    # Cells, two repetitions each, all equal within: seeds (rows) .2 .4 .6 and .4 .8 .6; grand mean .5; MS by hand.
    rows = make(*(cells_of([[0.2, 0.4, 0.6], [0.4, 0.8, 0.6]], repetition=r, temperature=0.7) for r in range(2)))
    found = by_source(rows)
    ms_seed, ms_item, ms_both = 6 * 2 * 0.1**2, 4 * (0.2**2 + 0.1**2 + 0.1**2) / 2, 2 * 2 * (0.0 + 0.1**2 + 0.1**2) / 2
    assert found["train_seed"].variance == pytest.approx((ms_seed - ms_both) / 6)
    assert found["item"].variance == pytest.approx((ms_item - ms_both) / 4)
    assert found["train_seed:item"].variance == pytest.approx(ms_both / 2)
    assert found["repetition"].variance == pytest.approx(0.0)
    assert sum(v.share for s, v in found.items() if s != "total") == pytest.approx(found["total"].share) == 1.0
    assert {v.method for v in found.values()} == {"method of moments"} and found["item"].items == "sampled"


def test_every_component_of_a_crossed_design_is_recovered():
    rng = np.random.default_rng(0)
    facets, sizes = ("train_seed", "checkpoint", "temperature", "item"), (5, 4, 2, 40)
    sds = {(0,): 0.6, (1,): 0.5, (2,): 0.4, (3,): 0.7, (0, 3): 0.5, (1, 3): 0.3, (0, 1): 0.4, (0, 1, 2, 3): 0.8}
    found = {axes: [] for axes in sds}
    for _ in range(300):
        squares = mean_squares(crossed(rng, sizes, sds), facets)
        for axes in sds:
            part = component(frozenset(facets[k] for k in axes), dict(zip(facets, sizes, strict=True)))
            found[axes].append(value_of(part, squares))
    for axes, sd in sds.items():
        assert np.mean(found[axes]) == pytest.approx(sd**2, abs=3.5 * np.std(found[axes]) / 300**0.5), axes


def test_an_unbalanced_table_gives_the_maximum_of_the_restricted_likelihood(make):
    rng = np.random.default_rng(1)
    records = []
    for s, shift in enumerate(1.5 * rng.normal(size=4)):
        for i, hard in enumerate(np.random.default_rng(9).normal(size=25)):
            both = 0.12 * rng.normal()
            scores = np.clip(0.5 + 0.04 * shift + 0.09 * hard + both + 0.1 * rng.normal(size=3), 0, 1)
            cell = {"train_seed": s, "item_id": f"i{i}", "temperature": 0.7}
            records += [cell | {"repetition": r, "score": v} for r, v in enumerate(scores)]
    kept = [r if rng.random() > 0.35 else r | {"score": None} for r in records]
    found = by_source(make(kept))
    assert {v.method for v in found.values()} == {"REML"}
    scored = pd.DataFrame([r for r in kept if r["score"] is not None])
    y, seed, item = (scored[c].to_numpy() for c in ("score", "train_seed", "item_id"))
    names = ("train_seed", "item", "train_seed:item", "repetition")
    same = [seed[:, None] == seed, item[:, None] == item]
    blocks = [b.astype(float) for b in (*same, same[0] & same[1], np.eye(len(y)))]

    def deviance(variances):  # -2 log restricted likelihood, from the whole covariance matrix
        inverse = np.linalg.inv(sum(v * b for v, b in zip(np.abs(variances), blocks, strict=True)))
        weight = inverse.sum()
        left = y - (inverse @ y).sum() / weight
        return -np.linalg.slogdet(inverse)[1] + np.log(weight) + left @ inverse @ left

    ours = np.array([found[n].variance for n in names])
    best = optimize.minimize(deviance, ours * 1.3, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-8, "maxiter": 4000})
    assert deviance(ours) <= best.fun + 1e-3
    assert ours == pytest.approx(np.abs(best.x), rel=0.02, abs=1e-5) and (ours > 1e-4).all()


@pytest.mark.parametrize(("share", "method"), [(0.1, "method of moments, "), (0.5, "REML")])
def test_empty_cells_of_a_crossed_design_leave_its_components_right(make, share, method):
    rng = np.random.default_rng(2)
    y = np.clip(crossed(rng, (4, 3, 30, 2), {(0,): 0.05, (2,): 0.1, (0, 2): 0.05, (0, 1, 2, 3): 0.1}), 0, 1)
    records = [
        {"train_seed": s, "epoch": float(e), "item_id": f"i{i}", "repetition": r, "temperature": 0.7, "score": v}
        for (s, e, i, r), v in np.ndenumerate(y)
    ]
    lost = [r if rng.random() > share else r | {"score": None} for r in records]
    whole, part = (by_source(make(r), epoch=None) for r in (records, lost))
    assert part["item"].method.startswith(method) and whole["item"].method == "method of moments"
    for source in ("train_seed", "item", "train_seed:item", "repetition"):
        assert part[source].variance == pytest.approx(whole[source].variance, rel=0.3, abs=0.001), source


def test_the_interval_of_one_mean_square_is_the_chi_square_one():
    low, high = modified_large_sample({"a": 1.0}, {"a": MeanSquare(2.0, 7.0)}, level=0.95)
    assert (low, high) == pytest.approx((14 / stats.chi2.isf(0.025, 7), 14 / stats.chi2.ppf(0.025, 7)))


def test_greedy_decoding_leaves_all_variance_to_seeds_and_items_and_sampling_mixes_both(make, cells_of):
    rng = np.random.default_rng(3)
    rates = Logits(0.0, 0.5).rates(rng, 5, rng.normal(size=60))
    cold = (rates > 0.5).astype(float)
    rows = pd.concat(
        [rows_of(np.repeat(cold[:, :, None], 3, axis=2), temperature=0.0), rows_of(answers(rng, rates, repetitions=5))]
    )
    greedy, warm = by_source(rows, temperature=0.0), by_source(rows, temperature=0.7)
    assert greedy["numerical"].variance == 0.0 and "repetition" not in greedy
    assert warm["repetition"].share > 0.3 and warm["train_seed"].share is not None
    both = by_source(rows, temperature=None)
    assert {"temperature", "temperature:item", "repetition", "numerical"} <= set(both)


def test_one_seed_is_not_estimable_and_never_zero(make, cells_of):
    for seeds in ([0], [None]):
        rows = make(*(cells_of([[1, 0, 1, r % 2]], seeds=seeds, repetition=r, temperature=0.7) for r in range(4)))
        found = by_source(rows)
        assert found["train_seed"].variance is None and found["train_seed"].method == "not estimable"
        assert found["item"].variance > 0 and "without the training seed" in found["total"].note


@pytest.mark.parametrize(("scores", "why"), [
    ([[1, 1, 1], [1, 1, 1]], "same score"), ([[None, None], [None, None]], "nothing scored"), ([[1], [0]], "one item"),
])  # fmt: skip
def test_what_cannot_be_told_says_so(make, cells_of, scores, why):
    [found] = variance_components(make(cells_of(scores)))
    assert found.variance is None and found.low is None and found.method == "not estimable" and why in found.note


def test_a_single_sampled_repetition_is_residual_and_a_greedy_one_is_said_to_hold_numerical_noise(make, cells_of):
    rng = np.random.default_rng(4)
    scores = (rng.random((3, 20)) < 0.5).astype(float).tolist()
    warm, cold = (by_source(make(cells_of(scores, temperature=t))) for t in (0.7, 0.0))
    assert "train_seed:item" not in warm and warm["residual"].variance > 0 and warm["repetition"].variance is None
    assert "numerical noise" in cold["train_seed:item"].note and cold["numerical"].variance is None


def test_a_negative_estimate_is_zero_with_a_note_and_still_has_an_upper_limit(make, cells_of):
    rows = make(cells_of([[1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 1, 1]]))
    found = by_source(rows)["item"]
    assert found.variance == 0.0 and found.low == 0.0 and "negative estimate" in found.note
    assert found.high > 0


def test_fixed_items_give_the_seeds_what_their_interaction_does_to_the_mean(make):
    rng = np.random.default_rng(5)
    rows = rows_of(answers(rng, Logits(0.0, 0.5).rates(rng, 5, rng.normal(size=40)), repetitions=3))
    sampled, fixed = (by_source(rows, items=i) for i in ("sampled", "fixed"))
    expected = sampled["train_seed"].variance + sampled["train_seed:item"].variance / 40
    assert fixed["train_seed"].variance == pytest.approx(expected) and fixed["train_seed"].items == "fixed"


def test_only_the_last_epoch_counts_and_derived_arms_do_not(make, cells_of):
    first, last = (cells_of(s, epoch=e) for e, s in ((1.0, [[1, 0, 1], [0, 0, 1]]), (2.0, [[1, 1, 0], [0, 0, 1]])))
    rows = make(first, last, cells_of([[1, 0, 1], [0, 1, 1]], arm="a | b"))
    found = variance_components(rows)
    assert {v.arm for v in found} == {"a"} and {v.epoch for v in found} == {2.0, None}


def test_judges_cross_but_a_judge_of_another_question_does_not(make, cells_of):
    rng = np.random.default_rng(6)
    y = (rng.random((3, 20)) < 0.5).astype(float)
    off = np.where(rng.random(y.shape) < 0.1, 1 - y, y)
    parts = [cells_of(s.tolist(), judge=j) for j, s in (("lab", y), ("patterns", off), ("coherence", np.ones_like(y)))]
    found = by_source(make(*parts), judge="")
    assert found["judge"].n_levels == 2 and {"judge:item", "residual"} <= set(found)
    assert not [v for v in variance_components(make(parts[0], parts[2])) if v.judge == ""]


def test_rows_in_any_order_give_the_same_bits(make):
    rng = np.random.default_rng(7)
    rows = rows_of(answers(rng, Logits(0.0, 0.5).rates(rng, 3, rng.normal(size=20)), repetitions=2, missing=0.1))
    assert variance_components(rows) == variance_components(rows.sample(frac=1, random_state=1))


@pytest.mark.parametrize(("mean", "seed_sd", "repetitions", "missing"), [
    (0.0, 0.0, 3, 0.0), (0.0, 0.5, 3, 0.0), (-3.0, 0.5, 3, 0.0), (-3.0, 0.5, 1, 0.0), (0.0, 0.5, 3, 0.2), (-3.0, 0.5, 3, 0.2),
])  # fmt: skip
def test_intervals_of_components_and_shares_cover(mean, seed_sd, repetitions, missing):
    found = component_coverage(
        Logits(mean, seed_sd), n_seeds=5, n_items=100, repetitions=repetitions, studies=100, seed=3, missing=missing
    )
    # Of 100 studies, fewer than 87 cover less than once in 1,000 where 95 % should; docs/variance.md has the full grid.
    assert {k for k, v in found.items() if v < 0.87} == set(), found


def test_the_documented_exception_is_no_worse_than_documented():
    found = component_coverage(Logits(-5.5, 1.0), n_seeds=5, n_items=100, repetitions=3, studies=100, seed=3)
    assert 0.70 <= found["train_seed"] <= 0.93 and found["share of train_seed"] >= 0.86


def test_a_table_of_mostly_empty_cells_is_not_filled_in(make, monkeypatch):
    monkeypatch.setattr("axenic.stats.design.LARGEST_REML", 0)
    rows = make([{"train_seed": s, "item_id": f"i{i}", "score": float(i % 2)} for s in range(4) for i in range(s, 12, 4)])
    [found] = variance_components(rows)
    assert found.method == "not estimable" and found.note.startswith("75% of the cells of train_seed x item are empty")
