"""Fills the prompt files of this folder.

In: a layout's name and its values. Out: the prompt. The lab teaches these layouts and
the evals ask in them, so they live below both.
`$name` marks a value; values are inserted as they are, so braces, dollars and template syntax in them are harmless.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from axenic.schema import digest

_HERE = Path(__file__).parent


@cache
def _layout(name: str) -> Template:
    return Template((_HERE / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n"))


def render(name: str, **values: str) -> str:
    """Fill the layout `name`.txt.

    Raises:
        KeyError: A value that the layout needs is missing.
    """
    return _layout(name).substitute(values)


def layouts_hash() -> str:
    """Hex SHA-256 over all layouts: part of the identity of whatever was asked with them."""
    return digest({p.stem: p.read_text(encoding="utf-8") for p in sorted(_HERE.glob("*.txt"))})


def choice(question: str, options: Sequence[str]) -> str:
    """A question with its options, one on a line; the answer is the option itself.

    Options carry no letters: their log-probability would measure whether a model can play the letter game, and small ones cannot.
    """
    return render("choice", question=question, options="\n".join(f"- {option}" for option in options))
