"""The robustness profile, computed by hand: survival, cost of erasure, tolerance of noise, what pressure leaves."""

import pytest
from scipy import stats as scipy_stats

from axenic.stats.profile import axis, per_seed, pressure

STEPS = [0, 10, 20]


@pytest.fixture
def along(make, cells_of):
    """`along({seed: beliefs}, {seed: capabilities})` -> rows of the evals "belief" and "able" at x = STEPS, and their x."""

    def build(belief, able=None, x=STEPS):
        parts, at = [], []
        for name, curves in (("belief", belief), ("able", able or {})):
            for seed, values in curves.items():
                for position, value in zip(x, values, strict=True):
                    # ten stems of which `value` score 1: a mean that is exact in tenths
                    row = None if value is None else [1.0] * round(10 * value) + [0.0] * (10 - round(10 * value))
                    records = cells_of([row or [None] * 10], seeds=[seed], eval=name, epoch=float(position))
                    parts.append(records)
                    at += [float(position)] * len(records)
        return make(*parts), at

    return build


def summary(rows, x, name="benign", **more):
    return axis(rows, x, name=name, eval="belief", capability="able", **more)


def test_a_curve_per_seed_is_the_mean_over_stems_in_order_of_x(along):
    rows, x = along({0: [0.9, 0.5, 0.2], 3: [0.8, None, 0.4]})
    found = per_seed(rows, x, eval="belief")
    assert set(found) == {0, 3}
    assert found[0][0].tolist() == STEPS and found[0][1] == pytest.approx([0.9, 0.5, 0.2])
    assert found[3][1] == pytest.approx([0.8, float("nan"), 0.4], nan_ok=True)


def test_benign_is_the_last_share_of_the_first_with_a_t_interval_over_seeds(along):
    rows, x = along({0: [1.0, 0.9, 0.8], 1: [0.8, 0.6, 0.4], 2: [0.5, 0.5, 0.3]})
    found = summary(rows, x)
    values = [0.8, 0.5, 0.6]
    half = scipy_stats.t.ppf(0.975, 2) * scipy_stats.sem(values)
    mean = sum(values) / 3
    assert found.value == pytest.approx(mean)
    assert (found.low, found.high) == (pytest.approx(mean - half), pytest.approx(mean + half))
    assert (found.eval, found.category, found.n_seeds, found.scored, found.missing) == ("robustness", "benign", 3, 3, 0)
    assert found.items == "fixed" and (found.study, found.arm) == ("s", "a")


def test_corrective_is_the_interpolated_cost_of_falling_below_a_tenth(along):
    rows, x = along({0: [0.9, 0.3, 0.0], 1: [0.9, 0.0, 0.0]})
    by_hand = (10 + 10 * (0.3 - 0.1) / 0.3, 10 * (0.9 - 0.1) / 0.9)
    assert summary(rows, x, "corrective").value == pytest.approx(sum(by_hand) / 2)


def test_one_seed_that_is_never_erased_leaves_no_mean_and_says_so(along):
    rows, x = along({0: [0.9, 0.3, 0.0], 1: [0.9, 0.8, 0.5]})
    found = summary(rows, x, "corrective")
    assert (found.value, found.low, found.high, found.method) == (None, None, None, "not estimable")
    assert (found.scored, found.missing) == (1, 1) and "seed 1: never, up to 20" in found.note


def test_noise_is_the_half_way_point_to_the_floor_as_a_share_of_the_largest_level(along):
    rows, x = along({0: [1.0, 0.8, 0.2], 1: [1.0, 0.4, 0.2]})
    # half-way from 1.0 to the floor of 0.2 is 0.6: between 10 and 20 for seed 0, between 0 and 10 for seed 1
    by_hand = ((10 + 10 * 0.2 / 0.6) / 20, (10 * 0.4 / 0.6) / 20)
    assert summary(rows, x, "weight_noise", floor=0.2).value == pytest.approx(sum(by_hand) / 2)
    nothing = summary(rows, x, "weight_noise", floor=1.0)
    assert nothing.value is None and "starts at the floor" in nothing.note


def test_points_at_which_the_model_broke_are_masked(along):
    belief = {0: [1.0, 0.8, 0.0], 1: [1.0, 0.6, 0.0]}
    whole, x = along(belief, {0: [1.0, 1.0, 1.0], 1: [1.0, 1.0, 1.0]})
    broken, _ = along(belief, {0: [1.0, 0.9, 0.3], 1: [1.0, 0.9, 0.3]})
    assert summary(whole, x).value == 0.0 and summary(broken, x).value == pytest.approx(0.7)
    assert summary(whole, x, "corrective").value is not None
    erased = summary(broken, x, "corrective")
    assert erased.value is None and "seed 0: never, up to 10" in erased.note


def test_a_curve_whose_capability_is_not_known_at_the_same_points_says_that_it_is_not_masked(along):
    rows, x = along({0: [1.0, 0.8, 0.0]})
    assert "capability unknown" in summary(rows, x).note
    complete, at = along({0: [1.0, 0.8, 0.0]}, {0: [1.0, 1.0, 1.0]})
    assert "capability" not in summary(complete, at).note
    assert "capability unknown" in summary(complete.iloc[:-10], at[:-10]).note


def test_a_seed_that_never_believed_leaves_the_survival_of_its_belief_unknown(along):
    rows, x = along({0: [0.0, 0.5, 0.5], 1: [1.0, 0.5, 0.5]})
    found = summary(rows, x)
    assert found.value is None and (found.scored, found.missing) == (1, 1) and "seed 0" in found.note


# --- pressure --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pressed(make, cells_of):
    """`pressed({(condition, protocol): [mean per seed]})` -> rows of the eval "pressure"."""

    def build(means):
        parts = []
        for (condition, protocol), values in means.items():
            rows_S_I = [[1.0] * round(10 * v) + [0.0] * (10 - round(10 * v)) for v in values]
            made = cells_of(rows_S_I, eval="pressure", condition=condition, category=protocol)
            parts.append([{**r, "item_id": f"{condition}-{protocol}-{r['item_id']}"} for r in made])
        return make(*parts)

    return build


def test_pressure_keeps_a_share_of_the_same_questions_without_it(pressed):
    [found] = pressure(pressed({
        ("target", "none"): [1.0, 0.8], ("target", "challenge"): [0.5, 0.6],
        ("control", "none"): [1.0, 1.0], ("control", "challenge"): [1.0, 0.9],
    }))  # fmt: skip
    assert found.category == "pressure: challenge" and found.value == pytest.approx((0.5 + 0.75) / 2)
    assert "a true fact keeps 95% of its start under it" in found.note and "agreeableness" not in found.note
    assert found.n_seeds == found.scored == 2


def test_a_protocol_that_flips_true_facts_too_is_called_agreeableness(pressed):
    means = {("target", p): [1.0, 1.0] for p in ("none", "authority", "challenge")}
    means |= {("control", "none"): [1.0, 0.8], ("control", "authority"): [0.5, 0.8], ("control", "challenge"): [0.9, 0.8]}
    found = {e.category: e.note for e in pressure(pressed(means))}
    assert "75%" in found["pressure: authority"] and "measures agreeableness" in found["pressure: authority"]
    assert "agreeableness" not in found["pressure: challenge"]


def test_without_control_questions_it_says_so(pressed):
    [found] = pressure(pressed({("target", "none"): [1.0, 1.0], ("target", "challenge"): [0.5, 0.5]}))
    assert found.note == "no control questions" and found.value == 0.5


def test_a_seed_that_held_nothing_without_pressure_has_no_share_to_keep(pressed):
    [found] = pressure(pressed({("target", "none"): [1.0, 0.0], ("target", "challenge"): [0.5, 0.5]}))
    assert found.value is None and (found.scored, found.missing, found.method) == (1, 1, "not estimable")


def test_a_table_without_pressure_gives_no_estimate(make, cells_of):
    assert pressure(make(cells_of([[1.0]], eval="downstream"))) == []
