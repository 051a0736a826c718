import numpy as np
import pandas as pd
import pytest

from axenic.stats.decision import Components, Goal, Plan, cheapest, decisions, detectable, next_run, power_of
from axenic.stats.simulate_variance import Logits, answers, promised_power, rows_of


def study(*, seeds=5, items=100, repetitions=3, seed_sd=0.3, arms=(("base", -1.0), ("tuned", 0.0)), own=False):
    rng = np.random.default_rng(0)
    item = rng.normal(size=items)
    parts = []
    for k, (arm, mean) in enumerate(arms):
        base = arm == "base"
        rates = Logits(mean, 0.0 if base else seed_sd).rates(rng, 1 if base else seeds, item)
        made = rows_of(answers(rng, rates, repetitions=repetitions), arm=arm)
        parts.append(made.assign(train_seed=None if base else made["train_seed"] + (100 * k if own else 0)))
    return pd.concat(parts, ignore_index=True)


def test_the_advised_design_has_the_power_that_was_asked_for_and_a_cheaper_one_has_not():
    parts = Components(seed=0.002, item=0.05, seed_item=0.02, repetition=0.1)
    goal = Goal(target=0.08)
    best, more = cheapest(parts, Plan(5, 5, 440), goal)
    assert more is None and power_of(0.08, parts.expected(best, "sampled"), level=0.95) >= 0.8
    fewer = Plan(best.seeds - 1, best.repetitions, best.items)
    assert power_of(0.08, parts.expected(fewer, "sampled"), level=0.95) < 0.8


def test_no_number_of_seeds_helps_where_items_are_the_noise(make):
    parts = Components(seed=0.0001, item=0.2, seed_item=0.0, repetition=0.0)
    best, more = cheapest(parts, Plan(5, 1, 50), Goal(target=0.02))
    assert best is None and more.items > 1000
    assert cheapest(parts, Plan(5, 1, 50), Goal(target=0.02, items="fixed"))[0] is not None


@pytest.mark.parametrize(("parts", "advice"), [
    (Components(0.05, 0.001, 0.001, 0.01), "another training seed"),
    (Components(1e-6, 0.5, 0.001, 0.01), "more items"),
])  # fmt: skip
def test_the_next_run_goes_where_the_variance_is(parts, advice):
    assert next_run(parts, Plan(5, 1, 400), Goal()) == advice
    noisy = Components(1e-6, 1e-6, 1e-6, 0.5, reference_repetition=0.5)
    assert next_run(noisy, Plan(5, 1, 400), Goal(items="fixed")) == "another repetition"
    assert next_run(parts, Plan(1, 5, 400), Goal()) == "a second training seed"


def test_detectable_is_the_difference_with_just_the_power():
    expected = Components(0.002, 0.05, 0.02, 0.1).expected(Plan(4, 2, 100), "sampled")
    found = detectable(expected, power=0.8, level=0.95)
    assert power_of(found, expected, level=0.95) == pytest.approx(0.8, abs=1e-3)
    assert power_of(0.0, expected, level=0.95) == pytest.approx(0.05, abs=0.03)


def test_the_untrained_arm_is_the_reference_and_is_not_compared_with_itself():
    [found] = decisions(study(), target=0.05)
    assert (found.arm, found.reference) == ("tuned", "base") and "one run of the reference" in found.method
    assert found.target == 0.05 and found.detectable > 0 and found.advice.endswith(".") and found.items == "sampled"


def test_shared_seeds_pair_and_own_seeds_add():
    arms = (("a", -0.5), ("b", 0.5))
    shared, own = (decisions(study(arms=arms, own=o), references={"a": "b", "b": "a"})[0] for o in (False, True))
    assert "paired by item and seed" in shared.method and "seeds of their own" in own.method


def test_without_a_reference_it_is_two_arms_like_this_one():
    [found] = decisions(study(arms=(("model", 0.0),)))
    assert found.reference == "" and found.method.startswith("noncentral t, two such arms") and found.detectable > 0


def test_a_target_that_is_already_resolved_says_so():
    [found] = decisions(study(), target=0.5)
    assert found.advice.startswith("The present design") and "resolves 50 points" in found.advice


def test_items_too_few_for_any_number_of_seeds_is_none_with_a_note():
    [found] = decisions(study(items=20), target=0.02)
    assert found.n_seeds is None and found.n_items > 20 and "would do" in found.note and "No number of seeds" in found.advice


@pytest.mark.parametrize(("scores", "note"), [
    ([[1, 0, 1]], "one training seed"), ([[1], [0]], "fewer than two items"),
    ([[None, None], [None, None]], "fewer than two items"), ([[1, 1, 1], [1, 1, 1]], "does not vary"),
])  # fmt: skip
def test_what_cannot_be_planned_says_so(make, cells_of, scores, note):
    [found] = decisions(make(cells_of(scores)))
    assert found.n_seeds is None and found.detectable is None and found.method == "not estimable" and note in found.note


@pytest.mark.parametrize(("n_seeds", "n_items"), [(4, 150), (8, 200)])
def test_the_promised_power_is_the_power_that_the_test_has(n_seeds, n_items):
    promised, measured = promised_power(Logits(0.45, 0.3), Logits(0.0, 0.3), n_seeds=n_seeds, n_items=n_items, studies=600, seed=1)
    assert measured == pytest.approx(promised, abs=0.08)
