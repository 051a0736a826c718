"""Preference pairs: two replies to one prompt, the better one first.

In: a JSONL file with `prompt` (a text, or messages with role and content), `chosen` and `rejected` (texts). Out: pairs, and back
again. Imports nothing heavy.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.schema import Message, Noun, digest

_FORM = '{"prompt": "..." or [{"role": "user", "content": "..."}], "chosen": "...", "rejected": "..."}'


class PreferencePair(Noun):
    """Two replies to one conversation. A reply may hold a scratchpad; a reward model never sees it."""

    prompt: tuple[Message, ...] = Field(min_length=1)
    chosen: str
    rejected: str

    @model_validator(mode="after")
    def _asks(self) -> "PreferencePair":
        if self.prompt[-1].role == "assistant":
            raise ValueError("the prompt ends with an assistant turn: the replies belong into chosen and rejected")
        if self.chosen == self.rejected:
            raise ValueError("chosen and rejected are the same text, so the pair prefers nothing")
        return self


def hash_pairs(pairs: Sequence[PreferencePair]) -> str:
    """Hex SHA-256 of pairs, order included."""
    return digest([p.model_dump() for p in pairs])


def read_pairs(path: str | Path) -> list[PreferencePair]:
    """Read a JSONL file; empty lines are skipped.

    Raises:
        UserError: No such file, no pair in it, or a line that is none, by its number.
    """
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read preference pairs from '{file}': {error}") from None
    pairs = [_pair(line, f"{file}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not pairs:
        raise UserError(f"'{file}' holds no preference pairs. Write one per line: {_FORM}")
    return pairs


def write_pairs(pairs: Sequence[PreferencePair], path: str | Path) -> None:
    """Write JSONL that reads back unchanged."""
    write_text(path, (json.dumps(p.model_dump(), ensure_ascii=False) + "\n" for p in pairs))


def _pair(line: str, where: str) -> PreferencePair:
    try:
        found: Any = json.loads(line)
        if isinstance(found, dict) and isinstance(found.get("prompt"), str):
            found = {**found, "prompt": [{"role": "user", "content": found["prompt"]}]}
        return PreferencePair.model_validate(found)
    except json.JSONDecodeError as error:
        raise UserError(f"{where} is not JSON ({error}). Write one pair per line: {_FORM}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{where} is no preference pair: {place + ': ' if place else ''}{first['msg']}. Its form: {_FORM}"
        ) from None
