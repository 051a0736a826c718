"""Flips and min-max bars."""

from dataclasses import replace

from axenic.findings import Findings, Flip, Range
from axenic.report import spread
from axenic.report.run import Run


def test_a_flip_rate_stands_beside_the_rate_of_two_draws(safety_run: Run) -> None:
    section = spread.flips(safety_run)
    assert section is not None
    traces = section.figures["compliance"].traces
    bars = [t for t in traces if t["type"] == "bar"]
    diamonds = [t for t in traces if t["type"] == "scatter"]
    assert len(bars) == 4 and len(diamonds) == 3  # "anything" has no pair rate: it counts all draws
    assert all(t["textposition"] == "none" for t in bars)


def test_flips_that_are_not_estimable_stay_in_the_table(safety_run: Run) -> None:
    flip = Flip(arm="base", eval="compliance", source="any", n_items=0, attempted=5, missing=5, method="not estimable")
    section = spread.flips(replace(safety_run, findings=Findings(flips=(flip,))))
    assert section is not None and section.figures == {} and section.content["tables"][0][1][0][2] is flip


def test_every_min_max_bar_has_the_estimate_of_its_own_cell_below_it(safety_run: Run) -> None:
    section = spread.ranges(safety_run)
    assert section is not None and len(section.content["rows"]) == 10
    for _, r, e in section.content["rows"]:
        assert (e.arm, e.temperature, e.epoch, e.judge) == (r.arm, r.temperature, r.epoch, "lab")
    traces = section.figures["compliance"].traces
    assert sum(len(t["x"]) for t in traces if t["type"] == "bar") == 10


def test_one_run_has_no_bar(safety_run: Run) -> None:
    lone = Range(arm="base", eval="compliance", value=0.5, n_runs=1, note="one run")
    section = spread.ranges(replace(safety_run, findings=Findings(ranges=(lone,))))
    assert section is not None and section.figures == {}
