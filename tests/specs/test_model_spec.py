"""Promises of reading a model spec: its sections are its text, whatever it holds, and what says nothing is refused."""

import os
import random
import time
from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.specs import markdown
from axenic.specs.model_spec import LONGEST, load, parse

DATA = Path(os.environ.get("AXENIC_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
REAL = DATA / "model_spec" / "openai_model_spec.md"


def ids(spec):
    return [s.id for s in spec.sections]


def tiles(spec):
    assert "".join(s.text for s in spec.sections) == spec.text
    assert all(spec.text[s.start : s.end] == s.text for s in spec.sections)
    assert all(s.text.strip() for s in spec.sections), "no section is blank"
    assert len(set(ids(spec))) == len(spec.sections)


def test_headings_make_sections_with_the_path_of_their_titles():
    spec = parse("Why.\n\n# Care\nBe kind.\n\n## To *people*\nListen.\n\n# Truth #\nDo not lie.\n")
    tiles(spec)
    assert ids(spec) == ["text", "care", "care/to-people", "truth"]
    assert [s.titles for s in spec.sections] == [(), ("Care",), ("Care", "To *people*"), ("Truth",)]
    assert [s.text for s in spec.sections][1] == "# Care\nBe kind.\n\n"
    assert spec.sections[2].name == "Care > To *people*" and "- Care > To *people*" in spec.outline


def test_anchors_name_sections_and_other_braces_stay_in_titles():
    spec = parse("# Stay in bounds {#bounds authority=root}\na\n## Use {name} and {{ x }}\nb\n# ${x} {#}\nc\n")
    tiles(spec)
    assert ids(spec) == ["bounds", "bounds/use-name-and-x", "x"]
    assert spec.sections[0].titles == ("Stay in bounds",)
    assert spec.sections[1].titles[-1] == "Use {name} and {{ x }}"


@pytest.mark.parametrize(
    "code",
    [
        "```\n# no heading\n```",
        "~~~python\n# no heading\n```\n# nor this\n~~~",
        "````\n```\n# no heading\n```\n````",
        "    # no heading: indented code",
        "  ```\n# no heading\n\n# nor this\n  ```  ",
        "#no heading without a blank",
        "####### seven",
    ],
)
def test_what_stands_in_code_or_only_looks_like_a_heading_is_none(code):
    spec = parse(f"# One\nText.\n\n{code}\n\n# Two\nText.\n")
    tiles(spec)
    assert ids(spec) == ["one", "two"]


def test_underlined_headings_are_headings_and_rules_lists_and_tables_are_not():
    spec = parse("Care\n====\nBe kind.\n\nTo people\n---\nListen.\n\n---\n\n- a list\n---\n\n| a | b |\n---|---\n\nmore\n")
    tiles(spec)
    assert [(h.level, h.title) for h in markdown.headings(spec.text)] == [(1, "Care"), (2, "To people")]
    assert ids(spec) == ["care", "care/to-people"]


def test_front_matter_is_kept_with_the_first_section_and_holds_no_heading():
    spec = parse("---\ntitle: A spec\n# a comment\n---\n# One\nText.\n")
    tiles(spec)
    assert ids(spec) == ["one"] and spec.sections[0].text.startswith("---\ntitle")
    assert ids(parse("---\n\n# One\nText.\n\n---\n")) == ["text", "one"], "a line of dashes alone is no front matter"


def test_a_heading_without_text_goes_with_the_section_after_it():
    spec = parse("# Style\n\n## Warmth\nBe warm.\n# Law\n\n# End\n")
    tiles(spec)
    assert ids(spec) == ["style/warmth"]
    spec = parse("# Style\n## Warmth\nBe warm.\n# Law\n# Order\nKeep it.\n")
    assert ids(spec) == ["style/warmth", "order"] and spec.sections[1].text == "# Law\n# Order\nKeep it.\n"


def test_equal_headings_get_ids_of_their_own():
    spec = parse("# A\n1\n# A\n2\n# A-2\n3\n# A\n4\n# !!!\n5\n# ???\n6\n")
    tiles(spec)
    assert ids(spec) == ["a", "a-2", "a-2-2", "a-3", "section", "section-2"]


def test_plain_text_is_cut_at_paragraphs():
    text = "\n\n".join(f"Paragraph {i}. " + "It says something about kindness. " * 6 for i in range(40))
    spec = parse(text, longest=1_000)
    tiles(spec)
    assert ids(spec)[:2] == ["text#1", "text#2"]
    assert all(len(s.text) <= 1_000 and s.text.startswith("Paragraph") and s.titles == () for s in spec.sections)
    assert len(parse(text, longest=100_000).sections) == 1


def test_a_long_section_is_cut_in_like_parts_that_keep_its_titles():
    spec = parse("# Long\n\n" + "A sentence of some words.\n\n" * 400, longest=3_000)
    tiles(spec)
    sizes = [len(s.text) for s in spec.sections]
    assert len(sizes) == 4 and max(sizes) <= 3_000 and min(sizes) > 2_000
    assert {s.titles for s in spec.sections} == {("Long",)} and ids(spec)[3] == "long#4"


def test_code_blocks_stay_whole_where_they_fit():
    block = "```\n" + "\n".join(f"line {i}\n" for i in range(20)) + "```\n"
    spec = parse("\n\n".join(["Words. " * 20, block] * 6), longest=500)
    tiles(spec)
    assert all(s.text.count("```") % 2 == 0 for s in spec.sections)


def test_one_endless_line_is_cut_between_words_or_anywhere():
    for text in ("word " * 5_000, "x" * 25_000, "# T\n\n" + "字" * 25_000):
        spec = parse(text, longest=1_000)
        tiles(spec)
        assert max(len(s.text) for s in spec.sections) <= 1_000
        assert not any(s.text.strip().startswith("#") and len(s.text) < 20 for s in spec.sections), "a heading is not left alone"


@pytest.mark.parametrize("text", ["", " \n\t\n", "﻿\n"])
def test_an_empty_spec_is_refused(tmp_path, text):
    path = tmp_path / "spec.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="is empty.*docs/model_spec.md"):
        load(path)


@pytest.mark.parametrize(
    "text", ["# One\n## Two\n", "One\n===\n\nTwo\n---\n", "---\ntitle: x\n---\n# One\n", "---\ntitle: x\n---\n"]
)
def test_a_spec_of_headings_only_is_refused(text):
    with pytest.raises(UserError, match="headings but no text under them"):
        parse(text)


def test_what_is_no_text_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        load(tmp_path / "none.md")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(UserError, match="not UTF-8"):
        load(tmp_path / "binary")
    with pytest.raises(UserError, match="zero bytes"):
        parse("a\0b")


def test_templates_and_other_languages_are_text_like_any_other(tmp_path):
    text = "# 指針\r\n\r\n{{ 親切 }} {% raise %} ${HOME} %s {0}\r\n## مبدأ\r\nكن صادقا.\r\n# Ехидна\r\nНе лги.\u2028Line.\r"
    path = tmp_path / "Spec 指針.md"
    path.write_bytes(text.encode())
    spec = load(path)
    tiles(spec)
    assert spec.id == "spec-指針" and ids(spec) == ["指針", "指針/مبدأ", "ехидна"]
    assert "{{ 親切 }} {% raise %} ${HOME} %s {0}" in spec.sections[0].text
    assert "".join(spec.text.split()) == "".join(text.split())


def test_any_text_is_tiled():
    draw = random.Random(0)
    bits = [
        "# a\n",
        "## b {#c}\n",
        "word ",
        "\n",
        "\n\n",
        "```\n",
        "~~~\n",
        "---\n",
        "===\n",
        "    x\n",
        "- l\n",
        "key: v\n",
        "é{x}",
    ]
    for _ in range(400):
        text = "".join(draw.choices(bits, k=draw.randint(1, 60)))
        try:
            spec = parse(text, longest=draw.choice([1, 7, 40, LONGEST]))
        except UserError:
            continue
        tiles(spec)


def test_a_megabyte_is_read_in_a_moment():
    paragraph = "An assistant should be kind, and say what it does not know. " * 8
    many = "".join(f"# Heading\n\n{paragraph}\n\n" for _ in range(2_000))
    for text in (many, "x" * 1_000_000, "a\n" * 50_000, "# h\n" * 25_000 + "end", "-\n" * 50_000):
        before = time.process_time()
        tiles(parse(text))
        assert time.process_time() - before < 10


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL} is not there; set AXENIC_REAL_DATA to the folder of published data")
def test_a_published_spec_is_covered_whole():
    spec = load(REAL)
    tiles(spec)
    assert "".join("".join(s.text.split()) for s in spec.sections) == "".join(REAL.read_text(encoding="utf-8").split())
    assert max(len(s.text) for s in spec.sections) <= LONGEST
    assert "chain_of_command/letter_and_spirit" in {s.id.split("#")[0] for s in spec.sections}
    assert not {"functions", "imports"} & {s.titles[-1] for s in spec.sections}, "comments in code are no headings"
