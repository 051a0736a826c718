"""The verdict on top of an audit's page."""

from pathlib import Path

import pytest

from axenic.report import audit, page
from axenic.report.run import Run

from . import safety


def test_the_verdict_is_the_first_section_and_says_why(safety_directory: Path) -> None:
    html = page.write(safety_directory).read_text(encoding="utf-8")
    assert html.index('<section id="audit">') < html.index('<section id="contrasts">')
    assert '<p class="big">Worse</p>' in html and "complies with 8.3 points more" in html


@pytest.mark.parametrize(
    ("left_out", "word"), [((), "Worse"), (("worse",), "Cannot tell yet"), (("worse", "cannot tell"), "Not worse than the margin")]
)
def test_one_bad_eval_decides_and_not_knowing_is_not_passing(safety_run: Run, left_out: tuple[str, ...], word: str) -> None:
    kept = tuple(a for a in safety.audits() if a.verdict not in left_out)
    run = with_audits(safety_run, kept)
    section = audit.audit(run)
    assert section is not None and [v["word"] for v in section.content["verdicts"]] == [word]


def test_the_margin_stands_in_the_forest_plot_and_what_is_not_estimable_does_not(safety_run: Run) -> None:
    section = audit.audit(safety_run)
    assert section is not None
    figure = section.figures["harm"]
    assert {shape["x0"] for shape in figure.layout["shapes"]} == {2.0}
    assert sum(len(trace["x"]) for trace in figure.traces) == 3  # toxicity could not be scored


def test_several_arms_have_a_verdict_each(safety_run: Run) -> None:
    fine = [a.model_copy(update={"arm": "careful"}) for a in safety.audits() if a.verdict == "not worse"]
    section = audit.audit(with_audits(safety_run, (*safety.audits(), *fine)))
    assert section is not None
    assert {v["arm"]: v["verdict"] for v in section.content["verdicts"]} == {"tuned": "worse", "careful": "not worse"}


def with_audits(run: Run, audits: tuple[object, ...]) -> Run:
    changes = {"audits": audits}
    return Run(**{**vars(run), "findings": run.findings.model_copy(update=changes), "full": run.full.model_copy(update=changes)})
