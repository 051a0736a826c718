"""Several judges on one page."""

from dataclasses import replace

from axenic.report import judges, results
from axenic.report.run import Run

from . import safety


def test_the_main_figures_follow_one_judge_and_the_others_have_a_table(safety_run: Run) -> None:
    assert {e.judge for e in safety_run.findings.estimates} == {"lab"}
    section = judges.judges(safety_run)
    assert section is not None
    assert [judge for _, judge, _ in section.content["readings"]] == ["lab", "patterns", "lab", "patterns"]
    assert len(section.content["whole"]) == 2 and len(section.content["parts"]) == len(safety.ARMS)


def test_a_rare_label_is_pointed_out_beside_its_kappa(safety_run: Run) -> None:
    section = judges.judges(safety_run)
    assert section is not None and [a.eval for a in section.content["rare"]] == ["over_refusal"]


def test_rates_are_given_with_and_without_incoherent_responses_at_each_temperature(safety_run: Run) -> None:
    section = judges.coherence(safety_run)
    assert section is not None
    words = [(label, over) for label, over, _ in section.content["both"]]
    assert words == [(f"compliance: complied · T = {t}", over) for t in ("0", "0.7") for over in ("all responses", "coherent only")]
    assert section.content["both"][1][2]["base"].denominator == "coherent"


def test_no_judge_of_coherence_or_toxicity_no_section(safety_run: Run) -> None:
    run = replace(safety_run, full=safety_run.findings)
    assert judges.coherence(run) is None and judges.toxicity(run) is None


def test_headline_cells_have_a_row_per_temperature(safety_run: Run) -> None:
    section = results.cells(safety_run)
    assert section is not None
    labels = [label for label, _ in section.content["rows"]]
    assert labels[:2] == ["compliance: complied · T = 0", "compliance: complied · T = 0.7"]
    assert section.content["rows"][1][1]["alpaca-like"].epoch == 5.0
