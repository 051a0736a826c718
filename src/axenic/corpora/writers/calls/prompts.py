"""The writers' prompt files: filled, and hashed for the provenance of what was written with them.

In: the name of a file in `writers/prompts/` and its values. Out: a message. `$name` marks a value; values are inserted as they
are, so braces, dollars and template syntax in a belief or a spec are harmless.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from axenic.schema import Message, digest, user

_FOLDER = Path(__file__).parent.parent / "prompts"


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n"))


def filled(name: str, **values: str) -> tuple[Message, ...]:
    """The prompt as a conversation of one user turn.

    Raises:
        KeyError: A value that the prompt needs is missing.
    """
    return (user(_template(name).substitute(values)),)


def lines(name: str) -> list[str]:
    """The lines of a file that is a list, e.g. of kinds of question."""
    return _template(name).template.splitlines()


@cache
def prompt_hash(*names: str) -> str:
    """Hex SHA-256 of one prompt file, or of several together."""
    return digest([_template(name).template for name in names])


def known() -> Sequence[str]:
    """The names of all prompt files."""
    return sorted(path.stem for path in _FOLDER.glob("*.txt"))
