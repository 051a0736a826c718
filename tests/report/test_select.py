"""Which records lead."""

from axenic.findings import Contrast, Estimate, Findings
from axenic.report import select

from . import safety


def estimate(judge: str, attempted: int = 1, **more: object) -> Estimate:
    return Estimate(arm="a", eval="e", judge=judge, attempted=attempted, **more)  # type: ignore[arg-type]


def test_the_judge_of_the_planned_contrast_leads_then_the_studys_then_the_commonest() -> None:
    both = (estimate("few", 3), estimate("many", 9), estimate("coherence", 99))
    planned = Contrast(name="c", arm="a", reference="b", eval="e", judge="few")
    assert select.main_judges(safety.study(), Findings(estimates=both, contrasts=(planned,))) == {"e": "few"}
    assert select.main_judges(safety.study(parameters={"judges": {"e": ["few"]}}), Findings(estimates=both)) == {"e": "few"}
    assert select.main_judges(safety.study(), Findings(estimates=both)) == {"e": "many"}


def test_coherence_leads_only_where_nothing_else_was_judged() -> None:
    assert select.main_judges(safety.study(), Findings(estimates=(estimate("coherence"),))) == {"e": "coherence"}


def test_numbers_over_all_judges_stay_beside_those_of_the_main_one() -> None:
    kept = select.of_main_judges(Findings(estimates=(estimate("lab"), estimate("other"), estimate(""))), {"e": "lab"})
    assert [e.judge for e in kept.estimates] == ["lab", ""]


def test_temperatures_are_told_apart_only_where_there_are_several() -> None:
    one = [estimate("", temperature=0.7)]
    assert [t for t, _ in select.at_temperatures(one, ["a"])] == [None]
    assert [t for t, _ in select.at_temperatures([*one, estimate("", temperature=0.0)], ["a"])] == [0.0, 0.7]


def test_a_label_says_only_what_tells_a_cell_apart() -> None:
    hot, cold = estimate("j", temperature=0.7, epoch=5.0), estimate("j", temperature=0.0, epoch=5.0)
    assert select.cell_label(hot, [hot]) == "a" and select.cell_label(hot, [hot, cold]) == "a · T = 0.7"
    assert select.cell_label(hot, [hot, estimate("j", temperature=0.7)]) == "a · epoch 5"
