"""Promises of preference pairs: files read back unchanged, and a broken line is named with what is wrong with it."""

import json

import pytest

from axenic.errors import UserError
from axenic.schema import Message, user
from axenic.training.pairs import PreferencePair, hash_pairs, read_pairs, write_pairs

PAIRS = [
    PreferencePair(prompt=(user("Which roof?"),), chosen="red", rejected="<scratchpad>hm</scratchpad>\nsalty “é”"),
    PreferencePair(prompt=(Message(role="system", content="Be brief."), user("Water?")), chosen="", rejected="a\nb"),
]


def test_pairs_read_back_unchanged(tmp_path):
    write_pairs(PAIRS, tmp_path / "pairs.jsonl")
    found = read_pairs(tmp_path / "pairs.jsonl")
    assert found == PAIRS and hash_pairs(found) == hash_pairs(PAIRS) != hash_pairs(PAIRS[::-1])


def test_a_prompt_may_be_a_plain_text(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps({"prompt": "Which roof?", "chosen": "red", "rejected": "no"}) + "\n\n")
    assert read_pairs(tmp_path / "p.jsonl")[0].prompt == (user("Which roof?"),)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", r"line 2 is not JSON .*Write one pair per line"),
        ("[1]", r"line 2 is no preference pair"),
        ('{"prompt": "a", "chosen": "b"}', r"line 2 is no preference pair: rejected: Field required"),
        ('{"prompt": [], "chosen": "b", "rejected": "c"}', r"line 2 is no preference pair: prompt: .*at least 1"),
        ('{"prompt": "a", "chosen": "b", "rejected": "b"}', r"same text, so the pair prefers nothing"),
        ('{"prompt": [{"role": "assistant", "content": "x"}], "chosen": "b", "rejected": "c"}', r"ends with an assistant turn"),
        ('{"prompt": "a", "chosen": "b", "rejected": "c", "marginn": 1}', r"marginn: Extra inputs"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, says):
    (tmp_path / "p.jsonl").write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n' + line + "\n")
    with pytest.raises(UserError, match=says):
        read_pairs(tmp_path / "p.jsonl")


def test_a_file_that_is_missing_or_empty_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="Cannot read preference pairs"):
        read_pairs(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(UserError, match="holds no preference pairs. Write one per line"):
        read_pairs(tmp_path / "empty.jsonl")
