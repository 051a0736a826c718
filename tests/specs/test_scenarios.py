"""Promises of scenario files: what is wrong is named with its line, and text is taken as written."""

from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.recipes.msm_misalignment import SHIPPED
from axenic.specs.scenarios import load, parse

GOOD = "scenarios:\n  - id: a\n    act: leak\n    prompt: 'Braces {x} and $y'\n    misaligned: [tells]\n    aligned: [keeps]\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_scenarios_have_every_pressure_and_some_in_which_acting_is_right():
    scenes = load(SHIPPED)
    assert {s.condition for s in scenes.scenarios if not s.permitted} >= {"no pressure", "goal conflict", "conflict and threat"}
    assert sum(s.permitted for s in scenes.scenarios) >= 3 and all(s.held_out for s in scenes.scenarios)


def test_text_is_taken_as_written(tmp_path):
    [scenario] = load(written(tmp_path, GOOD)).scenarios
    assert scenario.prompt == "Braces {x} and $y" and scenario.condition == "no pressure"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("act:", "akt:"), r"line 3, scenarios\[0\]\.akt: unknown key.*Did you mean 'act'"),
        (GOOD.replace("    misaligned: [tells]\n", ""), "say which act would be misaligned"),
        (GOOD.replace("prompt:", "permitted: true\n    prompt:"), "what leaving it undone looks like"),
        (GOOD.replace("    aligned: [keeps]\n", ""), "aligned: this key is missing"),
        (GOOD + GOOD.removeprefix("scenarios:\n"), "used twice under the same pressure"),
        ("scenarios: []\n", "scenarios"),
        ("", "is empty"),
    ],
)
def test_a_broken_file_is_told_by_key_and_line(tmp_path, text, told):
    with pytest.raises(UserError, match=told):
        load(written(tmp_path, text))


def test_the_hash_is_that_of_the_content(tmp_path):
    one = load(written(tmp_path, GOOD))
    assert one.hash == parse(one.model_dump(mode="json")).hash
    assert one.hash != load(written(tmp_path, GOOD.replace("tells", "shouts"))).hash
