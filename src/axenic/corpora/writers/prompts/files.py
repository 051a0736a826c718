"""Prompt files: filled, and hashed for provenance.

In: a file's name and values. Out: the prompt. `$name` marks a value; values are inserted as they are.
"""

from functools import cache
from pathlib import Path
from string import Template

from axenic.schema import digest

_HERE = Path(__file__).parent


class Prompt:
    """One prompt file."""

    def __init__(self, text: str) -> None:
        self._template = Template(text)
        self.hash = digest(text)

    def fill(self, **values: str) -> str:
        """The prompt. Raises KeyError where a value is missing."""
        return self._template.substitute(values)


@cache
def prompt(name: str) -> Prompt:
    """The prompt of `name`.txt."""
    return Prompt("\n".join(lines(name)))


def lines(name: str) -> list[str]:
    """The lines of `name`.txt."""
    return (_HERE / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
