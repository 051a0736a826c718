import numpy as np
import pytest

from axenic.stats.curves import capability_mask, crossing, curve, half_way, retained
from axenic.stats.intervals import two_way


def test_crossing_is_interpolated_by_hand():
    found = crossing([0, 10, 20], [0.9, 0.3, 0.0], 0.1)
    assert found.value == pytest.approx(10 + 10 * 0.2 / 0.3) and found.note == "" and found.censored_at is None


def test_only_the_first_crossing_counts_and_order_of_points_does_not():
    found = crossing([3, 0, 1, 2], [0.0, 1.0, 0.0, 1.0], 0.5)
    assert found.value == 0.5


def test_a_curve_that_never_falls_is_censored_at_its_largest_x():
    found = crossing([0, 10, 40], [0.9, 0.8, 0.10], 0.1)
    assert (found.value, found.note, found.censored_at) == (None, "> 40", 40.0)


def test_a_fall_that_came_with_lost_capability_is_not_a_crossing():
    masked = capability_mask([1.0, 0.95, 0.5])
    assert masked.tolist() == [False, False, True]
    assert crossing([0, 10, 20], [0.9, 0.8, 0.0], 0.1, masked=masked).note == "> 10"


def test_capability_of_exactly_nine_tenths_is_kept_and_unknown_is_not():
    assert capability_mask([0.9, 0.81, 0.8099, np.nan]).tolist() == [False, False, True, True]
    assert capability_mask([]).tolist() == []


def test_unknown_points_and_edges():
    assert crossing([0, 1, 2], [0.9, None, 0.1], 0.5).value == pytest.approx(1.0)
    assert crossing([1, 2], [0.0, 0.0], 0.5) == crossing([1], [0.0], 0.5)
    assert crossing([1], [0.0], 0.5).note == "below from the start"
    assert crossing([], [], 0.5).note == "no point to judge by"


def test_half_way_is_measured_to_the_floor_of_the_base():
    assert half_way([0, 1, 2], [1.0, 0.8, 0.4], floor=0.4).value == pytest.approx(1.25)
    assert half_way([0, 1], [0.4, 0.1], floor=0.4).note == "starts at the floor: nothing to lose"
    assert half_way([0, 1], [1.0, 0.9], floor=0.0).note == "> 1"


def test_retained_is_last_over_first():
    assert retained([0, 1, 2], [0.8, 0.6, 0.4]) == 0.5
    assert retained([0, 1, 2], [0.8, 0.6, 0.4], masked=[False, False, True]) == pytest.approx(0.75)
    assert retained([0, 1], [0.0, 0.4]) is None and retained([0], [0.5]) is None


def test_points_carry_intervals_and_masks(make, cells_of):
    belief = {0.0: [[1, 1, 1, 0], [1, 1, 1, 1]], 5.0: [[1, 0, 0, 0], [0, 0, 0, 0]]}
    skill = {0.0: [[1, 1, 1, 1], [1, 1, 1, 1]], 5.0: [[1, 0, 1, 1], [1, 1, 0, 1]]}
    parts = [(x, cells_of(m, eval=e)) for e, by_x in (("belief", belief), ("skill", skill)) for x, m in by_x.items()]
    rows, x = make(*(p for _, p in parts)), [at for at, p in parts for _ in p]
    found = curve(rows, x, name="benign", x_label="steps", measures={"belief": "implanted"}, capability="skill")
    assert [(c.eval, c.x, c.value, c.masked) for c in found] == [
        ("belief", 0.0, 0.875, False), ("belief", 5.0, 0.125, True), ("skill", 0.0, 1.0, False), ("skill", 5.0, 0.75, True),
    ]  # fmt: skip
    expected = two_way(np.array(belief[5.0], dtype=float))
    assert (found[1].low, found[1].high, found[1].measure, found[1].n_seeds, found[1].n_items) == (
        expected.low, expected.high, "implanted", 2, 4,
    )  # fmt: skip
    shuffled = np.random.default_rng(0).permutation(len(rows))
    again = curve(
        rows.iloc[shuffled],
        np.array(x)[shuffled],
        name="benign",
        x_label="steps",
        measures={"belief": "implanted"},
        capability="skill",
    )
    assert again == found


def test_curves_refuse_what_they_cannot_place(make, cells_of):
    rows = make(cells_of([[1, 0]]))
    with pytest.raises(ValueError, match="one x per row"):
        curve(rows, [0.0], name="n", x_label="x")
    with pytest.raises(ValueError, match="no rows of the capability eval"):
        curve(rows, [0.0, 0.0], name="n", x_label="x", capability="skill")
    two = make(cells_of([[1, 0]], judge="x"), cells_of([[1, 0]], judge="y"))
    with pytest.raises(ValueError, match="cannot mix judge"):
        curve(two, [0.0] * 4, name="n", x_label="x")
    assert curve(make([]), [], name="n", x_label="x") == []
