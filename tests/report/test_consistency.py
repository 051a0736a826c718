"""What moves the number, on the page."""

from dataclasses import replace

from axenic.findings import Findings, VarianceComponent
from axenic.report import consistency
from axenic.report.run import Run


def test_a_bar_holds_every_share_and_ends_where_they_do(safety_run: Run) -> None:
    section = consistency.consistency(safety_run)
    assert section is not None
    traces = section.figures["compliance"].traces
    ends = [base + share for trace in traces for base, share in zip(trace["base"], trace["x"], strict=True)]
    assert len(traces[0]["x"]) == 15 and abs(max(ends) - 1) < 1e-9  # five arms at two temperatures and over both


def test_what_is_not_estimable_says_why_and_is_not_drawn(safety_run: Run) -> None:
    nothing = VarianceComponent(arm="base", eval="compliance", source="total", method="not estimable", note="one item")
    run = replace(safety_run, findings=Findings(variance_components=(nothing,)))
    section = consistency.consistency(run)
    assert section is not None and section.figures == {}
    ((_, _, why_not),) = section.content["tables"][0]["rows"]
    assert why_not == "not estimable: one item"


def test_the_advice_is_said_once_for_all_arms_that_share_it(safety_run: Run) -> None:
    section = consistency.consistency(safety_run)
    assert section is not None
    (said,) = section.content["sentences"]
    assert said["text"].startswith("To resolve 2 points at 80 % power you need 30 seeds")
    assert said["now"] == "The present design resolves 6.1 points." and said["where"].count("against base") == 4


def test_no_consistency_no_section(safety_run: Run) -> None:
    assert consistency.consistency(replace(safety_run, findings=Findings())) is None
