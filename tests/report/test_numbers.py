"""How numbers are written."""

import pytest

from axenic.findings import Contrast, Estimate
from axenic.report import numbers


def test_a_cell_with_nothing_scored_is_not_estimable_and_never_zero() -> None:
    assert numbers.estimate(Estimate(arm="a", eval="e", attempted=9, missing=9)) == "not estimable"
    assert numbers.contrast(Contrast(name="c", arm="a", reference="b", eval="e")) == "not estimable"
    assert numbers.percent(None) == "not estimable"


def test_a_missing_interval_is_said_and_not_drawn_as_zero_width() -> None:
    assert numbers.estimate(Estimate(arm="a", eval="e", value=0.5)) == "50.0% [not estimable]"


@pytest.mark.parametrize(
    ("value", "text"), [(0.125, "+12.5"), (-0.034, "\N{MINUS SIGN}3.4"), (0.0, "0.0"), (-0.00001, "0.0"), (None, "not estimable")]
)
def test_differences_carry_their_sign(value: float | None, text: str) -> None:
    assert numbers.points(value) == text


@pytest.mark.parametrize(("p", "text"), [(0.0, "<0.001"), (0.00099, "<0.001"), (0.0123, "0.012"), (1.0, "1.000"), (None, "–")])
def test_a_p_value_is_never_zero(p: float | None, text: str) -> None:
    assert numbers.p_value(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (59.7, "1 min 0 s"), (173, "2 min 53 s"), (7500, "2 h 5 min")]
)
def test_durations_read_naturally(seconds: float, text: str) -> None:
    assert numbers.seconds(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(9312, "9,312"), (0.0021, "0.0021"), (1e-05, "1e\N{MINUS SIGN}05"), (-4.5, "\N{MINUS SIGN}4.5"), (3.0, "3")],
)
def test_plain_numbers_keep_three_figures(value: float, text: str) -> None:
    assert numbers.number(value) == text


@pytest.mark.parametrize(("n_bytes", "text"), [(0, "0 B"), (61_000, "61.0 kB"), (8.4e6, "8.4 MB"), (2.5e9, "2.5 GB")])
def test_sizes_have_units(n_bytes: float, text: str) -> None:
    assert numbers.size(n_bytes) == text


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({}, "a − b"),
        ({"temperature": 0.7, "reference_temperature": 0.7}, "a − b · T = 0.7"),
        ({"temperature": 0.7, "reference_temperature": 0.0}, "a (T = 0.7) − b (T = 0)"),
        ({"temperature": 0.0, "reference_temperature": 0.0, "epoch": 5, "reference_epoch": 1}, "a (epoch 5) − b (epoch 1) · T = 0"),
    ],
)
def test_a_contrast_says_what_it_compares_and_nothing_twice(where: dict[str, float], text: str) -> None:
    row = Contrast(name="c", arm="a", reference="b", eval="e", **where)
    assert numbers.between(row) == text.replace("−", "\N{MINUS SIGN}")
