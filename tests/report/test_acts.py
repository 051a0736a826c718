"""Sections about agentic scenarios: acts by pressure and kind, and the dose of anti-spec replies."""

from pathlib import Path

import pytest

from axenic.findings import Curve, Estimate, Findings
from axenic.report import acts, curves, page
from axenic.report.run import Run, read
from axenic.schema import Arm

from .example import cell, make_study

ARMS = ("bare", "aft", "msm_aft")


def estimates() -> list[Estimate]:
    found = [cell(arm, "agentic", 0.5, measure="misaligned") for arm in ARMS]
    found += [cell(arm, "agentic", 0.25, measure="misaligned", condition=p) for arm in ARMS for p in ("no pressure", "threat")]
    found += [cell(arm, "agentic", 0.75, measure="misaligned", category="leak <b>") for arm in ARMS]
    found += [cell("aft | 50% anti-spec", "agentic", 0.9, measure="misaligned")]
    return [*found, cell("bare", "omission", None, measure="omitted")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    study = make_study(
        recipe="msm_misalignment",
        arms=tuple(Arm(name=a, description=a, role="base" if a == "bare" else "treatment") for a in ARMS),
        headline=("agentic", "omission"),
    )
    ladder = [
        Curve(name="anti_spec", arm=arm, eval="agentic", measure="misaligned", x=x, x_label="share", value=x / 2, low=0.0, high=1.0)
        for arm in ARMS[1:]
        for x in (0.0, 0.5, 1.0)
    ]
    found = Findings(estimates=tuple(estimates()), curves=tuple(ladder))
    (tmp_path / "study.json").write_text(study.model_dump_json())
    (tmp_path / "estimates.json").write_text(found.model_dump_json())
    return read(tmp_path)


def test_arms_and_doses_stand_down_and_pressures_and_kinds_across(run: Run) -> None:
    section = acts.acts(run)
    assert section is not None
    (title, columns, rows), omitted = section.content["groups"]
    assert "isaligned" in title and columns == ["all", "no pressure", "threat", "leak <b>"]
    assert [arm for arm, _ in rows] == [*ARMS, "aft | 50% anti-spec"]
    assert rows[0][1]["threat"].value == 0.25 and rows[3][1]["threat"] is None
    assert omitted[2][0][1]["all"].value is None


def test_the_page_shows_both_sections_and_escapes_names(run: Run) -> None:
    text = page.render(run)
    assert "Acts by pressure and kind" in text and "Dose of anti-spec replies" in text
    assert "leak <b>" not in text and "leak &lt;b&gt;" in text
    assert curves.others(run) is None, "a curve has one section"


def test_a_line_is_drawn_with_and_without_midtraining(run: Run) -> None:
    section = acts.doses(run)
    assert section is not None and len(section.figures) == 1
    [figure] = section.figures.values()
    assert sum("lines" in t.get("mode", "") and t.get("marker") is not None for t in figure.traces) == 2


def test_other_studies_have_neither_section(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(make_study().model_dump_json())
    (tmp_path / "estimates.json").write_text(Findings(estimates=(cell("base", "downstream", 0.5),)).model_dump_json())
    other = read(tmp_path)
    assert acts.acts(other) is None and acts.doses(other) is None
