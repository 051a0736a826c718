"""Log files -> one result table (`schema.RESULT_COLUMNS`), and what was found on the way.

In: words of the command line and the user's flags. Out: `Logs`. Every row of every file is in the table: one without a verdict is
counted as a failure, never dropped and never 0.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from axenic.errors import UserError
from axenic.logs import inspect_log, lm_eval
from axenic.logs.columns import ALIASES, Aliases, to_fields
from axenic.logs.files import frame_of, read_json, read_table
from axenic.logs.find import find, suffix
from axenic.logs.labels import Judged, Rules, Scoring, judge, require_known, spelling
from axenic.logs.table import result_table
from axenic.schema import RESULT_COLUMNS

OnDuplicate = Literal["error", "number", "drop"]
"""What to do with rows that repeat a response: refuse them, count them as repetitions, or keep the first of identical ones."""


class Input(NamedTuple):
    """One file that was read."""

    path: str
    kind: str  # "Inspect", "lm-evaluation-harness", "table"
    rows: int
    sha256: str


@dataclass(frozen=True)
class Gathered:
    """Rows as text fields, before anything was made of them."""

    fields: pd.DataFrame  # with `source`, `line` and `ours`
    inputs: tuple[Input, ...]
    columns: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Logs:
    """The result table and its story. Statistics need only `rows`."""

    rows: pd.DataFrame
    inputs: tuple[Input, ...]
    columns: dict[str, str]  # field -> column it was taken from
    scoring: dict[str, Scoring]  # judge -> "positive", "score" or "labels"
    labels: dict[str, dict[str, int]]  # judge -> label -> rows
    duplicates: int  # rows dropped, or numbered as repetitions
    notes: tuple[str, ...]


def read(
    words: Sequence[str | Path],
    *,
    flags: Mapping[str, str] | None = None,
    rules: Rules | None = None,
    on_duplicate: OnDuplicate = "error",
    leave_out: Path | None = None,
) -> Logs:
    """Read logs.

    Args:
        words: Files, folders, glob patterns.
        flags: Field (a key of `columns.ALIASES`) -> the column that holds it.
        rules: How labels are read.
        on_duplicate: What to do with rows that repeat a response.
        leave_out: A folder that is not searched.

    Raises:
        UserError: Nothing was found, a file is malformed, a mapped column is missing, or rows contradict each other.
    """
    flags = dict(flags or {})
    return finish(gather(words, flags=flags, leave_out=leave_out), flags=flags, rules=rules or Rules(), on_duplicate=on_duplicate)


def gather(
    words: Sequence[str | Path],
    *,
    flags: Mapping[str, str],
    leave_out: Path | None,
    aliases: Callable[[pd.DataFrame], Aliases] = lambda _: ALIASES,
) -> Gathered:
    """The rows of all files as text fields; `aliases` says by which names a file's columns are found."""
    parts: list[pd.DataFrame] = []
    inputs: list[Input] = []
    notes: list[str] = []
    columns: dict[str, str] = {}
    named = {Path(str(w)).expanduser() for w in words}
    for path in find(words, leave_out=leave_out):
        try:
            frame, kind, note = _load(path)
        except UserError as error:
            if path in named or suffix(path) != ".json":
                raise
            notes.append(f"passed over: {error}")
            continue
        fields, chosen = to_fields(frame, path, flags, own=kind == "table", aliases=aliases(frame))
        columns |= chosen
        ours = set(RESULT_COLUMNS) <= set(frame.columns)
        parts.append(fields.assign(source=len(inputs), line=range(len(fields)), ours=ours))
        inputs.append(Input(str(path), kind, len(frame), hashlib.sha256(path.read_bytes()).hexdigest()))
        notes += [note] if note else []
    if not parts:
        raise UserError("; ".join(notes) or "No file held any rows.")
    _require_mapped(flags, columns, inputs)
    fields = pd.concat(parts, ignore_index=True)
    fields = fields.astype({c: object for c in fields.columns if c not in ("source", "line", "ours")}).fillna("")
    return Gathered(fields, tuple(inputs), columns, tuple(notes))


def finish(gathered: Gathered, *, flags: Mapping[str, str], rules: Rules, on_duplicate: OnDuplicate) -> Logs:
    """Judge the rows and make the result table of them."""
    fields, inputs = gathered.fields, gathered.inputs
    judged = _judge_each(fields, rules, frozenset(flags))
    rows, duplicates, more = result_table(
        fields, _joined(fields, judged), files=[i.path for i in inputs], on_duplicate=on_duplicate
    )
    notes = (*gathered.notes, *more, *dict.fromkeys(n for j in judged.values() for n in j.notes))
    scoring = {name: j.scoring for name, j in judged.items()}
    return Logs(rows, inputs, gathered.columns, scoring, {n: j.counts for n, j in judged.items()}, duplicates, notes)


def _load(path: Path) -> tuple[pd.DataFrame, str, str]:
    """A file's rows, what wrote it, and a note."""
    if suffix(path) == ".eval":
        return _with_kind(inspect_log.read_eval(path), "Inspect")
    if suffix(path) in (".csv", ".tsv", ".parquet"):
        return read_table(path), "table", ""
    value = read_json(path)
    if inspect_log.is_inspect(value):
        return _with_kind(inspect_log.read_log(path, value), "Inspect")
    if lm_eval.is_samples(value):
        return _with_kind(lm_eval.read_samples(path, value), "lm-evaluation-harness")
    return frame_of(path, value), "table", ""


def _with_kind(found: tuple[pd.DataFrame, str], kind: str) -> tuple[pd.DataFrame, str, str]:
    return found[0], kind, found[1]


def _require_mapped(flags: Mapping[str, str], columns: Mapping[str, str], inputs: Sequence[Input]) -> None:
    """A flag that fits no file at all is a mistake."""
    lost = [f"--{field} {column}" for field, column in flags.items() if field not in columns]
    if lost:
        raise UserError(f"No file has the column of {', '.join(lost)} ({len(inputs)} read, e.g. {inputs[0].path}).")


def _judge_each(fields: pd.DataFrame, rules: Rules, explicit: frozenset[str]) -> dict[str, Judged]:
    """Read every judge's labels by themselves: what counts as positive for one may mean nothing to another."""
    plain = Rules(error=rules.error)
    groups: list[tuple[Any, pd.DataFrame]] = list(fields.groupby("judge", sort=True)) if "judge" in fields else [("", fields)]
    if not rules.positive:
        return {str(name): judge(part, plain, explicit=explicit) for name, part in groups}
    judged = {str(name): judge(part, rules, explicit=explicit) for name, part in groups}
    named = {v.strip().lower() for v in (*rules.positive, *rules.negative)}
    users = [j for j in judged.values() if any(c.lower() in named for c in j.counts)]
    shared = {c for j in users for c in j.counts}
    speaking = {n for n, j in judged.items() if shared & set(j.counts) or not j.counts} if users else set(judged)
    counts: dict[str, int] = {}
    for name in speaking:
        for label, n in judged[name].counts.items():
            key = spelling(label, counts)
            counts[key] = counts.get(key, 0) + n
    require_known(counts, rules)
    for name, part in groups:
        if str(name) not in speaking:
            judged[str(name)] = judge(part, plain, explicit=explicit)
    return judged


def _joined(fields: pd.DataFrame, judged: Mapping[str, Judged]) -> pd.DataFrame:
    """Status, verdict and score of every row, in the order of `fields`."""
    groups = fields.groupby("judge", sort=True).indices if "judge" in fields else {"": range(len(fields))}
    parts = [
        pd.DataFrame({"status": j.status, "verdict": j.verdict, "score": j.score}, index=fields.index[groups[name]])
        for name, j in judged.items()
    ]
    return pd.concat(parts).sort_index()
