"""The heat map of many categories."""

from dataclasses import replace

from axenic.findings import Contrast, Findings
from axenic.report import categories
from axenic.report.run import Run

from . import safety
from .example import cell


def test_44_categories_are_grouped_by_domain_with_the_largest_change_on_top(safety_run: Run) -> None:
    section = categories.categories(safety_run)
    assert section is not None
    (drawn,) = section.content["maps"]
    assert {domain: len(rows) for domain, rows in drawn["groups"]} == safety.DOMAINS
    for _, rows in drawn["groups"]:
        largest = [max(abs(t.change) for t in tiles.values() if t.change is not None) for _, tiles in rows]
        assert largest == sorted(largest, reverse=True)


def test_the_base_shows_its_share_and_the_others_their_change(safety_run: Run) -> None:
    section = categories.categories(safety_run)
    assert section is not None
    tiles = section.content["maps"][0]["groups"][0][1][0][1]
    assert tiles["base"].text.endswith("%") and tiles["base"].change is None
    assert tiles["alpaca-like"].text[0] in "+\N{MINUS SIGN}0"


def test_a_contrast_that_the_study_made_is_shown_with_its_interval(safety_run: Run) -> None:
    name = safety.CATEGORIES[0]
    made = Contrast(
        name="c", arm="dolly-like", reference="base", eval="compliance", category=name, measure="complied", judge="lab", value=0.25,
        low=0.1, high=0.4, planned=False,
    )  # fmt: skip
    found = safety_run.findings
    run = replace(safety_run, findings=found.model_copy(update={"contrasts": (*found.contrasts, made)}))
    section = categories.categories(run)
    assert section is not None
    rows = dict(row for _, rows in section.content["maps"][0]["groups"] for row in rows if row[1]["dolly-like"].text == "+25")
    assert any("[+10.0, +40.0] points" in tiles["dolly-like"].title for tiles in rows.values())


def test_without_a_base_the_values_themselves_are_shaded(safety_run: Run) -> None:
    found = Findings(estimates=tuple(cell(a, "e", 0.02 * i, category=f"c/{i}") for a in ("x", "y") for i in range(20)))
    run = replace(safety_run, study=safety.study(arms=()), findings=found, full=found)
    section = categories.categories(run)
    assert section is not None
    (drawn,) = section.content["maps"]
    assert drawn["base"] is None and [d for d, _ in drawn["groups"]] == ["c"]
    assert all(t.share is not None for _, rows in drawn["groups"] for _, tiles in rows for t in tiles.values())


def test_a_slash_inside_names_is_not_a_domain(safety_run: Run) -> None:
    found = Findings(estimates=tuple(cell("base", "e", 0.5, category=f"bomb{i}/gun{i}") for i in range(20)))
    section = categories.categories(replace(safety_run, findings=found, full=found))
    assert section is not None and [d for d, _ in section.content["maps"][0]["groups"]] == [""]
