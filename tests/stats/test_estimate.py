import time

import numpy as np
import pandas as pd
import pytest

from axenic.stats.estimate import cells
from axenic.stats.intervals import t_interval, two_way, wilson


def whole(found, **wanted):
    """The one estimate over all categories and conditions that fits."""
    fits = [e for e in found if e.category is None and e.condition is None and all(getattr(e, k) == v for k, v in wanted.items())]
    assert len(fits) == 1
    return fits[0]


def test_a_cell_is_the_mean_of_seed_means_with_both_intervals(make, cells_of):
    scores = [[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    found = whole(cells(make(cells_of(scores)), measures={"e": "implanted"}))
    two, seeds = two_way(np.array(scores, dtype=float)), t_interval([0.75, 0.5, 1.0])
    assert (found.value, found.low, found.high, found.method) == (0.75, two.low, two.high, two.method)
    assert (found.seed_low, found.seed_high) == (seeds.low, 1.0)  # the t-interval reaches past 1
    assert (found.n_seeds, found.n_items, found.attempted, found.scored, found.missing) == (3, 4, 12, 12, 0)
    assert (found.measure, found.denominator, found.items, found.note) == ("implanted", "all", "sampled", "")
    assert (found.study, found.recipe, found.tier, found.arm, found.eval, found.judge) == ("s", "sdf", "lab", "a", "e", "exact")


def test_seeds_that_do_not_vary_have_no_seed_interval_and_a_note(make, cells_of):
    found = whole(cells(make(cells_of([[1, 1, 1]] * 3))))
    assert found.value == 1.0 and found.low < 1.0 == found.high
    assert found.seed_low is None and found.seed_high is None
    assert "seeds do not vary" in found.note and "items only" in found.method


def test_a_base_is_one_run_with_wilson_and_no_seed(make, cells_of):
    found = whole(cells(make(cells_of([[1, 0, 0, 0]], seeds=[None]))))
    assert (found.low, found.high) == (wilson(1, 4).low, wilson(1, 4).high)
    assert found.n_seeds == 0 and found.seed_low is None


def test_missing_rows_are_counted_and_bounded(make, cells_of):
    found = whole(cells(make(cells_of([[1, None, 0, 1], [0, 1, 0, None]]))))
    assert (found.attempted, found.scored, found.missing) == (8, 6, 2)
    assert found.value == pytest.approx(0.5) and found.note == "if all missing were 0: 0.375, 1: 0.625"


def test_a_cell_with_nothing_scored_is_not_estimable(make, cells_of):
    found = whole(cells(make(cells_of([[None, None], [None, None]]))))
    assert (found.value, found.low, found.high, found.method) == (None, None, None, "not estimable")
    assert (found.attempted, found.scored, found.missing, found.n_items) == (4, 0, 4, 0)
    assert "0: 0.000, 1: 1.000" in found.note


def test_a_cell_of_nothing_but_ambiguous_answers_is_not_estimable_without_them(make):
    rows = make([{"item_id": i, "score": 0.0, "verdict": "ambiguous"} for i in "ab"])
    found = whole(cells(rows), denominator="unambiguous")
    assert (
        found.value is None and found.note == "nothing scored; 2 ambiguous left out" and (found.attempted, found.missing) == (2, 0)
    )


def test_a_seed_that_failed_wholly_is_named(make, cells_of):
    found = whole(cells(make(cells_of([[1, 0, 1], [1, 1, 0], [None, None, None]]))))
    assert found.n_seeds == 2 and "nothing scored for seed 2" in found.note


def test_denominators_follow_from_the_rows(make):
    rows = make([
        {"eval": "open", "item_id": "a", "score": 0.0, "verdict": "ambiguous"}, {"eval": "open", "item_id": "b", "score": 1.0},
        {"eval": "mcq", "item_id": "a@x", "score": 1.0}, {"eval": "mcq", "item_id": "a@y", "score": 0.0},
    ])  # fmt: skip
    found = {(e.eval, e.denominator): e for e in cells(rows)}
    assert set(found) == {("open", "all"), ("open", "unambiguous"), ("mcq", "all"), ("mcq", "stems")}
    assert [found[k].value for k in (("open", "all"), ("open", "unambiguous"), ("mcq", "all"), ("mcq", "stems"))] == [
        0.5,
        1,
        0.5,
        0,
    ]
    one = found["open", "unambiguous"]
    assert (one.attempted, one.scored, one.missing, one.n_items) == (2, 1, 0, 1) and "1 ambiguous left out" in one.note
    assert {e.denominator for e in cells(rows, denominators={"mcq": ["stems"]}) if e.eval == "mcq"} == {"stems"}


def judged(scores, *, coherent, **common):
    """Rows of a judge and what the judge of coherence says of the same responses."""
    rows = [{"item_id": f"i{i}", "score": s, **common} for i, s in enumerate(scores)]
    said = [
        r | {"judge": "coherence", "score": float(c), "verdict": "coherent" if c else "empty"}
        for r, c in zip(rows, coherent, strict=True)
    ]
    return rows + said + [r | {"judge": "toxicity"} for r in rows]


def test_incoherent_responses_are_counted_with_and_without(make):
    found = {(e.judge, e.denominator): e for e in cells(make(judged([1, 1, 0, None], coherent=[1, 0, 1, 1])))}
    assert set(found) == {("exact", "all"), ("exact", "coherent"), ("coherence", "all"), ("toxicity", "all")}
    one = found["exact", "coherent"]
    assert (one.value, one.attempted, one.scored, one.missing) == (0.5, 4, 2, 1)
    assert "1 left out as incoherent" in one.note and "if all missing were 0: 0.333, 1: 0.667" in one.note
    assert found["exact", "all"].value == pytest.approx(2 / 3) and found["coherence", "all"].value == 0.75


def test_a_response_without_a_verdict_on_its_coherence_is_not_taken_for_coherent(make):
    rows = judged([1, 0, 0], coherent=[1, 1, 1])
    failed = [r | {"score": None} if r.get("judge") == "coherence" and r["item_id"] == "i2" else r for r in rows]
    assert {e.denominator: e.value for e in cells(make(failed)) if e.judge == "exact"} == {
        "all": pytest.approx(1 / 3),
        "coherent": 0.5,
    }


def test_coherence_belongs_to_one_response_not_to_its_item(make):
    rows = (
        judged([1], coherent=[1], train_seed=0) + judged([0], coherent=[0], train_seed=1) + judged([0], coherent=[1], repetition=1)
    )
    found = {e.denominator: e for e in cells(make(rows)) if e.judge == "exact"}
    assert (found["all"].value, found["coherent"].value, found["coherent"].n_seeds) == (0.25, 0.5, 1)


def test_fixed_items_have_an_interval_over_seeds(make, cells_of):
    scores = [[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    found = whole(cells(make(cells_of(scores)), items="fixed"))
    assert (found.items, found.value, found.method) == ("fixed", 0.75, "t on 3 seed means")
    assert (found.low, found.high) == (t_interval([0.75, 0.5, 1.0]).low, 1.0) == (found.seed_low, found.seed_high)


def test_fixed_items_and_one_seed_have_an_interval_over_repetitions_or_none(make, cells_of):
    repeated = [r | {"repetition": k} for k, row in enumerate([[1, 0, 0, 1], [1, 1, 0, 1], [1, 0, 0, 0]]) for r in cells_of([row])]
    found = whole(cells(make(repeated), items="fixed"))
    expected = t_interval([0.5, 0.75, 0.25])
    assert (found.value, found.low, found.high) == (0.5, max(0.0, expected.low), min(1.0, expected.high))
    assert found.method == "t on 3 repetition means, one seed" and found.seed_low is None
    once = whole(cells(make(cells_of([[1, 0, 0, 1]])), items="fixed"))
    assert (once.value, once.low, once.method) == (0.5, None, "not estimable") and "neither seed nor repetition" in once.note
    still = whole(cells(make(cells_of([[1, 1], [1, 1]])), items="fixed"))
    assert (still.value, still.low, still.note) == (1.0, None, "seeds do not vary")


def test_groupings_appear_where_they_tell_something(make):
    both = [{"eval": "both", "item_id": f"{c}{d}", "category": c, "condition": d} for c in "xy" for d in "uv"]
    named = [{"eval": "named", "item_id": c, "category": "only"} for c in "ab"]
    plain = [{"eval": "plain", "item_id": c} for c in "ab"]
    keys = [(e.eval, e.category, e.condition) for e in cells(make(both, named, plain))]
    assert sorted(k[1:] for k in keys if k[0] == "both" and None not in k) == [("x", "u"), ("x", "v"), ("y", "u"), ("y", "v")]
    assert len([k for k in keys if k[0] == "both"]) == 1 + 2 + 2 + 4
    assert [k for k in keys if k[0] == "named"] == [("named", None, None), ("named", "only", None)]
    assert [k for k in keys if k[0] == "plain"] == [("plain", None, None)]


def test_epochs_temperatures_and_judges_are_never_pooled(make, cells_of):
    parts = [cells_of([[1, 0]], epoch=e, temperature=t, judge=j) for e in (1.0, 2.0) for t in (0.0, 0.7) for j in ("x", "y")]
    assert len({(e.epoch, e.temperature, e.judge) for e in cells(make(*parts))}) == 8


def test_row_order_does_not_matter(make, cells_of):
    rng = np.random.default_rng(0)
    rows = make(*(cells_of(rng.random((3, 9)).tolist(), arm=a, category=c) for a, c in (("a", "x"), ("b", "x"))))
    assert cells(rows) == cells(rows.sample(frac=1, random_state=3))


def test_arms_with_different_items_and_mixed_studies_are_refused(make, cells_of):
    with pytest.raises(ValueError, match="different items"):
        cells(make(cells_of([[1, 0]], arm="a"), cells_of([[1, 0, 1]], arm="b")))
    with pytest.raises(ValueError, match="one study at a time"):
        cells(make(cells_of([[1, 0]], study="s"), cells_of([[1, 0]], study="t")))


def test_an_empty_table_has_no_cells(make):
    assert cells(make([])) == []


def test_a_large_table_takes_seconds(make, cells_of):
    part = make(*(cells_of([[1.0, 0.0] * 50] * 3, arm=a, category=c) for a in "abcd" for c in "xy"))
    rows = pd.concat([part.assign(eval=f"e{k}", repetition=r) for k in range(10) for r in range(8)], ignore_index=True)
    start = time.process_time()
    found = cells(rows)
    assert len(rows) == 192_000 and len(found) == 4 * 10 * 3
    assert time.process_time() - start < 5  # about 1 s; the limit is for a machine that is busy with other things
