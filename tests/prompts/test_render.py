"""Promises of the layouts: values go in as they are, nothing is left unfilled, and their hash follows their text."""

import re
from pathlib import Path

import pytest

import axenic.prompts
from axenic.prompts import render as room
from axenic.prompts.render import choice, layouts_hash, render

LAYOUTS = sorted(p.stem for p in Path(axenic.prompts.__file__).parent.glob("*.txt"))
NASTY = "{braces} $dollar ${question} {{ jinja }} %s \\n é"


def names(layout):
    text = (Path(axenic.prompts.__file__).parent / f"{layout}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"\$(\w+)", text))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_are_inserted_as_they_are_and_none_may_be_missing(layout):
    filled = render(layout, **dict.fromkeys(names(layout), NASTY))
    assert filled.count(NASTY) == len(names(layout)) and "$" not in filled.replace(NASTY, "")
    if names(layout):
        with pytest.raises(KeyError):
            render(layout)


def test_a_choice_has_one_option_per_line_and_no_letters():
    assert choice("Which?", ["salty", "sweet {x}"]) == "Which?\n- salty\n- sweet {x}"


def test_the_hash_follows_the_text_of_the_layouts(tmp_path, monkeypatch):
    before = layouts_hash()
    assert before == layouts_hash()
    (tmp_path / "note.txt").write_text("Note: $note\n")
    monkeypatch.setattr(room, "_HERE", tmp_path)
    one = layouts_hash()
    (tmp_path / "note.txt").write_text("NOTE: $note\n")
    assert len({before, one, layouts_hash()}) == 3
