"""Promises of reading other people's files: every row is read or named, and a file cut off is not taken for a whole one."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from axenic.errors import UserError
from axenic.rowfiles import is_hub_id, read_rows

ROWS = [{"a": "one", "b": "1"}, {"a": 'two, "quoted"\nand on', "b": "2"}]


def test_every_form_gives_the_same_rows(tmp_path):
    (tmp_path / "t.csv").write_text('\ufeffa,b\none,1\n"two, ""quoted""\nand on",2\n', encoding="utf-8")
    (tmp_path / "t.tsv").write_text('a\tb\none\t1\n"two, ""quoted""\nand on"\t2\n', encoding="utf-8")
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    (tmp_path / "t.json").write_text(json.dumps(ROWS, indent=1))
    (tmp_path / "wrapped.json").write_text(json.dumps({"version": 2, "data": ROWS}, indent=1))
    (tmp_path / "lines.json").write_text("\n".join(map(json.dumps, ROWS)))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "t.parquet")
    for name in ("t.csv", "t.tsv", "t.jsonl", "t.json", "wrapped.json", "lines.json", "t.parquet"):
        found = read_rows(tmp_path / name)
        assert [dict(r) for r in found.rows] == ROWS, name
        assert found.columns == ("a", "b") and not found.problems


def test_places_are_lines_of_the_file_even_where_fields_span_lines(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n"x\ny",1\nz,2\nonly\nw,3\n')
    found = read_rows(tmp_path / "t.csv")
    assert found.places == ("line 2", "line 4", "line 6")
    assert [(p.place, p.reason) for p in found.problems] == [("line 5", "1 fields where the header names 2")]
    with pytest.raises(UserError, match="line 5: 1 fields"):
        found.require_whole()


def test_a_broken_line_is_named_and_a_cut_last_line_is_an_error(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text('{"a": 1}\n{"a": \n[1]\n{"a": 4}\n')
    found = read_rows(file)
    assert [p.place for p in found.problems] == ["line 2", "line 3"] and len(found.rows) == 2
    file.write_text('{"a": 1}\n{"a": "cut of')
    with pytest.raises(UserError, match="line 2: the last line is not valid JSON .* probably cut off"):
        read_rows(file)
    (tmp_path / "t.json").write_text('[{"a": 1}, {"a": ')
    with pytest.raises(UserError, match="may have been cut off"):
        read_rows(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "holds no rows"),
        ("t.csv", b"a,b\n", "holds no rows"),
        ("t.csv", b"a,a\n1,2\n", "'a' appears twice in the header"),
        ("t.csv", b'a,b\n"open,2\n', "may be unpaired, or the file cut off"),
        ("t.csv", b"a\n\xff\xfe\n", "not UTF-8 text"),
        ("t.jsonl", b"[1]\n", "holds no rows .*line 1: a row must be an object"),
        ("t.xlsx", b"PK", "must end in one of .csv"),
        ("t.parquet", b"PAR1", "not readable Parquet"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_rows(tmp_path / name)


def test_a_field_of_ten_megabytes_is_read_whole(tmp_path):
    (tmp_path / "t.csv").write_text("a\n" + "x" * 10_000_000 + "\n")
    assert len(read_rows(tmp_path / "t.csv").rows[0]["a"]) == 10_000_000


def test_a_folder_from_the_hub_is_read_as_the_hub_would_be(tmp_path, capfd, monkeypatch):
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    assert [dict(r) for r in read_rows(folder).rows] == ROWS
    assert capfd.readouterr() == ("", "")


def test_only_names_that_can_be_nothing_else_are_hub_ids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "data").mkdir()
    assert is_hub_id("org/name-1.0")
    assert not any(map(is_hub_id, ("here/data", "data/file.csv", "name", "a/b/c", "./a/b", "/a/b")))
