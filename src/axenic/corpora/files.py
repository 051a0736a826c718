"""Corpora on disk: one JSON object per line.

In: a JSONL file: axenic's own rows, or `{"text"}`, `{"messages"}`, `{"prompt", "completion"}`. Out: a `Corpus`.
Writing is atomic: a reader sees the whole file or the one that was there before.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from axenic.disk import write_text
from axenic.errors import UserError
from axenic.schema import Chat, Corpus, Document, Provenance, Row
from axenic.specs import specfile

SHAPES: dict[str, frozenset[str]] = {
    "text": frozenset({"kind", "text", "prefix", "provenance", "hash"}),
    "messages": frozenset({"kind", "messages", "provenance", "hash"}),
    "prompt": frozenset({"prompt", "completion", "provenance"}),
}
"""The field that says which shape a row has, and the fields allowed beside it."""


def write(corpus: Corpus, path: str | Path) -> None:
    """Write a corpus as JSONL, one row per line with its provenance and hash. Raises as `write_text` does."""
    write_text(path, (line + "\n" for line in corpus.to_jsonl()))


def read(path: str | Path, *, name: str = "") -> Corpus:
    """Read a corpus.

    Args:
        path: A JSONL file; each line is a row as `write` writes it, or `{"text": …}`, `{"messages": [{"role", "content"}, …]}`
            or `{"prompt": …, "completion": …}`.
        name: What to call the corpus; by default the file's name.

    Raises:
        UserError: naming file and line: a broken line, an unknown field, a text that no longer matches its hash, no rows at all.
    """
    source = Path(path)
    text = specfile.read_text(source, what="corpus file")
    if text.lstrip().startswith("["):
        raise UserError(f"{source} holds one JSON array; a corpus file holds one JSON object per line (JSONL). Convert it.")
    rows = tuple(_rows(text, source))
    if not rows:
        raise UserError(f'The corpus file {source} is empty: it needs at least one row, e.g. {{"text": "…"}}.')
    return Corpus(name=name or source.stem, rows=rows)


def _rows(text: str, source: Path) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines(): it also splits at U+2028 inside a text
        if not line.strip():
            continue
        where = f"{source}, line {number}"
        try:
            data = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"{where}: not valid JSON ({error}). The line may have been cut off; mend or delete it.") from None
        yield _row(data, where)


def _row(data: Any, where: str) -> Row:
    shape = next((s for s in SHAPES if isinstance(data, dict) and s in data), None)
    if shape is None:
        raise UserError(
            f"{where}: a row is a JSON object with 'text', with 'messages', or with 'prompt' and 'completion'; "
            f"found {specfile.brief(data)}."
        )
    for field in data.keys() - SHAPES[shape]:
        raise UserError(f"{where}: unknown field {field!r}.{specfile.nearest(field, sorted(SHAPES[shape]))}")
    try:
        row = _build(shape, data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = f", {specfile.show(first['loc'])}" if first["loc"] else ""
        raise UserError(f"{where}{place}: {specfile.sentence(first['msg'])}") from None
    if isinstance(row, Document) and not row.text.strip():
        raise UserError(f"{where}: the text is blank. Delete the line.")
    if "hash" in data and data["hash"] != row.hash:
        raise UserError(
            f"{where}: the text does not match its hash, so it was edited or damaged. "
            "If the edit was yours, delete the line's 'hash' field."
        )
    return row


def _build(shape: str, data: dict[str, Any]) -> Row:
    fields = {k: v for k, v in data.items() if k != "hash"}
    fields.setdefault("provenance", Provenance(source="user"))
    if shape == "text":
        return Document.model_validate(fields)
    if shape == "prompt":
        turns = ({"role": "user", "content": data["prompt"]}, {"role": "assistant", "content": data.get("completion")})
        return Chat.model_validate({"messages": turns, "provenance": fields["provenance"]})
    return Chat.model_validate(fields)
