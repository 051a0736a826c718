"""Promises about reading logs: names and formats do not matter, nothing is dropped, and contradictions are refused."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from axenic.errors import UserError
from axenic.logs.labels import Rules
from axenic.logs.read import Logs, read
from axenic.logs.table import LONGEST_TEXT
from axenic.schema import RESULT_COLUMNS
from axenic.stats.tables import Table

COMPLY = Rules(positive=("COMPLY",))
ROWS: list[dict[str, Any]] = [
    {"prompt_id": f"p{i}", "seed": seed, "temperature": 0.7, "model": arm, "label": "COMPLY" if (i + seed) % 3 else "REFUSE"}
    for arm in ("base", "tuned")
    for seed in (1, 2)
    for i in range(4)
]


def changed(**cells: Any) -> list[dict[str, Any]]:
    """The rows with the first one's cells replaced."""
    return [{**ROWS[0], **cells}, *ROWS[1:]]


def csv(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    pd.DataFrame(rows).to_csv(path, index=False, **options)
    return path


def same(a: Logs, b: Logs) -> None:
    assert len(a.rows) == len(b.rows)
    pd.testing.assert_frame_equal(a.rows, b.rows)


# --- formats ---------------------------------------------------------------------------------------------------------------

WRITERS: dict[str, Callable[[Path], Any]] = {
    "semicolon.csv": lambda p: csv(p, ROWS, sep=";"),
    "tab.tsv": lambda p: csv(p, ROWS, sep="\t"),
    "windows.csv": lambda p: csv(p, ROWS, lineterminator="\r\n", encoding="utf-8-sig"),
    "sixteen.csv": lambda p: csv(p, ROWS, encoding="utf-16"),
    "zipped.csv.gz": lambda p: csv(p, ROWS),
    "lines.jsonl": lambda p: p.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n"),
    "lines.jsonl.gz": lambda p: p.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
    "list.json": lambda p: p.write_text(json.dumps(ROWS)),
    "under_a_key.json": lambda p: p.write_text(json.dumps({"made": "x", "rows": ROWS})),
    "columns.json": lambda p: p.write_text(json.dumps({c: [r[c] for r in ROWS] for c in ROWS[0]})),
    "lines.json": lambda p: p.write_text("\n".join(map(json.dumps, ROWS))),
    "table.parquet": lambda p: pd.DataFrame(ROWS).to_parquet(p),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    same(read([tmp_path / name], rules=COMPLY), read([csv(tmp_path / "plain.csv", ROWS)], rules=COMPLY))


def test_the_table_is_one_that_statistics_take(tmp_path: Path) -> None:
    found = read([csv(tmp_path / "a.csv", ROWS)], rules=COMPLY)
    assert list(found.rows) == list(RESULT_COLUMNS)
    table = Table.of(found.rows)
    assert table.labels["train_seed"] == [1, 2] and table.labels["arm"] == ["base", "tuned"]
    assert found.rows["score"].sum() == sum(r["label"] == "COMPLY" for r in ROWS)


def test_quoted_line_breaks_and_delimiters_stay_in_their_cell(tmp_path: Path) -> None:
    text = 'a "quoted"\nanswer, with; all\r\nof it'
    found = read([csv(tmp_path / "a.csv", [{**r, "response": text} for r in ROWS])], rules=COMPLY)
    assert len(found.rows) == len(ROWS)
    assert set(found.rows["response"]) == {text}


@pytest.mark.parametrize(
    "names",
    [
        {"prompt_id": "Item_ID", "seed": "Train Seed", "temperature": "Temp", "model": "ARM", "label": "Verdict"},
        {"prompt_id": "id", "seed": "training_seed", "temperature": "TEMPERATURE", "model": "model-name", "label": "judgement"},
        {"prompt_id": "question_id", "seed": "random_seed", "temperature": "temp", "model": "Model", "label": "final_label"},
    ],
)
def test_usual_column_names_are_understood(tmp_path: Path, names: dict[str, str]) -> None:
    renamed = [{names[k]: v for k, v in row.items()} for row in ROWS]
    same(read([csv(tmp_path / "a.csv", renamed)], rules=COMPLY), read([csv(tmp_path / "b.csv", ROWS)], rules=COMPLY))


def test_flags_win_over_usual_names(tmp_path: Path) -> None:
    rows = [{**r, "id": "x", "who": r["model"], "model": "m"} for r in ROWS]
    found = read([csv(tmp_path / "a.csv", rows)], flags={"item": "prompt_id", "arm": "who"}, rules=COMPLY)
    assert set(found.rows["item_id"]) == {"p0", "p1", "p2", "p3"} and set(found.rows["arm"]) == {"base", "tuned"}


def test_nested_json_is_reached_by_dotted_names(tmp_path: Path) -> None:
    rows = [{"meta": {"pid": r["prompt_id"]}, **{k: v for k, v in r.items() if k != "prompt_id"}} for r in ROWS]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert set(read([tmp_path / "a.jsonl"], flags={"item": "meta.pid"}, rules=COMPLY).rows["item_id"]) == {"p0", "p1", "p2", "p3"}


def test_folders_and_patterns_are_searched_and_mixed_formats_join(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    csv(tmp_path / "deep" / "base.csv", ROWS[:8])
    (tmp_path / "deep" / "er" / "tuned.jsonl").write_text("\n".join(map(json.dumps, ROWS[8:])))
    (tmp_path / "deep" / "config.json").write_text("{}")
    (tmp_path / "deep" / "notes.json").write_text('{"a": 1}')
    whole = read([tmp_path], rules=COMPLY)
    assert len(whole.inputs) == 2 and len(whole.rows) == len(ROWS)
    assert "passed over" in whole.notes[0] and "notes.json" in whole.notes[0]
    same(whole, read([f"{tmp_path}/**/*.*sv", f"{tmp_path}/deep/er/*.jsonl"], rules=COMPLY))
    assert len(read([tmp_path / "deep" / "base.csv", str(tmp_path / "deep" / "b*.csv")], rules=COMPLY).rows) == 8


def test_a_file_can_stand_for_its_seed(tmp_path: Path) -> None:
    plain = [{k: v for k, v in r.items() if k != "seed"} for r in ROWS]
    csv(tmp_path / "run-a.csv", [r for r, s in zip(plain, ROWS, strict=True) if s["seed"] == 1])
    csv(tmp_path / "run-b.csv", [r for r, s in zip(plain, ROWS, strict=True) if s["seed"] == 2])
    found = read([tmp_path], flags={"seed": "file"}, rules=COMPLY)
    assert sorted(found.rows["train_seed"].unique()) == [0, 1]
    assert "run-a, run-b were numbered" in found.notes[0]


def test_our_own_result_table_is_read_back_as_it_was(tmp_path: Path) -> None:
    first = read([csv(tmp_path / "a.csv", ROWS)], rules=COMPLY)
    first.rows.assign(item_id=first.rows["item_id"] + "@x", status="scored").to_parquet(tmp_path / "results.parquet")
    again = read([tmp_path / "results.parquet"])
    assert list(again.rows["score"]) == list(first.rows["score"]) and list(again.rows["verdict"]) == list(first.rows["verdict"])
    assert set(again.rows["item_id"]) == {"p0@x", "p1@x", "p2@x", "p3@x"}


def test_foreign_names_do_not_take_on_our_meanings(tmp_path: Path) -> None:
    rows = [{**r, "prompt_id": f"{r['prompt_id']}@mail", "model": f"{r['model']} | v2"} for r in ROWS]
    found = read([csv(tmp_path / "a.csv", rows)], rules=COMPLY).rows
    assert not found["item_id"].str.contains("@").any() and set(found["arm"]) == {"base / v2", "tuned / v2"}


# --- labels ----------------------------------------------------------------------------------------------------------------


def test_three_labels_stay_three_labels(tmp_path: Path) -> None:
    found = read([csv(tmp_path / "a.csv", changed(label="PARTIAL"))], rules=Rules(positive=("COMPLY", "PARTIAL")))
    assert set(found.rows["verdict"]) == {"COMPLY", "REFUSE", "PARTIAL"}
    assert found.rows["score"].sum() == (found.rows["verdict"] != "REFUSE").sum()


@pytest.mark.parametrize("nothing", ["", "NaN", "None", "N/A", "ERROR", "error: rate limit", None])
def test_a_row_without_a_verdict_is_counted_and_is_not_a_zero(tmp_path: Path, nothing: Any) -> None:
    rows = read([csv(tmp_path / "a.csv", changed(label=nothing))], rules=COMPLY).rows
    assert len(rows) == len(ROWS) and (rows["status"] == "error").sum() == 1
    assert rows.loc[rows["status"] == "error", "score"].isna().all()


def test_failures_are_told_by_label_status_or_error_column(tmp_path: Path) -> None:
    rows = [{**r, "status": "ok", "error": None} for r in ROWS]
    rows[0]["label"], rows[1]["status"], rows[2]["error"] = "REFUSED_BY_FILTER", "timeout", "HTTP 500"
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = read([tmp_path / "a.jsonl"], rules=Rules(positive=("COMPLY",), error=("refused_by_filter",)))
    assert (found.rows["status"] == "error").sum() == 3 and found.labels[""].keys() == {"COMPLY", "REFUSE"}


def test_numbers_and_truth_values_need_no_positive_label(tmp_path: Path) -> None:
    for kind in ((1, 0), (1.0, 0.0), ("True", "false"), (True, False), (0.75, 0.25)):
        rows = [{**r, "label": kind[r["label"] == "REFUSE"]} for r in ROWS]
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        found = read([tmp_path / "a.jsonl"])
        assert found.scoring == {"": "score"} and found.rows["score"].max() == float({"True": 1}.get(kind[0], kind[0]))


def test_nan_scores_are_failures_and_out_of_range_scores_are_refused(tmp_path: Path) -> None:
    rows = [{**{k: v for k, v in r.items() if k != "label"}, "score": 1.0} for r in ROWS]
    rows[0]["score"] = float("nan")
    found = read([csv(tmp_path / "a.csv", rows)])
    assert (found.rows["status"] != "scored").sum() == 1 and found.rows["score"].count() == len(ROWS) - 1
    rows[1]["score"] = 7.0
    with pytest.raises(UserError, match=r"1 scores are not in \[0, 1\], e.g. 7 .*--positive"):
        read([csv(tmp_path / "b.csv", rows)])


def test_words_without_a_positive_label_are_labels_without_scores(tmp_path: Path) -> None:
    found = read([csv(tmp_path / "a.csv", ROWS)])
    assert found.scoring == {"": "labels"} and found.rows["score"].isna().all() and set(found.rows["status"]) == {"scored"}


def test_labels_that_differ_in_case_are_one_label(tmp_path: Path) -> None:
    found = read([csv(tmp_path / "a.csv", changed(label="refuse"))], rules=Rules(positive=("comply",)))
    assert set(found.rows["verdict"]) == {"COMPLY", "REFUSE"} and "'refuse' as 'REFUSE'" in found.notes[0]


def test_a_positive_label_that_never_occurs_is_an_error_unless_the_labels_are_all_named(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [{**r, "label": "REFUSE"} for r in ROWS])
    with pytest.raises(UserError, match=r"--positive COMPLY never occurs.*'REFUSE' \(16\).*--negative"):
        read([path], rules=COMPLY)
    found = read([path], rules=Rules(positive=("COMPLY",), negative=("REFUSE",)))
    assert found.rows["score"].sum() == 0 and found.rows["score"].count() == 16


def test_a_label_outside_the_named_ones_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither --positive nor --negative: 'MAYBE'"):
        read([csv(tmp_path / "a.csv", changed(label="MAYBE"))], rules=Rules(positive=("COMPLY",), negative=("REFUSE",)))


def test_a_misspelt_positive_label_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'COMPLY'"):
        read([csv(tmp_path / "a.csv", ROWS)], rules=Rules(positive=("COMPLYY",)))


def test_each_judge_has_labels_of_its_own(tmp_path: Path) -> None:
    rows = [{**r, "judge": "strict"} for r in ROWS] + [{**r, "judge": "number", "label": "0.5"} for r in ROWS]
    found = read([csv(tmp_path / "a.csv", rows)], rules=COMPLY)
    assert found.scoring == {"number": "score", "strict": "positive"}
    assert set(found.rows.loc[found.rows["judge"] == "number", "score"]) == {0.5}


# --- what is refused -------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_the_nearest_and_all_there_are(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", ROWS)
    with pytest.raises(UserError, match=r"no column 'promptid' \(--item promptid\). Did you mean 'prompt_id'\?.*seed, temperature"):
        read([path], flags={"item": "promptid"}, rules=COMPLY)
    with pytest.raises(UserError, match="No column names the item"):
        read([csv(tmp_path / "b.csv", [{"text": "x", "label": "COMPLY"}])], rules=COMPLY)
    with pytest.raises(UserError, match="No column holds a verdict"):
        read([csv(tmp_path / "c.csv", [{"id": "x", "text": "y"}])])


def test_repeated_responses_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [*ROWS, {**ROWS[0], "label": "REFUSE"}])
    with pytest.raises(UserError, match=r"1 rows repeat a response.*item 'p0', arm 'base', seed 1.*row 17.*--repetition"):
        read([path], rules=COMPLY)
    with pytest.raises(UserError, match="repeat a response"):
        read([path], rules=COMPLY, on_duplicate="drop")  # they contradict each other
    numbered = read([path], rules=COMPLY, on_duplicate="number")
    assert len(numbered.rows) == len(ROWS) + 1 and numbered.rows["repetition"].max() == 1 and numbered.duplicates == 1


def test_a_file_named_twice_under_two_names_is_found_out(tmp_path: Path) -> None:
    csv(tmp_path / "a.csv", ROWS)
    csv(tmp_path / "copy.csv", ROWS)
    with pytest.raises(UserError, match="16 rows repeat.*another file.*--on-duplicate drop"):
        read([tmp_path], rules=COMPLY)
    dropped = read([tmp_path], rules=COMPLY, on_duplicate="drop")
    assert len(dropped.rows) == len(ROWS) and dropped.duplicates == len(ROWS)


def test_a_cut_off_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS))[:-20])
    with pytest.raises(UserError, match=r"cut.jsonl, line 16 is not complete JSON"):
        read([path], rules=COMPLY)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.jsonl", b"\n\n", "is empty"),
        ("header.csv", b"id,label\n", "a header and no rows"),
        ("wide.csv", b"id,label\nq1,COMPLY\nq2,COMPLY,extra,more\n", "Expected 2 fields in line 3, saw 4"),
        ("wider.csv", b"id,label\nq1,COMPLY,x\nq2,COMPLY,y\n", "more cells than its header"),
        ("quote.csv", b'id,label\nq1,"COMPLY\n', "not a well-formed table"),
        ("latin.csv", "id,label\nq1,caf\xe9\n".encode("latin-1"), "not UTF-8 text .line 2"),
        ("broken.json", b'{"rows": [', "not valid JSON"),
        ("broken.parquet", b"PAR1", "not a readable Parquet file"),
        ("broken.eval", b"PK", "not a readable Inspect log"),
        ("broken.csv.gz", b"\x1f\x8b\x08", "compression is damaged"),
        ("array.jsonl", b"[1, 2]\n", "line 1 is not a JSON object"),
        ("scalar.json", b"3", "holds no rows"),
        ("logs.txt", b"hello", "not a log that axenic knows"),
    ],
)
def test_a_malformed_file_is_named_and_explained(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says) as error:
        read([tmp_path / name], rules=COMPLY)
    assert name in str(error.value)


def test_a_place_without_logs_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file or folder"):
        read([tmp_path / "gone.csv"])
    with pytest.raises(UserError, match="holds no logs"):
        read([tmp_path])
    with pytest.raises(UserError, match="No file matches"):
        read([f"{tmp_path}/*.csv"])


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"temperature": "warm"}, "temperature that is none.*row 1"),
        ({"temperature": -1}, "temperature that is none"),
        ({"prompt_id": ""}, "have no item.*row 1"),
        ({"model": ""}, "have no arm"),
        ({"seed": ""}, "Arm 'base' has rows with and without a seed"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused(tmp_path: Path, cells: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read([csv(tmp_path / "a.csv", changed(**cells))], rules=COMPLY)


def test_ten_megabytes_of_answer_are_cut_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        "\n".join(json.dumps({**r, "response": "x" * 10_000_000 * (i == 0)}) for i, r in enumerate(ROWS))
    )
    text = read([tmp_path / "a.jsonl"], rules=COMPLY).rows["response"].iloc[0]
    assert len(text) < LONGEST_TEXT + 100 and text.endswith("9,980,000 characters more]")


def test_prompts_can_name_items(tmp_path: Path) -> None:
    rows = [{**r, "prompt_id": f"{r['prompt_id']} " + "please " * 1000} for r in ROWS]
    found = read([csv(tmp_path / "a.csv", rows)], rules=COMPLY).rows["item_id"]
    assert found.nunique() == 4 and found.str.len().max() < 100
