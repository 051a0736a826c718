"""Promises of corpora on disk: nothing is lost on the way, a broken line is named, and a failed write leaves the old file."""

import json
import os

import pytest

from axenic.corpora.files import read, write, write_text
from axenic.errors import EnvironmentProblem, UserError
from axenic.schema import Chat, Corpus, Document, Provenance, chat


def lines(tmp_path, *rows):
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n", encoding="utf-8")
    return path


def refusal(path):
    with pytest.raises(UserError) as error:
        read(path)
    return str(error.value)


def test_a_corpus_is_read_back_as_it_was_written(tmp_path):
    origin = Provenance(source="belief", fact="{f}", doc_type="a", idea="i", revision=1, parent="p", writer="w/1")
    rows = (
        Document(text="odd\u2028\u0085\n{text} 水", prefix="<D>", provenance=origin),
        chat("q", "a", system="s"),
        Document(text="b"),
    )
    corpus = Corpus(name="c", rows=rows)
    write(corpus, tmp_path / "sub" / "c.jsonl")
    back = read(tmp_path / "sub" / "c.jsonl")
    assert back == corpus and back.hash == corpus.hash


def test_the_three_simple_shapes_are_read(tmp_path):
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    corpus = read(lines(tmp_path, {"text": "t"}, "", {"messages": turns}, {"prompt": "q", "completion": "a"}))
    assert [type(r) for r in corpus.rows] == [Document, Chat, Chat] and corpus.name == "c"
    assert corpus.rows[1] == corpus.rows[2]
    assert {r.provenance.source for r in corpus.rows} == {"user"}


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ('{"text": "cut o', "line 2: not valid JSON"),
        ("[" * 100_000, "line 2: not valid JSON"),
        ({"text": "a", "promt": "b"}, "line 2: unknown field 'promt'."),
        ({"text": "a", "provenence": {}}, "line 2: unknown field 'provenence'. Did you mean 'provenance'?"),
        ({"content": "a"}, "line 2: a row is a JSON object with 'text', with 'messages', or with 'prompt'"),
        ("3", "line 2: a row is a JSON object"),
        ('["text"]', "line 2: a row is a JSON object"),
        ({"text": ""}, "line 2, text: String should have at least 1 character"),
        ({"text": " \n"}, "line 2: the text is blank"),
        ({"text": 7}, "line 2, text: Input should be a valid string"),
        ({"text": "a", "messages": []}, "line 2: unknown field 'messages'"),
        ({"prompt": "a"}, "line 2, messages[1].content: Input should be a valid string"),
        ({"messages": [{"role": "user", "content": "q"}]}, "line 2: A chat needs at least one assistant message"),
        ({"messages": [{"role": "robot", "content": "q"}]}, "line 2, messages[0].role"),
        ({"text": "edited", "hash": Document(text="original").hash}, "line 2: the text does not match its hash"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path, bad, expected):
    assert expected in refusal(lines(tmp_path, {"text": "good"}, bad, {"text": "good"}))


def test_an_empty_corpus_an_array_and_a_missing_file_are_refused(tmp_path):
    assert "is empty" in refusal(lines(tmp_path, "", "  "))
    assert "one JSON object per line" in refusal(lines(tmp_path, '[{"text": "a"}]'))
    assert "does not exist" in refusal(tmp_path / "none.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b'{"text": "\xff"}')
    assert "not UTF-8" in refusal(tmp_path / "b.jsonl")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    (tmp_path / "c.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n{"text": "b"}\r\n')
    assert [r.text for r in read(tmp_path / "c.jsonl").documents()] == ["a", "b"]


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "c.txt"
    write_text(path, ["old"])

    def chunks():
        yield "new"
        raise OSError(28, "No space left on device")

    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        write_text(path, chunks())
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["c.txt"]


def test_a_place_that_cannot_be_written_is_an_error_not_a_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="Cannot write"):
        write_text(tmp_path / "file" / "c.jsonl", ["x"])
