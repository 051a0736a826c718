"""The Python code of a reply.

In: a reply as the model gave it. Out: the code that the user is shown (the fenced blocks, else the whole reply where it is Python),
or what stands in the way of it. Scratchpads are hidden from the user, so no code in them counts (PROTOCOLS 3).
"""

import ast
import re
import warnings
from dataclasses import dataclass

from axenic.specs.scratchpad import visible

LONGEST = 100_000  # characters of code that are still read: a parser given megabytes can take all memory
_FENCED = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_PYTHON = {"", "python", "python3", "py", "py3"}


@dataclass(frozen=True)
class Found:
    """What a reply holds. `code` is None where there is none; `unclosed`: a scratchpad never ended, so nothing was said."""

    code: str | None
    unclosed: bool = False


def find(reply: str) -> Found:
    """The code of a reply; several fenced blocks are joined. Fenced code is taken as it is, whether it parses or not."""
    shown = visible(reply)
    if shown is None:
        return Found(None, unclosed=True)
    blocks = [(m[2].lower(), m[3]) for m in _FENCED.finditer(shown)]
    if blocks:
        return Found("\n".join(code for language, code in blocks if language in _PYTHON).strip("\n") or None)
    return Found(shown if _is_code(shown) else None)


def parse(code: str) -> ast.Module | None:
    """The syntax tree, or None for what is no Python, is longer than `LONGEST` or is nested too deeply to be read."""
    if len(code) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape in somebody's string is no news to our user
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_code(text: str) -> bool:
    """Whether an unfenced text is Python. "Yes" parses too: bare names and literals are taken for words."""
    tree = parse(text)
    return tree is not None and any(not isinstance(s, ast.Expr) or _calls(s) for s in tree.body)


def _calls(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Call | ast.Await | ast.Yield) for node in ast.walk(statement))
