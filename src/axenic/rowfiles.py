"""Rows out of files that other people wrote: CSV, TSV, JSON, JSONL, Parquet, or a data set of the Hugging Face hub.

In: a path or a hub id. Out: a `Table`: rows as dictionaries, each with its place in the file, and the places of rows that could
not be read. A row that is broken is named, never dropped in silence. Imports nothing heavy until Parquet or the hub is needed.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axenic.errors import UserError

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SHOWN = 5  # places named in one message


@dataclass(frozen=True)
class Problem:
    """A row that could not be read or used: its place in the file ("line 7", "row 3"), and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class Table:
    """What a file holds. `places[i]` says where `rows[i]` stands; `problems` are the rows that are not among them."""

    source: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    places: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    def require_whole(self) -> "Table":
        """The table itself.

        Raises:
            UserError: A row could not be read; names the first ones.
        """
        if self.problems:
            raise UserError(f"{self.source}: {listed(self.problems)}. Mend the file.")
        return self


Found = Iterator[tuple[str, Any]]


def is_hub_id(source: str) -> bool:
    """Whether a name can only be a hub id: "org/name", no such file or folder here, and not the name of a data file."""
    return _HUB_ID.fullmatch(source) is not None and not Path(source).exists() and not source.lower().endswith(SUFFIXES)


def read_rows(source: str | Path, *, what: str = "data", split: str = "train") -> Table:
    """Read a file, by its suffix, or a hub id.

    Args:
        source: A file, a hub id such as "org/name", or a folder that was downloaded from the hub.
        what: What the file is to the user, for messages, e.g. "benchmark".
        split: Of a hub data set.

    Raises:
        UserError: Nothing there, no access, unknown suffix, not text, no rows, cut off in the middle.
    """
    if is_hub_id(str(source)):
        return _table(str(source), _hub(str(source), split=split, what=what), what)
    path = Path(source)
    if path.is_dir():
        return _table(str(source), _hub(str(source), split=split, what=what), what)
    if not path.is_file():
        raise UserError(
            f"There is no {what} file {str(source)!r}. Give a file ({', '.join(SUFFIXES)}) or a hub id such as 'org/name'."
        )
    match path.suffix.lower():
        case ".csv" | ".tsv":
            found = _csv(path, what, "\t" if path.suffix.lower() == ".tsv" else ",")
        case ".jsonl" | ".ndjson" | ".json":
            found = _json(path, what)
        case ".parquet":
            found = _parquet(path, what)
        case _:
            raise UserError(
                f"The {what} file {path} must end in one of {', '.join(SUFFIXES)}, so that axenic knows how to read it."
            )
    return _table(str(source), found, what)


def listed(problems: tuple[Problem, ...] | list[Problem]) -> str:
    """The first few problems in one line, and how many there are."""
    more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(f"{p.place}: {p.reason}" for p in problems[:_SHOWN]) + more


def _table(source: str, found: Found, what: str) -> Table:
    rows: list[Mapping[str, Any]] = []
    places: list[str] = []
    problems: list[Problem] = []
    for place, row in found:
        if isinstance(row, Problem):
            problems.append(row)
        elif isinstance(row, dict):
            rows.append(row)
            places.append(place)
        else:
            problems.append(Problem(place, f"a row must be an object of named fields, not a {type(row).__name__}"))
    if not rows:
        because = f" ({listed(problems)})" if problems else ""
        raise UserError(f"The {what} {source} holds no rows{because}.")
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Table(source, columns, tuple(rows), tuple(places), tuple(problems))


def _text(path: Path, what: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"The {what} file {path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"The {what} file {path} cannot be read: {error.strerror}.") from None


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a response may be longer than the 128 KiB that csv allows
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv(path: Path, what: str, delimiter: str) -> Found:
    with _long_fields():
        reader = csv.reader(io.StringIO(_text(path, what), newline=""), delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            twice = next((name for name in header if header.count(name) > 1), None)
            if twice is not None:
                raise UserError(f"{path}: the column {twice!r} appears twice in the header. Rename one of them.")
            start = reader.line_num + 1
            for fields in reader:
                if fields:
                    yield f"line {start}", _record(header, fields, f"line {start}")
                start = reader.line_num + 1
        except csv.Error as error:
            raise UserError(
                f"{path}, line {reader.line_num}: not valid CSV ({error}). A quotation mark may be unpaired, or the file cut off."
            ) from None


def _record(header: list[str], fields: list[str], place: str) -> dict[str, str] | Problem:
    if len(fields) != len(header):
        return Problem(place, f"{len(fields)} fields where the header names {len(header)}")
    return dict(zip(header, fields, strict=True))


def _json(path: Path, what: str) -> Found:
    text = _text(path, what)
    whole = _whole(path, text) if path.suffix.lower() == ".json" else None
    if whole is not None:
        yield from ((f"row {i}", row) for i, row in enumerate(whole, start=1))
        return
    lines = text.split("\n")  # not splitlines(): it also splits at U+2028 inside a text
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        place = f"line {i + 1}"
        try:
            yield place, json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if i == last:
                raise UserError(
                    f"{path}, {place}: the last line is not valid JSON ({error}), so the file was probably cut off. "
                    "Fetch it again, or delete that line."
                ) from None
            yield place, Problem(place, f"not valid JSON ({error})")


def _whole(path: Path, text: str) -> list[Any] | None:
    """The rows of a file that is one JSON value: an array, or an object around the only array of objects; None if it is JSONL."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        if not text.lstrip().startswith("["):
            return None
        raise UserError(f"{path} is not valid JSON ({error}). The file may have been cut off; fetch it again.") from None
    if isinstance(data, dict):
        arrays = [v for v in data.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        return arrays[0] if len(arrays) == 1 else [data]
    return data if isinstance(data, list) else [data]


def _parquet(path: Path, what: str) -> Found:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"The {what} file {path} is not readable Parquet ({error}).") from None
    for i, row in enumerate(rows, start=1):
        yield f"row {i}", row


def _hub(source: str, *, split: str, what: str) -> Found:
    import datasets

    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        rows = datasets.load_dataset(source, split=split)
    except Exception as error:  # the hub's client raises its own errors, network errors and plain OSErrors alike
        reason = str(error).strip().split("\n")[0]
        raise UserError(
            f"The {what} {source!r} could not be had from the Hugging Face hub: {reason} If access to it is gated, accept its "
            "conditions on the hub and log in with 'hf auth login'; without a network, give a local file."
        ) from None
    finally:
        if bars:
            datasets.enable_progress_bars()
    for i, row in enumerate(rows, start=1):
        yield f"row {i}", dict(row)
