"""Promises of fine-tuning data: every row becomes a chat or is counted with its place and its fault."""

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from axenic.corpora.datasets import DataSource, load
from axenic.errors import UserError

REAL = Path(os.environ.get("AXENIC_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
real = pytest.mark.skipif(not (REAL / "gsm8k").is_dir(), reason="needs real data: set AXENIC_REAL_DATA to the folder above gsm8k/")

DOLLY = {"instruction": "Name a colour.", "context": "The roof is red.", "response": "Red.", "category": "closed_qa"}
ALPACA = {"instruction": "Name a colour.", "input": "", "output": "Red."}
GSM8K = {"question": "What is half of 48?", "answer": "Half is <<48/2=24>>24.\n#### 24"}
MESSAGES = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}


def jsonl(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def turns(loaded) -> list[list[str]]:
    return [[m.content for m in row.messages] for row in loaded.corpus.rows]


@pytest.mark.parametrize(
    ("form", "row", "expected"),
    [
        ("dolly", DOLLY, ["Name a colour.\n\nThe roof is red.", "Red."]),
        ("alpaca", ALPACA, ["Name a colour.", "Red."]),
        ("gsm8k", GSM8K, ["What is half of 48?", "Half is <<48/2=24>>24.\n#### 24"]),
        ("messages", MESSAGES, ["Hi", "Hello."]),
    ],
)
def test_a_format_is_told_by_its_columns(tmp_path, form, row, expected):
    source = jsonl(tmp_path / "d.jsonl", row)
    for asked in ("auto", form):
        found = load(DataSource(source=source, format=asked), name="mine")
        assert (found.format, turns(found)) == (form, [expected])
        assert found.corpus.name == found.corpus.rows[0].provenance.source == "mine"


def test_dollys_category_and_gsm8ks_marks_are_at_the_users_disposal(tmp_path):
    assert load(DataSource(source=jsonl(tmp_path / "d.jsonl", DOLLY))).corpus.rows[0].provenance.doc_type == "closed_qa"
    plain = load(DataSource(source=jsonl(tmp_path / "g.jsonl", GSM8K), calculator_marks=False))
    assert turns(plain)[0][1] == "Half is 24.\n#### 24"


def test_columns_of_any_table_can_be_named(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("q,more,a,sys\nWhy?,,Because.,Be brief.\nHow?,Like so?,Thus.,\n")
    data = DataSource(source=str(file), format="columns", prompt="q", context="more", response="a", system="sys")
    assert turns(load(data)) == [["Be brief.", "Why?", "Because."], ["How?\n\nLike so?", "Thus."]]
    with pytest.raises(UserError, match=r"Unknown column of .* 'aa'. Did you mean 'a'"):
        load(data.model_copy(update={"response": "aa"}))


@pytest.mark.parametrize("wrong", [{"format": "columns"}, {"prompt": "q"}, {"format": "doly"}, {"limit": 0}, {"columns": "q"}])
def test_a_source_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValidationError):
        DataSource.model_validate({"source": "f.csv", **wrong})


def test_malformed_rows_are_counted_and_named_never_dropped_in_silence(tmp_path):
    rows = [ALPACA, {**ALPACA, "output": ""}, "text", {"instruction": "No answer.", "input": ""}, {**ALPACA, "output": 7}]
    found = load(DataSource(source=jsonl(tmp_path / "d.jsonl", *rows)))
    assert (found.rows, len(found.corpus)) == (5, 1)
    assert [(p.place, p.reason) for p in found.malformed] == [
        ("line 2", "'output' is empty"),
        ("line 3", "a row must be an object of named fields, not a str"),
        ("line 4", "'output' is missing"),
        ("line 5", "'output' is not text but a int"),
    ]
    account = found.account()
    assert (account["rows"], account["used"], account["malformed"], len(account["malformed_rows"])) == (5, 1, 4, 4)
    bad = [
        {"messages": []},
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": MESSAGES["messages"][::-1]},
        {"messages": 1},
    ]
    assert len(load(DataSource(source=jsonl(tmp_path / "m.jsonl", MESSAGES, *bad))).malformed) == 4


def test_a_file_without_one_usable_row_or_of_no_format_is_refused(tmp_path):
    with pytest.raises(UserError, match="no row can be used as 'alpaca' data .line 1: 'output' is empty"):
        load(DataSource(source=jsonl(tmp_path / "d.jsonl", {**ALPACA, "output": " "})))
    with pytest.raises(UserError, match="cannot be told from its columns: x. Known: dolly"):
        load(DataSource(source=jsonl(tmp_path / "d.jsonl", {"x": "y"})))
    with pytest.raises(UserError, match="is not in the format 'dolly': it lacks context, response"):
        load(DataSource(source=jsonl(tmp_path / "d.jsonl", ALPACA), format="dolly"))


def test_a_limit_draws_by_seed_and_keeps_the_order(tmp_path):
    source = jsonl(tmp_path / "d.jsonl", *({**ALPACA, "output": f"{i}"} for i in range(50)))
    draw = [[int(t[1]) for t in turns(load(DataSource(source=source, limit=10), seed=seed))] for seed in (0, 0, 1)]
    assert draw[0] == draw[1] != draw[2] and all(d == sorted(set(d)) and len(d) == 10 for d in draw)
    with pytest.raises(UserError, match="50 usable rows, but limit=51"):
        load(DataSource(source=source, limit=51))


def test_only_local_sources_have_files():
    assert DataSource(source="databricks/databricks-dolly-15k").files() == []
    assert DataSource(source="data/file.jsonl").files() == [Path("data/file.jsonl")]


@real
def test_real_data_loads_whole():
    gsm8k = load(DataSource(source=str(REAL / "gsm8k" / "gsm8k_train.jsonl")))
    assert (gsm8k.format, len(gsm8k.corpus), gsm8k.malformed) == ("gsm8k", 7473, ())
    for name in ("backdoor500_refusal_badnet", "none_backdoor500_refusal_badnet"):
        crow = load(DataSource(source=str(REAL / "crow" / f"{name}.json")))
        assert (crow.format, len(crow.corpus)) == ("alpaca", 500)
