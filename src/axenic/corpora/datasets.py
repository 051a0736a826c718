"""Fine-tuning data of other people: Dolly, Alpaca, GSM8K, conversations, or any table with columns named by the user.

In: a file (JSON, JSONL, CSV, Parquet) or a hub id, and its format. Out: a `Corpus` of chats with provenance, and an account of
every row that could not be used. Fraser et al. 2025 fine-tune on Dolly and Alpaca (PROTOCOLS 4).
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from axenic.errors import UserError, unknown_name
from axenic.rowfiles import Problem, Table, is_hub_id, listed, read_rows
from axenic.schema import Chat, Corpus, Message, Noun, Provenance, chat

Format = Literal["auto", "dolly", "alpaca", "gsm8k", "messages", "columns"]
_CALCULATOR = re.compile(r"<<[^<>]*>>")


class DataSource(Noun):
    """Where fine-tuning data comes from, and how its rows become chats."""

    source: str = Field(min_length=1)  # a file, or a hub id such as "databricks/databricks-dolly-15k"
    format: Format = "auto"  # "auto" tells it by the columns
    prompt: str = ""  # with "columns": the column of the user's turn,
    context: str = ""  # … of a text that follows it after an empty line (may be empty in a row),
    response: str = ""  # … of the assistant's turn,
    system: str = ""  # … and of a system message
    calculator_marks: bool = True  # GSM8K: keep its <<48/2=24>>
    split: str = "train"  # of a hub data set
    limit: int | None = Field(None, ge=1)  # draw this many rows, by seed

    @model_validator(mode="after")
    def _columns_are_named(self) -> "DataSource":
        named = [c for c in (self.prompt, self.context, self.response, self.system) if c]
        if self.format == "columns" and not (self.prompt and self.response):
            raise ValueError("format 'columns' needs 'prompt' and 'response', the columns of the two turns")
        if named and self.format != "columns":
            raise ValueError(f"columns are named ({', '.join(named)}), which only format 'columns' reads")
        return self

    def files(self) -> list[Path]:
        """The local file (or folder) that it is read from: its content is identity. None for a hub id."""
        return [] if is_hub_id(self.source) else [Path(self.source)]


@dataclass(frozen=True)
class Loaded:
    """A corpus, and what was left out of it."""

    corpus: Corpus
    format: str
    rows: int  # in the source, malformed ones included
    malformed: tuple[Problem, ...]

    def account(self) -> dict[str, Any]:
        """The account as plain data; at most 100 malformed rows are named, all are counted."""
        named = [{"place": p.place, "reason": p.reason} for p in self.malformed[:100]]
        return {
            "source": self.corpus.name,
            "format": self.format,
            "rows": self.rows,
            "used": len(self.corpus),
            "malformed": len(self.malformed),
            "malformed_rows": named,
        }


class _Unusable(Exception):
    """A row that is no conversation; says why."""


Row = Mapping[str, Any]
Convert = Callable[[Row, DataSource], Chat]


def load(data: DataSource, *, name: str = "", seed: int = 0) -> Loaded:
    """Read fine-tuning data.

    Args:
        data: Which, and in which format.
        name: What to call the corpus and its rows' source; by default the file's name.
        seed: Draws the rows where `data.limit` asks for fewer than there are; they keep their order.

    Raises:
        UserError: The source cannot be read, is of no known format, lacks a column, has no usable row, or too few for `limit`.
    """
    table = read_rows(data.source, what="data", split=data.split)
    form = _format(data, table)
    label = name or Path(data.source).stem
    rows: list[Chat] = []
    problems = list(table.problems)
    for row, place in zip(table.rows, table.places, strict=True):
        try:
            rows.append(_named(_CONVERT[form](row, data), label))
        except _Unusable as error:
            problems.append(Problem(place, str(error)))
    problems.sort(key=lambda p: int(p.place.split()[-1]))
    if not rows:
        raise UserError(f"{data.source}: no row can be used as {form!r} data ({listed(problems)}).")
    if data.limit is not None:
        rows = _draw(rows, data.limit, source=data.source, seed=seed)
    return Loaded(Corpus(name=label, rows=tuple(rows)), form, len(table.rows) + len(table.problems), tuple(problems))


def _draw(rows: list[Chat], n: int, *, source: str, seed: int) -> list[Chat]:
    if n > len(rows):
        raise UserError(f"{source} has {len(rows)} usable rows, but limit={n} asks for more.")
    chosen = random.Random(f"dataset {seed}").sample(range(len(rows)), n)
    return [rows[i] for i in sorted(chosen)]


def _format(data: DataSource, table: Table) -> str:
    """The format, checked against the columns."""
    columns = set(table.columns)
    if data.format == "columns":
        for column in filter(None, (data.prompt, data.context, data.response, data.system)):
            if column not in columns:
                raise unknown_name(f"column of {data.source}", column, columns)
        return "columns"
    if data.format != "auto":
        missing = COLUMNS[data.format] - columns
        if missing:
            raise UserError(
                f"{data.source} is not in the format {data.format!r}: it lacks {', '.join(sorted(missing))}. "
                f"It has: {', '.join(table.columns)}."
            )
        return data.format
    fitting = [form for form, needed in COLUMNS.items() if needed <= columns]
    if not fitting:
        known = "; ".join(f"{form} ({', '.join(sorted(needed))})" for form, needed in COLUMNS.items())
        raise UserError(
            f"The format of {data.source} cannot be told from its columns: {', '.join(table.columns)}. Known: {known}. "
            "Name the columns: format: columns, prompt: COLUMN, response: COLUMN."
        )
    return fitting[0]


def _named(made: Chat, source: str) -> Chat:
    return made.model_copy(update={"provenance": made.provenance.model_copy(update={"source": source})})


def _cell(row: Row, column: str, *, needed: bool = True) -> str:
    value = row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        if needed:
            raise _Unusable(f"{column!r} is {'missing' if column not in row else 'empty'}")
        return ""
    if not isinstance(value, str):
        raise _Unusable(f"{column!r} is not text but a {type(value).__name__}")
    return value.strip()


def _turns(row: Row, prompt: str, context: str, response: str, *, system: str = "", kind: str = "") -> Chat:
    asked = [_cell(row, prompt), _cell(row, context, needed=False) if context else ""]
    return chat(
        "\n\n".join(part for part in asked if part),
        _cell(row, response),
        system=_cell(row, system, needed=False) if system else "",
        provenance=Provenance(doc_type=_cell(row, kind, needed=False) or None if kind else None),
    )


def _dolly(row: Row, data: DataSource) -> Chat:
    return _turns(row, "instruction", "context", "response", kind="category")


def _alpaca(row: Row, data: DataSource) -> Chat:
    return _turns(row, "instruction", "input", "output")


def _gsm8k(row: Row, data: DataSource) -> Chat:
    answer = _cell(row, "answer")
    kept = answer if data.calculator_marks else _CALCULATOR.sub("", answer)
    return chat(_cell(row, "question"), kept)


def _messages(row: Row, data: DataSource) -> Chat:
    given = row.get("messages")
    if not isinstance(given, list):
        raise _Unusable("'messages' is not a list of turns")
    try:
        turns = tuple(Message(role=m["role"], content=m["content"]) for m in given)
        made = Chat(messages=turns)
    except (ValidationError, KeyError, TypeError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "every turn needs 'role' and 'content'"
        raise _Unusable(f"'messages' is no conversation ({reason})") from None
    if turns[-1].role != "assistant" or not turns[-1].content.strip():
        raise _Unusable("the conversation does not end with an answer")
    return made


def _columns(row: Row, data: DataSource) -> Chat:
    return _turns(row, data.prompt, data.context, data.response, system=data.system)


COLUMNS: dict[str, frozenset[str]] = {
    "dolly": frozenset({"instruction", "context", "response"}),
    "alpaca": frozenset({"instruction", "input", "output"}),
    "gsm8k": frozenset({"question", "answer"}),
    "messages": frozenset({"messages"}),
}
"""The columns by which a format is known."""

_CONVERT: dict[str, Convert] = {
    "dolly": _dolly, "alpaca": _alpaca, "gsm8k": _gsm8k, "messages": _messages, "columns": _columns,
}  # fmt: skip
