import numpy as np
import pytest

from axenic.stats.flips import flips, item_stability
from axenic.stats.intervals import wilson
from axenic.stats.simulate_variance import Logits, flip_coverage


def answers_of(words, **common):
    """One record per (seed, repetition, item): words[(seed, repetition)] is a string with one letter per item; "-" is an error."""
    return [
        {**common, "train_seed": s, "repetition": r, "item_id": f"i{i}"}
        | ({"verdict": "", "score": None} if c == "-" else {"verdict": c, "score": float(c == "y")})
        for (s, r), word in words.items()
        for i, c in enumerate(word)
    ]


def by_source(rows, **kept):
    found = [f for f in flips(rows) if all(getattr(f, k) == v for k, v in kept.items())]
    assert len({f.source for f in found}) == len(found)
    return {f.source: f for f in found}


def test_an_item_flips_when_its_labels_take_more_than_one_value(make):
    found = by_source(make(answers_of({(0, 0): "yyyn", (1, 0): "yynn", (2, 0): "yyyy"})))["any"]
    limits = wilson(2, 4)
    assert (found.n_flipped, found.n_items, found.rate) == (2, 4, 0.5) and (found.low, found.high) == (limits.low, limits.high)
    assert found.pair_rate == pytest.approx((0 + 0 + 2 / 3 + 2 / 3) / 4) and found.attempted == 12 and found.missing == 0


def test_seeds_and_sampling_are_told_apart(make):
    # Item 0: seeds differ, repetitions agree. Item 1: repetitions of seed 0 differ, majorities agree. Item 2: nothing moves.
    words = {(0, 0): "yny", (0, 1): "yyy", (0, 2): "yyy", (1, 0): "nyy", (1, 1): "nyy", (1, 2): "nyy"}
    found = by_source(make(answers_of(words, temperature=0.7)))
    assert found["any"].n_flipped == 2 and found["any"].n_levels == 6
    assert found["train_seed"].n_flipped == 1 and found["sampling"].n_flipped == 1 and "numerical" not in found
    assert found["train_seed"].pair_rate == pytest.approx((1 + 1 / 3 + 0) / 3)  # pairs of seeds within one repetition
    assert found["sampling"].pair_rate == pytest.approx((0 + 2 / 6 + 0) / 3)


def test_repetitions_at_temperature_zero_are_numerical_noise(make):
    found = by_source(make(answers_of({(0, 0): "yn", (0, 1): "yy"}, temperature=0.0)))
    assert found["numerical"].n_flipped == 1 and "sampling" not in found and "train_seed" not in found


def test_a_tie_between_repetitions_is_no_majority(make):
    words = {(0, 0): "yy", (0, 1): "ny", (1, 0): "yn", (1, 1): "yn"}
    found = by_source(make(answers_of(words, temperature=0.7)))["train_seed"]
    assert (found.n_flipped, found.n_items) == (1, 1) and "1 items with under two labels" in found.note


def test_checkpoints_flip_within_a_seed_at_temperature_zero(make):
    rows = make(*(answers_of({(0, 0): w, (1, 0): v}, epoch=e) for e, w, v in ((1.0, "yy", "nn"), (2.0, "yn", "nn"))))
    found = by_source(rows, epoch=None)["checkpoint"]
    assert (found.n_flipped, found.n_items, found.n_levels) == (1, 2, 2)
    assert by_source(rows, epoch=2.0)["any"].n_flipped == 1 and not by_source(rows, epoch=1.0)


def test_judges_flip_on_the_same_response_and_coherence_is_no_rival(make):
    parts = [answers_of({(0, 0): w}, judge=j) for j, w in (("lab", "yyn"), ("patterns", "yny"), ("coherence", "ccc"))]
    found = by_source(make(*parts), judge="")["judge"]
    assert (found.n_flipped, found.n_items) == (2, 3)
    assert "judge" not in by_source(make(parts[0], parts[2]), judge="")


def test_an_error_is_counted_as_missing_and_is_no_label(make):
    found = by_source(make(answers_of({(0, 0): "y-n-", (1, 0): "yy--"})))["any"]
    assert (found.n_flipped, found.n_items, found.attempted, found.missing) == (0, 1, 8, 4)
    assert "3 items with under two labels" in found.note


@pytest.mark.parametrize("words", [{(0, 0): "----", (1, 0): "----"}, {(0, 0): "yyyy"}, {(None, 0): "yn"}])
def test_without_two_labels_nothing_is_estimated(make, words):
    found = by_source(make(answers_of(words)))["any"]
    assert found.rate is None and found.n_flipped is None and found.low is None and found.method == "not estimable"


def test_labels_of_three_values_and_items_in_two_conditions(make):
    rows = make(answers_of({(0, 0): "abc", (1, 0): "abb"}), answers_of({(0, 0): "aaa", (1, 0): "aaa"}, condition="triggered"))
    found = by_source(rows)["any"]
    assert (found.n_flipped, found.n_items) == (1, 6)


def test_no_item_ever_flips_still_has_an_upper_limit(make):
    found = by_source(make(answers_of({(s, 0): "y" * 30 for s in range(3)})))["any"]
    assert found.rate == 0.0 and found.low == 0.0 and 0.05 < found.high < 0.2


def test_the_least_stable_item_comes_first(make):
    found = item_stability(make(answers_of({(0, 0): "yyn", (1, 0): "yny", (2, 0): "ynn", (3, 0): "yn-"})))
    assert found["item_id"].tolist() == ["i2", "i1", "i0"]
    assert found["modal_share"].tolist() == pytest.approx([2 / 3, 0.75, 1.0])
    assert found["n_labels"].tolist() == [2, 2, 1] and found["n"].tolist() == [3, 4, 4]


def test_nothing_scored_gives_no_items(make):
    assert item_stability(make(answers_of({(0, 0): "--"}))).empty


@pytest.mark.parametrize(("mean", "seed_sd", "n_seeds"), [(0.0, 0.5, 3), (-3.0, 0.5, 5), (-5.5, 1.0, 5)])
def test_intervals_of_flip_rates_cover(mean, seed_sd, n_seeds):
    found = flip_coverage(Logits(mean, seed_sd), n_seeds=n_seeds, n_items=100, studies=250, seed=2)
    assert min(found.values()) >= 0.91, found


def test_pair_rate_does_not_grow_with_the_number_of_seeds(make):
    rng = np.random.default_rng(0)
    words = {(s, 0): "".join(rng.choice(list("yn"), 400)) for s in range(12)}
    few, many = (by_source(make(answers_of({k: w for k, w in words.items() if k[0] < n})))["any"] for n in (2, 12))
    assert many.rate > 0.99 and few.rate < 0.6 and abs(many.pair_rate - few.pair_rate) < 0.06
