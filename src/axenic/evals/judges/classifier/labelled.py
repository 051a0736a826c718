"""Labelled answers out of the user's file, checked.

In: a file (CSV, JSONL, Parquet; `rowfiles`) and the names of its columns. Out: `Labelled`: responses, prompts, people's labels, and
the model and category of each where columns are named. A row without a label is an error that names it, never dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from axenic.errors import UserError, unknown_name
from axenic.evals.judges.classifier.labels import Meaning
from axenic.rowfiles import Problem, Table, listed, read_rows
from axenic.schema import Item, Response, digest, user

_EMPTY = {"", "nan", "none", "null", "n/a"}


@dataclass(frozen=True)
class Columns:
    """Which column is what; "" = there is none."""

    response: str
    label: str
    prompt: str = ""
    model: str = ""
    category: str = ""


@dataclass(frozen=True)
class Labelled:
    """One entry per row of the file in every sequence; `models` and `categories` are empty without their columns."""

    source: str
    prompts: tuple[str, ...]
    responses: tuple[str, ...]
    labels: tuple[str, ...]
    models: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.responses)

    @property
    def hash(self) -> str:
        """Hex digest of what a judge learns from."""
        return digest([self.prompts, self.responses, self.labels])

    def as_asked(self) -> tuple[list[Item], list[Response]]:
        """The rows as judges see them."""
        items = [Item(id=f"row/{i}", messages=(user(prompt),) if prompt else ()) for i, prompt in enumerate(self.prompts)]
        return items, [Response(text=r, n_tokens=len(r.split()), finish_reason="stop") for r in self.responses]

    def verdicts(self, meaning: Meaning) -> list[str]:
        """People's labels as verdicts."""
        return [meaning.of(label) for label in self.labels]


def read(path: str | Path, columns: Columns) -> Labelled:
    """Read a file of labelled answers.

    Raises:
        UserError: No such file, a column that is not there (lists those that are), a row without a label.
    """
    table = read_rows(path, what="labelled answers").require_whole()
    for role in ("response", "label", "prompt", "model", "category"):
        name = getattr(columns, role)
        if name and name not in table.columns:
            raise unknown_name(f"column (--{role}) of {table.source}", name, table.columns)
    labels = [_text(row.get(columns.label)) for row in table.rows]
    missing = [
        Problem(p, f"no label in the column {columns.label!r}")
        for p, v in zip(table.places, labels, strict=True)
        if v.casefold() in _EMPTY
    ]
    if missing:
        raise UserError(f"{table.source}: {listed(missing)}. Label these rows or take them out of the file.")
    return Labelled(
        source=Path(path).name,
        prompts=_column(table, columns.prompt) if columns.prompt else ("",) * len(labels),
        responses=_column(table, columns.response),
        labels=tuple(labels),
        models=_column(table, columns.model) if columns.model else (),
        categories=_column(table, columns.category) if columns.category else (),
    )


def _column(table: Table, name: str) -> tuple[str, ...]:
    return tuple(_text(row.get(name)) for row in table.rows)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def usable(data: Labelled) -> list[int]:
    """Rows with an answer to learn from: an empty one has no features."""
    return [i for i, response in enumerate(data.responses) if response.strip()]


def take(values: Sequence[str], rows: Sequence[int]) -> tuple[str, ...]:
    """The chosen rows of one column."""
    return tuple(values[i] for i in rows)
