"""Sections about specs that models were midtrained on: gaps, the generalisation matrix, what carries the effect, drift."""

from pathlib import Path

import pytest

from axenic.findings import Contrast, Estimate, Findings
from axenic.report import midtraining, page, results
from axenic.report.run import Run, read
from axenic.report.section import Section
from axenic.schema import Arm, Study

from .example import cell, make_study

ARMS = ("bare", "ceiling_a", "ceiling_b", "aft", "msm_a_aft", "msm_b_aft")
DOMAINS = ("cheese", "boat", "hat")


def gap(arm: str, tier: str | None, value: float | None, note: str = "") -> Estimate:
    shown = {"value": value, "low": value - 0.2, "high": value + 0.2} if value is not None else {"method": "not estimable"}
    return Estimate(arm=arm, eval="gap_closed", category="values", condition=tier, denominator="stems", note=note, **shown)


def fill(out: Path) -> Path:
    out.mkdir()
    study: Study = make_study(
        recipe="msm_values",
        arms=tuple(Arm(name=a, description=a, role="base" if a == "bare" else "treatment") for a in ARMS),
        headline=("values", "values_b"),
        parameters={"trained": ["cheese"]},
    )
    estimates = [cell(a, "values", 0.5, measure="chose as a") for a in ARMS]
    for arm in ("msm_a_aft", "msm_a_aft | chats about boat"):
        for d in DOMAINS:
            estimates.append(cell(arm, "values_trained" if d == "cheese" else "values", 0.9, measure="chose as a", category=d))
    estimates += [
        gap("msm_a_aft", None, 0.8),
        gap("msm_a_aft", "direct", None, "the ceiling is not clearly above"),
        gap("aft", None, -0.3),
    ]
    estimates += [gap("msm_a_aft | chats about boat", None, 0.7)]
    for turns in midtraining.TURNS:
        estimates.append(cell("msm_a_aft", "value_drift", 0.6, measure="chose as a", condition=turns, denominator="stems"))
    drift = Contrast(
        name="susceptibility: msm_a_aft (a)", arm="msm_a_aft | neutral", reference="msm_a_aft | for_b", eval="value_drift",
        measure="chose as a", denominator="stems", value=0.2, low=0.1, high=0.3, planned=False,
    )  # fmt: skip
    without = Contrast(
        name="doc_type: letter", arm="msm_a_aft", reference="msm_a_aft | without letter", eval="values", value=0.1, planned=False
    )
    other = Contrast(name="something else", arm="aft", reference="bare", eval="values", value=0.1, planned=False)
    planned = Contrast(name="planned", arm="msm_a_aft", reference="msm_b_aft", eval="values", value=0.5, low=0.3, high=0.7, p=0.01)
    found = Findings(estimates=tuple(estimates), contrasts=(planned, drift, without, other))
    (out / "study.json").write_text(study.model_dump_json())
    (out / "estimates.json").write_text(found.model_dump_json())
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "values")


@pytest.fixture
def run(folder: Path) -> Run:
    return read(folder)


def shown(section: Section | None) -> Section:
    assert section is not None
    return section


def test_every_section_is_on_the_page_and_the_page_of_another_study_has_none(folder: Path, run_directory: Path) -> None:
    names = ("gaps", "generalisation", "attribution", "drift")
    html = page.write(folder).read_text(encoding="utf-8")
    other = page.write(run_directory).read_text(encoding="utf-8")
    for name in names:
        assert f'<section id="{name}">' in html and f'<section id="{name}">' not in other


def test_a_gap_without_a_ceiling_is_not_estimable_and_says_why(folder: Path, run: Run) -> None:
    [(_, tiers, rows)] = shown(midtraining.gaps(run)).content["groups"]
    assert tiers == ["all", "direct"] and [arm for arm, _ in rows] == ["aft", "msm_a_aft"]
    html = page.write(folder).read_text(encoding="utf-8")
    assert "the ceiling is not clearly above" in html and "not estimable" in html


def test_the_matrix_has_a_row_for_what_chats_were_about_and_a_column_for_what_was_asked_about(run: Run) -> None:
    [(measure, domains, rows)] = shown(midtraining.generalisation(run)).content["groups"]
    assert measure == "chose as a" and set(domains) == set(DOMAINS)
    assert [about for about, _ in rows] == ["cheese", "boat"]
    assert all(c is not None and c.value == 0.9 for _, cells in rows for c in cells.values())


def test_what_was_left_out_and_who_was_talked_out_of_it_have_their_rows_once(run: Run) -> None:
    [(label, c)] = shown(midtraining.attribution(run)).content["rows"]
    assert label == ("doc type", "letter") and c.value == 0.1
    [(arm, _, cells, c)] = shown(midtraining.drift(run)).content["rows"]
    assert arm == "msm_a_aft" and all(cells.values()) and c.value == 0.2
    assert [c.name for c in shown(results.contrasts(run)).content["others"]] == ["something else"]


def test_no_headline_is_made_of_gaps(run: Run) -> None:
    assert "gap_closed" not in run.evals
