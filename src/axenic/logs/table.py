"""Fields of logs as text -> the result table, with every contradiction refused.

In: one row per verdict, the fields of `columns.ALIASES` as text. Out: the columns of `schema.RESULT_COLUMNS`.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from axenic.errors import UserError
from axenic.schema import RESULT_COLUMNS

LONGEST_TEXT, LONGEST_ID = 20_000, 120
"""Characters of a prompt or response, and of an item's name, that are kept; more would only swell the report."""

NO_EVAL, NO_ARM = "eval", "model"
"""What an eval and an arm are called where the logs name none."""

RESPONSE = ["arm", "eval", "judge", "temperature", "epoch", "train_seed", "repetition", "condition", "item_id"]
"""What tells one verdict from another."""


def result_table(
    fields: pd.DataFrame, judged: pd.DataFrame, *, files: Sequence[str], on_duplicate: str
) -> tuple[pd.DataFrame, int, list[str]]:
    """Build the table.

    Args:
        fields: Text fields, with `source` and `line` (where a row came from) and `ours` (is it from a result table of axenic).
            A `step` is a whole number.
        judged: `status`, `verdict`, `score`, row by row.
        files: Names of the sources.
        on_duplicate: "error", "number" or "drop".

    Returns:
        The table; how many rows were dropped or numbered as repetitions; notes.

    Raises:
        UserError: No column names the item, a cell is no number, or rows repeat a response.
    """
    if "item" not in fields:
        raise UserError(
            "No column names the item (the question that was asked). Name it with --item COLUMN, e.g. --item prompt_id."
        )
    where = Where(fields, files)
    notes: list[str] = []
    arm = fields["arm"] if "arm" in fields else pd.Series(NO_ARM, index=fields.index)
    if "step" not in fields:  # logs by step are of what was done to an arm, which " | " marks
        arm = arm.str.replace(" | ", " / ", regex=False)
    rows = pd.DataFrame({"arm": arm, "model": arm, "item_id": _items(fields)})
    for field in ("judge", "category", "condition"):
        rows[field] = fields.get(field, "")
    rows["eval"] = fields["eval"].replace("", NO_EVAL) if "eval" in fields else NO_EVAL
    for column in ("arm", "item_id"):
        where.refuse(rows[column] == "", f"have no {'item' if column == 'item_id' else 'arm'}; every row needs one")
    rows["train_seed"] = whole(fields, "seed", notes)
    rows["repetition"] = whole(fields, "repetition", notes).fillna(0)
    rows["temperature"] = _temperature(fields, where)
    rows["checkpoint"] = fields.get("checkpoint", "")
    rows["epoch"] = _epoch(fields, notes)
    for column in ("prompt", "response"):
        rows[column] = _cut(fields[column]) if column in fields else ""
    rows[["status", "verdict", "score"]] = judged[["status", "verdict", "score"]]
    rows["step"] = pd.to_numeric(fields["step"]) if "step" in fields else pd.NA
    rows = rows.assign(study="", recipe="analyse", tier="", n_tokens=pd.NA, finish_reason="")
    rows = rows.astype({"step": "Int64", "n_tokens": "Int64"})
    rows, repeated = _repeats(rows, fields, where, on_duplicate)
    _require_whole_seeds(rows)
    return rows[list(RESULT_COLUMNS)].reset_index(drop=True), repeated, notes


class Where:
    """Names rows by file and line, for error messages."""

    def __init__(self, fields: pd.DataFrame, files: Sequence[str]) -> None:
        self.fields, self.files = fields, files

    def __call__(self, index: Any) -> str:
        """File and line of a row."""
        row = self.fields.loc[index]
        return f"{self.files[row['source']]}, row {row['line'] + 1}"

    def refuse(self, bad: "pd.Series[bool]", why: str) -> None:
        """Raise UserError if any row is bad, naming the first."""
        if bad.any():
            raise UserError(f"{int(bad.sum())} rows {why}. The first is {self(bad.idxmax())}.")


def _items(fields: pd.DataFrame) -> "pd.Series[str]":
    """Names of items. Long ones (prompts) become their beginning and a hash; a foreign "@" does not mark a variant."""
    names = {name: name if len(name) <= LONGEST_ID else _short(name) for name in fields["item"].unique()}
    foreign = {name: short.replace("@", "\N{FULLWIDTH COMMERCIAL AT}") for name, short in names.items()}
    return fields["item"].map(names).where(fields["ours"], fields["item"].map(foreign))


def _short(text: str) -> str:
    return f"{text[:60].strip()}… {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _cut(column: "pd.Series[str]") -> "pd.Series[str]":
    return column.map(
        lambda t: t if len(t) <= LONGEST_TEXT else f"{t[:LONGEST_TEXT]} … [{len(t) - LONGEST_TEXT:,} characters more]"
    )


def whole(fields: pd.DataFrame, field: str, notes: list[str]) -> "pd.Series[Any]":
    """Whole numbers, null where there are none; names are numbered in their sorted order."""
    if field not in fields:
        return pd.Series(pd.NA, index=fields.index, dtype="Int64")
    text = fields[field]
    names = sorted(set(text) - {""})
    numbers = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce")
    if numbers.notna().all() and (numbers == numbers.round()).all() and (numbers.abs() < 2**62).all():
        values = {name: int(number) for name, number in zip(names, numbers, strict=True)}
    else:
        values = {name: i for i, name in enumerate(names)}
        notes.append(f"--{field}: {', '.join(names[:4])}{' …' if len(names) > 4 else ''} were numbered from 0 in this order")
    return text.map(values).astype("Int64")


def _temperature(fields: pd.DataFrame, where: Where) -> "pd.Series[float]":
    if "temperature" not in fields:
        return pd.Series(float("nan"), index=fields.index)
    numbers = pd.to_numeric(fields["temperature"], errors="coerce").astype("float64")
    where.refuse((numbers.isna() & (fields["temperature"] != "")) | (numbers < 0), "have a temperature that is none")
    return numbers


def _epoch(fields: pd.DataFrame, notes: list[str]) -> "pd.Series[float]":
    """Where a checkpoint stands in training: its number, or the one number in its name, else its place in the sorted names."""
    if "checkpoint" not in fields:
        return pd.Series(float("nan"), index=fields.index)
    names = sorted(set(fields["checkpoint"]))
    found = {name: re.findall(r"\d+(?:\.\d+)?", name) for name in names}
    values = {name: float(parts[-1]) if parts else 0.0 for name, parts in found.items()}
    if len(set(values.values())) < len(names):
        values = {name: float(i) for i, name in enumerate(names)}
        notes.append(f"--checkpoint: {', '.join(names[:4])}{' …' if len(names) > 4 else ''} were numbered from 0 in this order")
    return fields["checkpoint"].map(values).astype("float64")


def _repeats(rows: pd.DataFrame, fields: pd.DataFrame, where: Where, on_duplicate: str) -> tuple[pd.DataFrame, int]:
    again = rows.duplicated(RESPONSE)
    if not again.any():
        return rows, 0
    if on_duplicate == "number":
        numbered = rows.groupby([c for c in RESPONSE if c != "repetition"], dropna=False, sort=False).cumcount()
        return rows.assign(repetition=numbered.astype("Int64")), int(again.sum())
    same = rows.duplicated([*RESPONSE, "status", "verdict", "score", "response"])
    if on_duplicate == "drop" and bool((same == again).all()):
        return rows[~again], int(again.sum())
    raise UserError(_repeated(rows, fields, where, again, contradict=not bool((same == again).all())))


def _repeated(rows: pd.DataFrame, fields: pd.DataFrame, where: Where, again: "pd.Series[bool]", *, contradict: bool) -> str:
    """What on_duplicate what, and the ways out."""
    firsts = rows[again].drop_duplicates(RESPONSE).head(3)
    shown = [
        f"item {row['item_id']!r}, arm {row['arm']!r}, seed {row['train_seed']}, repetition {row['repetition']} ({where(i)})"
        for i, row in firsts.iterrows()
    ]
    crossing = fields.loc[again, "source"].nunique() and fields.loc[again, "source"].min() > 0
    across = " Some repeat rows of another file: was a file named twice, under two names?" if crossing else ""
    outs = ["map the column that tells them apart (--repetition, --seed, --judge, --checkpoint, --eval, --arm; `file` is one)"]
    outs.append("count them as repetitions in the order of the rows (--on-duplicate number)")
    outs += [] if contradict else ["drop them, as they are identical (--on-duplicate drop)"]
    return (
        f"{int(again.sum())} rows repeat a response: counting them twice would feign precision. E.g. {'; '.join(shown)}.{across} "
        f"Ways out: {'; or '.join(outs)}."
    )


def _require_whole_seeds(rows: pd.DataFrame) -> None:
    cell = ["arm", "eval", "judge", "temperature", "epoch"]
    null = rows["train_seed"].isna()
    if not null.any() or null.all():
        return
    share = null.groupby([rows[c] for c in cell], dropna=False).mean()
    mixed = share[(share > 0) & (share < 1)]
    if len(mixed):
        raise UserError(f"Arm {mixed.index[0][0]!r} has rows with and without a seed. Give every row of an arm its seed, or none.")
