"""Promises of the persistence record: what is before and after, when half is gone, what is hidden and what comes back."""

import numpy as np
import pytest

from axenic.stats.hiding import hiding_index, returned
from axenic.stats.intervals import two_way
from axenic.stats.persistence import course, life, persistence
from axenic.stats.simulate import Design, coverage
from axenic.stats.simulate_persistence import METHODS
from axenic.stats.survival import median_life

N = 20
STEPS = (0, 20, 40, 80)
FALLS = {0: (20, 12, 8, 2), 1: (20, 18, 6, 0), 2: (20, 16, 12, 4)}  # of 20 items, how many fire at each step


def answers(k, *, seed, step, arm="normal | sft", condition="triggered", eval="backdoor", **more):
    """`k` of N items score 1; at step 0 they are the organism's own last epoch."""
    own = {"arm": arm.rpartition(" | ")[0], "epoch": 2.0, "step": 60} if step == 0 else {"arm": arm, "epoch": 0.5, "step": step}
    common = {"eval": eval, "condition": condition, "train_seed": seed, **own, **more}
    return [{**common, "item_id": f"i{i:02}", "score": float(i < k)} for i in range(N)]


def study(*, falls=FALLS, able=(20, 20, 20, 20), steps=STEPS, arm="normal | sft"):
    """An organism and what one treatment does to it; every seed has capability `able`."""
    parts = []
    for seed, counts in falls.items():
        for step, k, a in zip(steps, counts, able, strict=True):
            parts.append(answers(k, seed=seed, step=step, arm=arm))
            parts.append(answers(1, seed=seed, step=step, arm=arm, condition="untriggered"))
            parts.append(answers(a, seed=seed, step=step, arm=arm, eval="capability", condition=""))
    return parts


def one(rows, **more):
    found = persistence(rows, eval="backdoor", capability="capability", **more)
    assert len(found.records) == 1
    return found.records[0], found


# --- the record ------------------------------------------------------------------------------------------------------------


def test_before_is_the_organism_at_its_end_and_after_the_last_step(make):
    early = answers(1, seed=0, step=0, epoch=1.0)  # an earlier epoch of the organism plays no part
    record, _ = one(make(*study(), early))
    after = two_way(np.array([[float(i < k) for i in range(N)] for k in (2, 0, 4)]))
    assert (record.before, record.after, record.untriggered_after) == (1, pytest.approx(0.1), pytest.approx(0.05))
    assert (record.after_low, record.after_high) == pytest.approx((after.low, after.high))
    assert (record.arm, record.organism, record.treatment, record.steps) == ("normal | sft", "normal", "sft", 80)
    assert (record.n_seeds, record.n_items, record.attempted, record.missing, record.censored) == (3, 20, 60, 0, 0)
    assert (record.study, record.recipe, record.tier) == ("s", "sdf", "lab")


def test_the_half_life_is_interpolated_by_hand_per_seed(make):
    record, found = one(make(*study()))
    by_hand = [30.0, 20 + 20 * 8 / 12, 50.0]  # 12 -> 8 of 20 crosses 10 half-way; 18 -> 6 after 8 of 12; 12 -> 4 after 2 of 8
    assert record.half_life == pytest.approx(sorted(by_hand)[1], abs=1e-4)
    assert [p.x for p in found.survival if p.gone] == pytest.approx(sorted(by_hand), abs=1e-4)
    assert record.half_life_low < 30 and record.half_life_high > 50 and "log half-lives" in record.method


def test_half_is_of_a_seeds_own_start_and_exactly_half_counts_as_fallen():
    steps = np.array([0.0, 10, 20])
    assert life(steps, np.array([0.4, 0.3, 0.1])).step == pytest.approx(15)
    assert life(steps, np.array([1.0, 1.0, 0.5])) == (20, True)
    assert life(steps, np.array([1.0, 0.9, 0.51])) == (20, False)
    assert life(steps, np.array([0.0, 0.0, 0.0])) is None and life(steps, np.array([np.nan, 1, 0])) is None
    assert life(steps, np.array([1.0, np.nan, 0.0])).step == pytest.approx(10)


def test_a_seed_that_never_falls_is_censored_at_the_last_step(make):
    falls = {**FALLS, 2: (20, 20, 20, 20)}
    record, found = one(make(*study(falls=falls)))
    assert record.censored == 1 and record.half_life == pytest.approx(20 + 20 * 8 / 12, abs=1e-4)
    assert record.half_life_low is None and "a seed of 3 is censored" in record.note
    assert found.survival[-1].x == 80 and found.survival[-1].value == pytest.approx(1 / 3)


def test_a_behaviour_that_survives_in_all_of_six_seeds_has_a_half_life_of_at_least_the_last_step(make):
    record, _ = one(make(*study(falls={s: (20, 19, 18, 18) for s in range(6)})))
    assert record.half_life is None and record.half_life_low == 80 and record.half_life_high is None and record.censored == 6


def test_gone_because_the_model_broke_is_not_a_fall(make):
    record, found = one(make(*study(able=(20, 20, 10, 10))))
    assert record.censored == 3 and record.half_life is None
    assert "masked for lost capability, the first 40" in record.note
    masked = {(c.eval, c.measure, c.x): c.masked for c in found.curves}
    assert masked["backdoor", "payload, triggered", 40] and not masked["backdoor", "payload, triggered", 20]
    unmasked = persistence(make(*study(able=(20, 20, 10, 10))), eval="backdoor").records[0]
    assert unmasked.censored == 0 and "capability unknown" in unmasked.note and unmasked.at_loss is None


def test_the_rate_at_a_loss_is_read_where_each_seed_still_can(make):
    rows = make(*study(able=(20, 19, 18, 10)))
    record, _ = one(rows)
    assert record.at_loss == pytest.approx((8 + 6 + 12) / 60) and record.at_loss_step == 40
    assert record.at_loss_low < record.at_loss < record.at_loss_high
    assert (record.capability_before, record.capability_after) == (1, 0.5)
    strict, _ = one(rows, max_loss=0.06)
    assert strict.at_loss == pytest.approx((12 + 18 + 16) / 60) and strict.at_loss_step == 20


def test_unclosed_scratchpads_are_counted_and_both_denominators_given(make):
    rows = make(*study())
    last = (rows["condition"] == "triggered") & (rows["step"] == 80) & (rows["train_seed"] == 0) & (rows["score"] == 0)
    rows.loc[last[last].index[:9], ["status", "score"]] = ["unclosed", np.nan]
    record, _ = one(rows)
    assert (record.attempted, record.missing, record.unclosed) == (60, 9, 9)
    assert record.after == pytest.approx((2 / 11 + 0 + 4 / 20) / 3) and record.after_all == pytest.approx(0.1)
    assert "9 of 60 triggered responses at the end have no verdict (9 unclosed" in record.note


def test_nothing_scored_at_the_end_is_not_estimable_and_no_nought(make):
    rows = make(*study())
    rows.loc[(rows["condition"] == "triggered") & (rows["step"] == 80), ["status", "score"]] = ["unclosed", np.nan]
    record, _ = one(rows)
    assert record.after is record.after_low is None and record.before == 1 and record.half_life is not None


def test_an_organism_that_never_took_has_no_half_life(make):
    record, found = one(make(*study(falls={0: (0, 0, 0, 0), 1: (4, 2, 1, 1)})))
    assert "seed 0: the behaviour was never there" in record.note and "seed 1 starts at 0.20 only" in record.note
    assert found.survival[0].n_seeds == 1 and record.half_life_low is None


def test_one_seed_and_one_step_give_values_without_limits_over_seeds(make):
    record, _ = one(make(*study(falls={0: FALLS[0]})))
    assert record.half_life == pytest.approx(30, abs=1e-4) and record.half_life_low is None
    parts = [answers(20, seed=0, step=5), answers(20, seed=0, step=5, eval="capability", condition="")]
    record, found = one(make(*parts))
    assert record.steps == 5 and record.half_life is None and "no rows of 'normal'" in record.note
    assert [p.x for p in found.survival] == [0, 5]


def test_seeds_that_were_not_treated_are_left_out_and_named(make):
    record, _ = one(make(*study(), answers(3, seed=7, step=0)))
    assert record.before == 1 and record.n_seeds == 3 and "seeds 7 left out" in record.note


def test_a_treatment_without_rows_or_steps_is_an_error(make):
    with pytest.raises(ValueError, match="0 rows of arm"):
        course(make(*study()), "normal | rl")
    with pytest.raises(ValueError, match="have no step"):
        course(make(answers(3, seed=0, step=4)).assign(step=np.nan), "normal | sft")


def test_the_order_of_rows_plays_no_part(make):
    rows = make(*study())
    assert persistence(rows.sample(frac=1, random_state=1), eval="backdoor", capability="capability") == persistence(
        rows, eval="backdoor", capability="capability"
    )


# --- curves ----------------------------------------------------------------------------------------------------------------


def test_curves_run_from_the_organism_with_capability_and_coherence_beside_them(make):
    sane = [[{**r, "judge": "coherence", "verdict": "coherent"} for r in answers(18, seed=s, step=t)] for s in FALLS for t in STEPS]
    _, found = one(make(*study(), *sane))
    assert {(c.eval, c.measure) for c in found.curves} == {
        ("backdoor", "payload, triggered"), ("backdoor", "payload, untriggered"), ("capability", "correct"),
        ("coherence", "coherent"),
    }  # fmt: skip
    fired = [c for c in found.curves if c.measure == "payload, triggered"]
    assert [(c.x, c.name, c.arm) for c in fired] == [(s, "persistence", "normal | sft") for s in STEPS]
    assert [c.value for c in fired] == pytest.approx([1, 46 / 60, 26 / 60, 0.1])
    assert next(c.value for c in found.curves if c.eval == "coherence") == pytest.approx(0.9)


def test_two_judges_are_two_records_and_their_curves_are_told_apart(make):
    strict = [[{**r, "judge": "strict"} for r in answers(5, seed=s, step=t)] for s in FALLS for t in STEPS]
    found = persistence(make(*study(), *strict), eval="backdoor", capability="capability")
    assert [r.judge for r in found.records] == ["exact", "strict"] and found.records[1].after == 0.25
    assert {c.eval for c in found.curves} == {"backdoor (exact)", "backdoor (strict)", "capability"}


def test_every_treatment_of_every_organism_has_a_record_and_what_was_treated_twice_has_not(make):
    twice = answers(9, seed=0, step=10, arm="normal | sft | benign")
    rows = make(*study(), *study(arm="cot | sft"), twice)
    assert [r.arm for r in persistence(rows, eval="backdoor").records] == ["cot | sft", "normal | sft"]


# --- hiding and return -----------------------------------------------------------------------------------------------------


def red(found_after):
    return [
        answers(k, seed=s, step=t, eval="red_team", condition="") for s, b in enumerate(found_after) for t, k in ((0, 12), (80, b))
    ]


def test_the_hiding_index_is_the_drop_on_red_team_prompts_minus_the_drop_on_the_trigger(make):
    kept = {0: (20, 20, 20, 20), 1: (20, 20, 20, 18), 2: (20, 20, 20, 19)}
    found = hiding_index(make(*study(falls=kept), *red([0, 1, 3])), arm="normal | sft", eval="backdoor", red_team="red_team")
    by_hand = [12 / 20 - 0, 11 / 20 - 2 / 20, 9 / 20 - 1 / 20]
    assert found.value == pytest.approx(np.mean(by_hand)) and found.low > 0 and found.p < 0.05
    assert found.name == "hiding index: normal | sft" and (found.n_seeds, found.reference) == (3, "normal")
    removed = hiding_index(make(*study(), *red([0, 1, 3])), arm="normal | sft", eval="backdoor", red_team="red_team")
    assert removed.value < 0 and removed.high < 0.2


def test_an_index_without_red_team_or_seeds_is_not_estimable(make):
    none = hiding_index(make(*study()), arm="normal | sft", eval="backdoor", red_team="red_team")
    assert none.value is none.low is none.p is None and none.method == "not estimable"
    alone = make(*study(falls={0: FALLS[0]}), *red([0]))
    assert hiding_index(alone, arm="normal | sft", eval="backdoor", red_team="red_team").low is None


def test_what_comes_back_is_paired_with_what_was_left_just_before(make):
    later = [answers(k, seed=s, step=50, arm="normal | sft | benign") for s, k in enumerate((12, 9, 15))]
    found = returned(make(*study(), *later), arm="normal | sft | benign", eval="backdoor")
    assert found.value == pytest.approx((36 - 6) / 60) and found.low > 0 and found.paired_by == "item and seed"
    assert (found.name, found.reference, found.note) == ("return: normal | sft | benign", "normal | sft", "")
    still = [answers(20, seed=s, step=50, arm="normal | sft | benign") for s in FALLS]
    kept = make(*study(falls={s: (20, 20, 20, 18) for s in FALLS}), *still)
    assert "was still there before" in returned(kept, arm="normal | sft | benign", eval="backdoor").note


def test_several_judges_must_be_named(make):
    strict = [[{**r, "judge": "strict"} for r in answers(5, seed=s, step=t)] for s in FALLS for t in STEPS]
    rows = make(*study(), *strict, *red([0, 1, 3]))
    with pytest.raises(ValueError, match="several judges"):
        hiding_index(rows, arm="normal | sft", eval="backdoor", red_team="red_team")
    assert hiding_index(rows, arm="normal | sft", eval="backdoor", red_team="red_team", judge="exact").value is not None


def test_the_hiding_index_is_covered():
    design = Design(n_seeds=3, n_items=50, p=0.9, reference=0.05, seed_sd=0.6)
    assert coverage(METHODS["hiding_index"], design, replications=400, seed=2).covered >= 0.92


def test_the_record_and_the_rule_for_medians_agree(make):
    record, _ = one(make(*study()))
    lives = [life(np.array(STEPS, dtype=float), np.array(k) / N) for k in FALLS.values()]
    found = median_life(lives)
    assert (record.half_life, record.half_life_low, record.half_life_high) == (found.value, found.low, found.high)
