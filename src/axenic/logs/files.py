"""Files of rows -> data frames: CSV and its relatives, JSON lines, JSON, Parquet; plain or gzipped.

In: a path. Out: a frame with the file's own columns, every CSV cell as text. Malformed files are the user's to mend, so the error
names the file and, where there is one, the line.
"""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from axenic.errors import UserError
from axenic.logs.find import suffix

DELIMITERS = ",;\t|"
LISTS = ("rows", "data", "samples", "records", "examples", "results", "responses", "items")
"""Keys under which a JSON file may keep its list of rows."""


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzipped.

    Raises:
        UserError: It cannot be read, is empty, or its compression is damaged.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        why = getattr(error, "strerror", None) or f"its compression is damaged ({error})"
        raise UserError(f"{path} cannot be read: {why}.") from None
    if not data.strip():
        raise UserError(f"{path} is empty. Leave it out, or write it again.")
    return data


def read_table(path: Path) -> pd.DataFrame:
    """A CSV (any usual delimiter, with or without a byte order mark) or Parquet file as it stands."""
    return _parquet(path) if suffix(path) == ".parquet" else _csv(path)


def read_json(path: Path) -> Any:
    """What a JSON file holds; for JSON lines, whatever the file is called, the list of its objects.

    Raises:
        UserError: A line is not JSON; names the file and the line.
    """
    text = decode(path, read_bytes(path))
    if suffix(path) == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            if "\n" not in text.strip() or not text.lstrip().startswith("{"):
                raise UserError(f"{path} is not valid JSON: {error}. It may have been cut off: write it again.") from None
    return [_line(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def frame_of(path: Path, value: Any) -> pd.DataFrame:
    """Rows of JSON as a frame; nested objects become columns called "outer.inner".

    Raises:
        UserError: The value is not a list of objects and holds none under a usual name.
    """
    if isinstance(value, dict):
        value = next((value[k] for k in LISTS if isinstance(value.get(k), list)), _columns(value))
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise UserError(f"{path} holds no rows: expected a list of JSON objects, or one under {', '.join(map(repr, LISTS))}.")
    return pd.DataFrame([_flat(row) for row in value])


def decode(path: Path, data: bytes) -> str:
    """Text of a file in UTF-8 or UTF-16.

    Raises:
        UserError: It is in neither.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path} is not UTF-8 text (line {line}). Save it as UTF-8.") from None


def _line(path: Path, number: int, line: str) -> Any:
    try:
        row = json.loads(line)
    except ValueError as error:
        shown = line.strip()[:60]
        raise UserError(
            f"{path}, line {number} is not complete JSON ({error}): {shown!r}. The file was cut off or is still being written: "
            "write it again, or delete that line."
        ) from None
    if not isinstance(row, dict):
        raise UserError(f"{path}, line {number} is not a JSON object but {str(row)[:40]!r}. Every line must be one row.")
    return row


def _columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Rows of {"column": [values]}, if it is that."""
    lists = list(value.values())
    if not lists or not all(isinstance(v, list) and len(v) == len(lists[0]) for v in lists):
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    if not any(isinstance(v, dict) for v in row.values()):
        return row
    flat = {k: v for k, v in row.items() if not isinstance(v, dict)}
    for outer, inner in row.items():
        if isinstance(inner, dict):
            flat |= {f"{outer}.{k}": v for k, v in inner.items()}
    return flat


def _csv(path: Path) -> pd.DataFrame:
    text = decode(path, read_bytes(path))
    delimiter = _delimiter(path, text)
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        why = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise UserError(f"{path} is not a well-formed table: {why}. Mend that line (a quote or a delimiter too many).") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise UserError(f"{path} is not a well-formed table: its rows have more cells than its header. Name every column.")
    frame.columns = [str(c).strip() for c in frame.columns]
    if frame.empty:
        raise UserError(f"{path} has a header and no rows.")
    return frame.fillna("")


def _delimiter(path: Path, text: str) -> str:
    """The delimiter that cuts the header into the most columns."""
    if suffix(path) == ".tsv":
        return "\t"
    header = text.lstrip("\r\n").split("\n", 1)[0]
    widths = {d: len(next(csv.reader([header], delimiter=d), [])) for d in DELIMITERS}
    return max(DELIMITERS, key=lambda d: widths[d])


def _parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pq.read_table(path).to_pandas()
    except Exception as error:  # pyarrow has no common base class for a broken or foreign file
        raise UserError(f"{path} is not a readable Parquet file ({str(error).splitlines()[0]}). Write it again.") from None
    if frame.empty:
        raise UserError(f"{path} has no rows.")
    return frame.rename(columns=str)
