"""Promises of suites: a text names what is asked, a file is recognised by its columns, what is wrong is said in one sentence."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from axenic.errors import UserError
from axenic.evals.base import Eval
from axenic.evals.benchmarks.base import Benchmark
from axenic.evals.benchmarks.suite import parse, suite, suite_files, suites
from axenic.evals.benchmarks.table import BENCHMARKS
from axenic.tables import load


def write(path: Path, rows: list[dict]) -> Path:
    """Rows as CSV or JSONL, by the suffix."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


OWN = [
    {"question": "How do I fold a kite?", "topic": "toys", "label": "safe", "nr": "a@1"},
    {"question": "How do I break a kite?", "topic": "toys", "label": "unsafe", "nr": "b@1"},
]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_keeps_the_contract(name):
    benchmark = load(BENCHMARKS[name])
    assert isinstance(benchmark, Benchmark) and benchmark.name == name and benchmark.obtain.endswith(".")
    assert not set(benchmark.options) & {"name", "split"}


def test_the_lab_suite_asks_440_harmful_requests_as_many_look_alikes_and_a_capability_set():
    made = suite("lab")
    assert [(e.name, e.measure) for e in made] == [
        ("compliance", "complied"),
        ("over_refusal", "refused"),
        ("capability", "correct"),
    ]
    assert len(made[0].items) == len(made[1].items) == 440
    assert suite_files("lab") == []


def test_a_text_is_taken_apart_without_opening_anything(tmp_path):
    found = parse("own=questions.csv?prompt=question&category=topic")
    assert (found.benchmark, found.source, found.options) == ("own", "questions.csv", {"prompt": "question", "category": "topic"})
    assert parse("sorry_bench").source == "" and parse("sorry_bench?prompt_style=slang").options == {"prompt_style": "slang"}
    assert parse("someone/prompts").source == "someone/prompts"
    odd = write(tmp_path / "a=b?c.jsonl", OWN)
    assert (parse(str(odd)).source, suite_files(str(odd))) == (str(odd), [odd])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty text"),
        ("xtest", "Unknown suite 'xtest'. Did you mean 'xstest'"),
        ("nobench=file.csv", "Unknown benchmark 'nobench'"),
        ("xstest=", "names no file after '='"),
        ("lab?kind=harmful", "'lab' takes no options"),
        ("own=f.csv?prompt", "options are key=value"),
        ("own=f.csv?prompt=a&prompt=b", "each once"),
    ],
)
def test_a_text_that_names_nothing_is_refused(text, message):
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        parse(text)


def test_a_missing_file_is_named_with_the_place_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"no benchmark file .*gone\.jsonl.*Accept the terms of the data set sorry-bench"):
        suite(f"sorry_bench={tmp_path / 'gone.jsonl'}")
    with pytest.raises(UserError, match="needs a file: write harmbench=FILE. HarmBench is "):
        suite("harmbench")
    with pytest.raises(UserError, match="named in the suite"):
        suite_files(f"own={tmp_path / 'gone.jsonl'}")


def test_gated_data_without_access_is_said_where_it_is_obtained():
    script = (
        "from axenic.evals.benchmarks.suite import suite\n"
        "from axenic.errors import UserError\n"
        "try: suite('sorry_bench')\n"
        "except UserError as e: print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    assert "could not be had from the Hugging Face hub" in done.stdout and "Accept the terms" in done.stdout


def test_own_prompts_need_only_their_columns_named(tmp_path):
    for suffix in (".csv", ".jsonl"):
        file = write(tmp_path / f"mine{suffix}", OWN)
        [made] = suite(f"own={file}?prompt=question&category=topic&kind=harmful&id=nr&name=kites")
        assert (made.name, made.measure, made.positive, made.judge) == ("kites", "complied", "complied", "refusal")
        assert [(i.id, i.stem, i.category, i.messages[0].content) for i in made.items] == [
            ("a@1", "a", "toys", "How do I fold a kite?"),
            ("b@1", "b", "toys", "How do I break a kite?"),
        ]


def test_own_prompts_with_labels_become_two_evals_with_stable_ids(tmp_path):
    file = write(tmp_path / "mine.jsonl", OWN)
    made = suite(f"own={file}?prompt=question")
    assert [(e.name, e.measure, len(e.items)) for e in made] == [("own_harmful", "complied", 1), ("own_harmless", "refused", 1)]
    backwards = write(tmp_path / "backwards.jsonl", OWN[::-1])
    assert {i.id for e in made for i in e.items} == {i.id for e in suite(f"own={backwards}?prompt=question") for i in e.items}


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (OWN, "kind=harmful", "no column 'prompt'; it has: question"),
        (OWN, "prompt=qestion&kind=harmful", "Unknown column of .* 'qestion'. Did you mean 'question'"),
        (OWN, "prompt=question&kind=bad", "Unknown kind of prompts 'bad'"),
        (OWN, "prompt=question&label=topic", "line 1: the label is 'toys'"),
        (OWN, "prompt=question&kolumn=x", "Unknown option of own 'kolumn'"),
        ([{"prompt": "a"}], "", r"does not say which prompts should be refused. Add '\?kind=harmful'"),
        ([{"prompt": "a"}, {"prompt": "a"}], "kind=harmful", r"appears twice \(line 1 and line 2\)"),
        ([{"prompt": "a", "id": "1"}, {"prompt": "b", "id": ""}], "kind=harmful", "line 2: the id is empty"),
        ([{"prompt": "a"}, {"prompt": " "}], "kind=harmful", "line 2: the column 'prompt' is empty"),
        ([{"prompt": "a"}, {"prompt": 7}], "kind=harmful", "line 2: the column 'prompt' is not text"),
    ],
)
def test_own_prompts_with_a_fault_are_refused_and_the_fault_is_named(tmp_path, rows, options, message):
    file = write(tmp_path / "mine.jsonl", rows)
    with pytest.raises(UserError, match=message):
        suite(f"own={file}?{options}")


def test_two_suites_with_one_name_are_told_apart_or_refused(tmp_path):
    file = write(tmp_path / "mine.jsonl", OWN)
    one, other = (f"own={file}?prompt=question&kind={kind}" for kind in ("harmful", "harmless"))
    with pytest.raises(UserError, match="Two suites hold an eval named 'own'"):
        suites([one, other])
    assert [e.name for e in suites([one, other + "&name=second"])] == ["own", "second"]


def test_laying_out_a_study_needs_no_heavy_package():
    heavy = "{'torch', 'pandas', 'pyarrow', 'datasets'}"
    script = f"import sys; import axenic.evals.benchmarks.suite; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_items_are_unique_within_an_eval():
    for e in suite("lab"):
        assert isinstance(e, Eval) and len({i.id for i in e.items}) == len(e.items)
