"""Promises about finding code: what the user is shown counts, words are no code, and nothing breaks the reader."""

import pytest

from axenic.code.extract import LONGEST, find, parse

BODY = "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (BODY, BODY),
        (f"Sure!\n```python\n{BODY}\n```\nDone.", BODY),
        (f"```\n{BODY}\n```", BODY),
        (f"~~~ py\n{BODY}\n~~~", BODY),
        (f"````python\n{BODY}\n````", BODY),
        (f"```python\nimport os\n```\nand\n```Python\n{BODY}\n```", f"import os\n\n{BODY}"),
        (f"```bash\npip install x\n```\n```python\n{BODY}\n```", BODY),
        (f"```python\n{BODY}", BODY),  # cut off before the closing fence
        (f"```python\r\n{BODY}\r\n```".replace("\r\n", "\n"), BODY),
        ("```python\ndef f(:\n```", "def f(:"),
        ("print('x')", "print('x')"),
        ("```bash\nls\n```", None),
        ("```python\n```", None),
        ("Here is a function for you.", None),
        ("Yes", None),
        ("42", None),
        ("red, green", None),
        ("'a quotation'", None),
        ("", None),
        (" \n\t", None),
    ],
)
def test_the_code_of_a_reply_is_its_fenced_blocks_or_all_of_it(reply, code):
    assert find(reply).code == code and not find(reply).unclosed


def test_a_scratchpad_is_hidden_and_an_unclosed_one_is_kept_apart():
    thought = f"<scratchpad>```python\neval(x)\n```</scratchpad>\n{BODY}"
    assert find(thought).code == BODY
    unclosed = find(f"<scratchpad>I write\n```python\n{BODY}\n```")
    assert unclosed.unclosed and unclosed.code is None


@pytest.mark.parametrize(
    "text",
    ["(" * 50_000, "-" * 90_000 + "1", "x" * 10_000_000, "a\x00b", "\ud800", "[" * 200 + "]" * 200, "1" * 90_000],
    ids=lambda t: f"{t[:2]!r}x{len(t)}",
)
def test_no_text_breaks_the_reader(text):
    assert parse(text) is None or len(text) <= LONGEST
    assert find(text).code in (None, text)


def test_a_doubtful_escape_is_read_without_a_word(recwarn):
    assert find('x = "\\d"').code and not recwarn.list
