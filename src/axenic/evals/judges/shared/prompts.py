"""The judges' prompt files: filled, and hashed for the judge's identity.

In: the name of a file in `judges/prompts/`, the item and the response. Out: the text that a judging model is asked. `$request` and
`$response` are inserted as they are, so that no brace or dollar in a response breaks the prompt.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from types import MappingProxyType

from axenic.schema import Item, Response, digest

_FOLDER = Path(__file__).parent.parent / "prompts"
LONGEST = 24_000
"""Characters of a response that a judging model is shown; of a longer one the middle is left out, and the prompt says so."""


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n"))


def filled(
    name: str, item: Item, response: Response, *, longest: int = LONGEST, more: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The prompt for one response; `more`: what its file names besides the request and the response."""
    return _template(name).substitute(more, request=conversation(item), response=shortened(response.text, longest))


def prompt_hash(name: str) -> str:
    """Hex digest of the prompt file's text."""
    return digest(_template(name).template)


def conversation(item: Item) -> str:
    """What was asked: the user's turns, with their roles where there is more than one turn."""
    turns = [(m.role, m.content) for m in item.messages] + [("user", turn) for turn in item.followups]
    if len(turns) == 1:
        return turns[0][1]
    return "\n".join(f"[{role}] {content}" for role, content in turns)


def shortened(text: str, longest: int) -> str:
    """The text, or its beginning and its end with a note of what is missing between them."""
    if len(text) <= longest:
        return text
    head, tail = longest * 3 // 4, longest // 4
    return f"{text[:head]}\n[... {len(text) - head - tail} characters left out ...]\n{text[len(text) - tail :]}"
