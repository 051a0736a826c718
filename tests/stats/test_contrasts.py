import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from axenic.stats.contrasts import Planned, contrast


def plan(**changes):
    return Planned(**({"name": "a - b", "arm": "a", "reference": "b", "eval": "e", "hypothesis": "> 0"} | changes))


def one(rows, **changes):
    return contrast(rows, [plan(**changes)])[0]


def noisy(rng, p, shape):
    return (rng.random(shape) < p).astype(float).tolist()


def test_same_seeds_pair_by_item_and_seed(make, cells_of):
    a, b = [[1, 1, 0, 1], [1, 0, 1, 1]], [[0, 1, 0, 0], [0, 0, 1, 0]]
    found = one(make(cells_of(a, arm="a"), cells_of(b, arm="b")))
    # By hand: differences (1,0,0,1) in both seeds, so seeds do not vary; item variance 1/3 over 4 items; t(3) = 3.182.
    assert found.value == 0.5 and found.paired_by == "item and seed"
    assert found.method == "t on 4 item differences (2 seeds do not vary)"
    assert found.high == 1.0  # 0.5 + 3.182 sqrt(1/12) = 1.42 is impossible
    assert (0.5 - found.low) ** 2 == pytest.approx(3.182446**2 * (1 / 12) * (1 - found.low**2) / 0.75, rel=1e-5)  # score form
    assert found.p == pytest.approx(2 * stats.t.sf(0.5 / (1 / 12 / 0.75) ** 0.5, 3))
    assert (found.n_seeds, found.n_items, found.hypothesis, found.planned) == (2, 4, "> 0", True)


def test_pairing_removes_what_the_items_share(make, cells_of):
    rng = np.random.default_rng(0)
    hard = rng.random(40)
    a = [(np.clip(hard + 0.05 + 0.02 * rng.normal(size=40), 0, 1)).tolist() for _ in range(3)]
    b = [(np.clip(hard + 0.02 * rng.normal(size=40), 0, 1)).tolist() for _ in range(3)]
    found = one(make(cells_of(a, arm="a"), cells_of(b, arm="b")))
    assert found.low > 0 and found.high - found.low < 0.05 and found.p < 0.01


def test_a_base_of_one_run_is_paired_by_item_and_said_to_be_one_run(make, cells_of):
    rng = np.random.default_rng(1)
    found = one(make(cells_of(noisy(rng, 0.8, (3, 30)), arm="a"), cells_of(noisy(rng, 0.2, (1, 30)), arm="b", seeds=[None])))
    assert found.paired_by == "item" and found.method.endswith("conditional on one run of the reference")
    assert found.low > 0 and found.p < 0.01 and found.n_seeds == 3


def test_seeds_of_their_own_add_up(make, cells_of):
    rng = np.random.default_rng(2)
    a, b = noisy(rng, 0.7, (3, 30)), noisy(rng, 0.4, (2, 30))
    found = one(make(cells_of(a, arm="a"), cells_of(b, arm="b", seeds=[10, 11])))
    assert found.value == pytest.approx(np.mean(a) - np.mean(b))
    assert found.paired_by == "item" and "seeds of their own" in found.method and found.low < found.value < found.high


def test_a_seed_that_failed_in_one_arm_leaves_the_others_paired(make, cells_of):
    rng = np.random.default_rng(3)
    found = one(make(cells_of(noisy(rng, 0.7, (3, 20)), arm="a"), cells_of(noisy(rng, 0.4, (2, 20)), arm="b", seeds=[0, 2])))
    assert found.n_seeds == 2 and found.paired_by == "item and seed" and "1 seeds left out" in found.note


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_a_total_difference_has_neither_zero_width_nor_p_of_zero(make, cells_of, n_seeds):
    found = one(make(cells_of([[1] * 20] * n_seeds, arm="a"), cells_of([[0] * 20] * n_seeds, arm="b")))
    assert found.value == found.high == 1.0 and 0.6 < found.low < 0.7
    assert found.p == pytest.approx(stats.binomtest(20, 20).pvalue) and found.method.startswith("exact on 20 items")


def test_no_difference_at_all_is_no_proof_of_none(make, cells_of):
    found = one(make(cells_of([[1] * 10] * 3, arm="a"), cells_of([[1] * 10] * 3, arm="b")))
    assert found.value == 0.0 and found.p == 1.0 and found.low == -found.high and found.high > 0.25


def test_stems_that_one_arm_lacks_are_dropped_and_counted(make, cells_of):
    a, b = [[1, 1, None, 0], [1, 0, None, 1]], [[0, 1, 1, 0], [0, 0, 1, 0]]
    found = one(make(cells_of(a, arm="a"), cells_of(b, arm="b")))
    assert found.n_items == 3 and found.value == 0.5
    assert found.note == "1 of 4 stems left out: not scored in both arms; missing rows: 2 of arm, 0 of reference"


@pytest.mark.parametrize("lost", ["rows", "scores", "item"])
def test_what_cannot_be_estimated_says_so(make, cells_of, lost):
    b = cells_of([[0, 1]] * 2, arm="b")
    if lost == "rows":
        found = one(make(b))
        assert found.note == "no rows for a"
    elif lost == "scores":
        found = one(make(cells_of([[None, None]] * 2, arm="a"), b))
        assert "nothing scored in both arms" in found.note
    else:
        found = one(make(cells_of([[1], [0]], arm="a"), cells_of([[0], [0]], arm="b")))
        assert found.value == 0.5 and "one item" in found.note
    assert found.low is None and found.p is None and found.p_holm is None and found.method == "not estimable"


def test_holm_runs_over_what_could_be_tested(make, cells_of):
    rng = np.random.default_rng(4)
    arms = {name: cells_of(noisy(rng, p, (3, 40)), arm=name) for name, p in (("a", 0.8), ("b", 0.5), ("c", 0.45))}
    plans = [plan(), plan(arm="c"), plan(arm="gone"), plan(reference="c")]
    found = contrast(make(*arms.values()), plans)
    ps = [found[i].p for i in (0, 1, 3)]
    assert [found[i].p_holm for i in (0, 1, 3)] == pytest.approx(multipletests(ps, method="holm")[1].tolist())
    by_hand = sorted(ps)[0] * 3
    assert min(f.p_holm for f in found if f.p_holm is not None) == pytest.approx(min(1.0, by_hand))
    assert found[2].p_holm is None


def test_each_arm_counts_at_its_last_epoch(make, cells_of):
    early, late = cells_of([[0, 0, 1]] * 2, arm="a", epoch=1.0), cells_of([[1, 1, 1]] * 2, arm="a", epoch=4.0)
    found = one(make(early, late, cells_of([[0, 0, 1]], arm="b", seeds=[None], epoch=0.0)))
    assert found.value == pytest.approx(2 / 3)


def test_several_temperatures_need_a_name(make, cells_of):
    rows = make(*(cells_of([[1, 0], [0, 0]], arm=a, temperature=t) for a in "ab" for t in (0.0, 0.7)))
    with pytest.raises(ValueError, match="several values of temperature"):
        one(rows)
    assert one(rows, temperature=0.7).value == 0.0


def test_category_condition_and_denominator_select(make):
    rows = make([
        {"arm": a, "train_seed": s, "item_id": f"{c}{i}@{v}", "category": c, "score": float(a == "a" and (c == "x" or v == "u"))}
        for a in "ab" for s in (0, 1) for c in "xy" for i in range(3) for v in "uv"
    ])  # fmt: skip
    found = contrast(rows, [plan(), plan(category="x"), plan(category="y"), plan(category="y", denominator="stems")])
    assert [f.value for f in found] == [0.75, 1.0, 0.5, 0.0]


def test_different_items_are_refused_and_row_order_does_not_matter(make, cells_of):
    rng = np.random.default_rng(5)
    rows = make(*(cells_of(rng.random((3, 9)).tolist(), arm=a) for a in "ab"))
    assert contrast(rows, [plan()]) == contrast(rows.sample(frac=1, random_state=1), [plan()])
    with pytest.raises(ValueError, match="different items"):
        one(make(cells_of([[1, 0]], arm="a"), cells_of([[1, 0, 1]], arm="b")))
    assert contrast(rows, []) == []


def by_epoch(cells_of, arm, epochs, temperatures=(0.7,), seeds=2):
    """Score = 0.1 x epoch + temperature / 10, but for a little noise."""
    rng = np.random.default_rng(7)
    return [
        r | {"repetition": k}
        for e in epochs for t in temperatures for k in range(2)
        for r in cells_of((0.1 * e + t / 10 + 0.02 * rng.random((seeds, 12))).tolist(), arm=arm, epoch=float(e), temperature=t)
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "last"), [("first", "last"), (1, 5), (1.0, "last")])
def test_an_arm_is_compared_with_itself_at_another_epoch(make, cells_of, first, last):
    found = one(make(by_epoch(cells_of, "a", (1, 3, 5))), reference="a", epoch=last, reference_epoch=first)
    assert found.value == pytest.approx(0.4, abs=0.01) and found.low > 0.35 and found.paired_by == "item and seed"
    assert (found.epoch, found.reference_epoch, found.temperature, found.judge, found.n_items) == (5.0, 1.0, 0.7, "exact", 12)


def test_an_arm_is_compared_with_itself_at_another_temperature(make, cells_of):
    rows = make(by_epoch(cells_of, "a", (1, 2), temperatures=(0.0, 0.7)))
    found = one(rows, reference="a", temperature=0.7, reference_temperature=0.0)
    assert found.value == pytest.approx(0.07, abs=0.01) and found.low > 0
    assert (found.epoch, found.reference_epoch, found.temperature, found.reference_temperature) == (2.0, 2.0, 0.7, 0.0)
    with pytest.raises(ValueError, match="several values of temperature"):
        one(rows, reference="a", reference_temperature=0.0)


def test_a_cell_compared_with_itself_and_an_epoch_that_is_not_there_are_not_estimable(make, cells_of):
    rows = make(by_epoch(cells_of, "a", (2,)))
    same = one(rows, reference="a", reference_epoch="first")
    assert same.method == "not estimable" and same.value is None and "the same rows" in same.note
    assert one(rows, reference="a", reference_epoch=7).note == "no rows for a"


def test_incoherent_responses_can_be_left_out_of_a_contrast(make, cells_of):
    arms = [cells_of([[1, 1, 1, 1]] * 2, arm="a"), cells_of([[0, 1, 0, 0]] * 2, arm="b")]
    said = [r | {"judge": "coherence", "verdict": "degenerate" if r["item_id"] == "i001" else "coherent"} for p in arms for r in p]
    rows = make(*arms, said)
    assert one(rows, judge="exact").value == 0.75
    found = one(rows, judge="exact", denominator="coherent")
    assert found.value == 1.0 and "rows left out as incoherent or ambiguous: 2 of arm, 2 of reference" in found.note
