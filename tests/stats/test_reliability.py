import numpy as np
import pytest

from axenic.stats.reliability import reliability


def by_name(rows, **options):
    return {(r.object, r.coefficient): r for r in reliability(rows, **options)}


def normal(rng, n_seeds, n_items, *, shift=0.0, hard=None, seed_sd=0.05, noise_sd=0.1):
    hard = 0.1 * rng.normal(size=n_items) if hard is None else hard
    y = 0.5 + shift + seed_sd * rng.normal(size=(n_seeds, 1)) + hard + noise_sd * rng.normal(size=(n_seeds, n_items))
    return np.clip(y, 0, 1).tolist()


def test_coefficients_of_one_arm_are_those_of_the_textbook(make, cells_of):
    y = np.array([[0.2, 0.4, 0.9], [0.4, 0.8, 0.6], [0.1, 0.2, 0.3]])
    found = by_name(make(cells_of(y.tolist())))
    ms_s, ms_i = 3 * y.mean(axis=1).var(ddof=1), 3 * y.mean(axis=0).var(ddof=1)
    left = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    ms_r = (left**2).sum() / 4
    v_s, v_i = (ms_s - ms_r) / 3, (ms_i - ms_r) / 3
    assert found["train_seed", "generalizability"].value == pytest.approx(v_s / (v_s + ms_r / 3))
    assert found["train_seed", "dependability"].value == pytest.approx(v_s / (v_s + ms_r / 3 + v_i / 3))
    assert found["item", "generalizability"].value == pytest.approx(v_i / (v_i + ms_r / 3))  # Cronbach's alpha over seeds
    assert found["item", "dependability"].value == pytest.approx(v_i / (v_i + ms_r / 3 + v_s / 3))
    assert found["arm", "generalizability"].value is None and found["arm", "generalizability"].method == "not estimable"


def test_a_coefficient_predicts_how_well_a_second_run_ranks_the_same_items(make, cells_of):
    rng = np.random.default_rng(0)
    hard = 0.1 * rng.normal(size=400)
    runs = [np.array(normal(rng, 4, 400, hard=hard)) for _ in range(2)]
    found = by_name(make(cells_of(runs[0].tolist())))["item", "generalizability"]
    again = np.corrcoef(runs[0].mean(axis=0), runs[1].mean(axis=0))[0, 1]
    assert found.value == pytest.approx(again, abs=0.05) and found.low < again < found.high


def test_arms_far_apart_are_told_apart_and_equal_arms_are_not(make, cells_of):
    rng = np.random.default_rng(1)
    hard = 0.1 * rng.normal(size=60)
    shifts = dict(zip("abcd", (-0.3, -0.1, 0.1, 0.3), strict=True))
    far = make(*(cells_of(normal(rng, 4, 60, shift=d, hard=hard, seed_sd=0.01), arm=a) for a, d in shifts.items()))
    same = make(*(cells_of(normal(rng, 4, 60, hard=hard), arm=a) for a in "abcd"))
    apart, alike = (by_name(r)["arm", "generalizability"] for r in (far, same))
    assert apart.value > 0.95 and apart.low > 0.7
    assert alike.low == 0.0 and alike.value < 0.8


def test_dependability_is_never_above_generalizability(make, cells_of):
    rng = np.random.default_rng(2)
    found = by_name(make(*(cells_of(normal(rng, 3, 20, shift=d), arm=a) for a, d in (("a", 0.0), ("b", 0.2)))))
    for name in ("arm", "train_seed", "item"):
        assert found[name, "dependability"].value <= found[name, "generalizability"].value + 1e-12


def test_fixed_items_cost_seeds_no_reliability(make, cells_of):
    rng = np.random.default_rng(3)
    y = np.array(normal(rng, 4, 20))
    parts = [(y + 0.05 * rng.normal(size=y.shape)).clip(0, 1).tolist() for _ in range(3)]
    rows = make(*(cells_of(part, repetition=r, temperature=0.7) for r, part in enumerate(parts)))
    sampled, fixed = (by_name(rows, items=i)["train_seed", "dependability"].value for i in ("sampled", "fixed"))
    assert fixed > sampled
    alone = by_name(make(cells_of(normal(rng, 4, 20))), items="fixed")["train_seed", "dependability"]
    assert alone.value is None and "two repetitions" in alone.note


@pytest.mark.parametrize("scores", [[[1, 0, 1]], [[1], [0]], [[None, None], [None, None]], [[1, 1], [1, 1]]])
def test_what_cannot_be_told_says_so(make, cells_of, scores):
    found = reliability(make(cells_of(scores)))
    assert found and all(r.value is None and r.low is None and r.method == "not estimable" and r.note for r in found)


def test_intervals_cover(make, cells_of):
    # Items as objects, normal components: the coefficient of the design is known exactly.
    rng = np.random.default_rng(4)
    v_i, v_r, s = 0.01, 0.01, 4
    truth, held = v_i / (v_i + v_r / s), 0
    for _ in range(200):
        y = 0.5 + 0.1 * rng.normal(size=40) + 0.02 * rng.normal(size=(s, 1)) + 0.1 * rng.normal(size=(s, 40))
        found = by_name(make(cells_of(np.clip(y, 0, 1).tolist())))["item", "generalizability"]
        held += found.low <= truth <= found.high
    assert 0.90 <= held / 200 <= 0.995
