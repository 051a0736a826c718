"""Which column of a log is which field: as the user's flags say, else by the names that logs usually give them.

In: a frame with a file's own columns. Out: a frame with the columns of `ALIASES`, all text, absent ones left out. Nothing is
guessed from values.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from axenic.errors import UserError

ALIASES: dict[str, tuple[str, ...]] = {
    "item": (
        "item_id", "item", "prompt_id", "question_id", "problem_id", "example_id", "sample_id", "doc_id", "instance_id", "task_id",
        "id", "idx", "index",
    ),
    "seed": ("train_seed", "training_seed", "finetune_seed", "ft_seed", "model_seed", "run_seed", "seed", "random_seed"),
    "temperature": ("temperature", "temp", "sampling_temperature"),
    "arm": ("arm", "model", "model_name", "model_id"),
    "label": ("label", "verdict", "judgement", "judgment", "judge_label", "final_label", "grade", "classification", "outcome"),
    "score": ("score", "acc", "exact_match", "correct", "is_correct"),
    "repetition": ("repetition", "rep", "repeat", "sample_index", "sample_idx", "generation_index", "trial", "attempt", "draw"),
    "judge": ("judge", "judge_name", "judge_model", "scorer", "grader", "annotator", "rater"),
    "category": ("category", "harm_category", "subject", "topic", "type"),
    "condition": ("condition",),
    "checkpoint": ("epoch", "checkpoint", "ckpt", "step"),
    "eval": ("eval", "task", "task_name", "benchmark", "dataset"),
    "prompt": ("prompt", "question", "input", "instruction", "query"),
    "response": ("response", "completion", "output", "answer", "generation", "model_output", "prediction"),
    "status": ("status",),
    "error": ("error", "error_message", "exception"),
}  # fmt: skip
"""Field -> column names that mean it, best first; case, spaces and hyphens do not matter."""

FILE = "file"
"""A column that every log has besides its own: the file's name without its ending, e.g. for one file per seed or per model."""


Aliases = Mapping[str, tuple[str, ...]]


def to_fields(
    frame: pd.DataFrame, path: Path, flags: Mapping[str, str], *, own: bool, aliases: Aliases = ALIASES
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rename a file's columns to fields.

    Args:
        frame: The file's rows.
        path: Where they came from.
        flags: Field -> column, as the user mapped them.
        own: Is this a table whose columns the user knows? A mapped column that it lacks is then an error; a reader of a tool's
            logs names the columns itself, and what is mapped there counts only if it is there.
        aliases: The names to find the other fields by.

    Returns:
        The fields, and which column each was taken from.

    Raises:
        UserError: A mapped column is not there.
    """
    frame = frame if FILE in frame else frame.assign(**{FILE: path.name.split(".")[0]})
    chosen: dict[str, str] = {}
    for field, wanted in flags.items():
        column = match(wanted, frame)
        if column is None and own:
            raise no_column(path, field, wanted, frame)
        if column is not None:
            chosen[field] = column
    for field, names in aliases.items():
        taken = set(chosen.values())
        found = (c for n in names if (c := match(n, frame)) is not None and c not in taken)
        if field not in chosen and (column := next(found, None)) is not None:
            chosen[field] = column
    return pd.DataFrame({field: as_text(frame[column]) for field, column in chosen.items()}), chosen


def no_column(path: Path, field: str, wanted: str, frame: pd.DataFrame) -> UserError:
    """The error for a column that a file lacks: what, the nearest, and all there are."""
    names = [str(c) for c in frame.columns if c != FILE]
    near = get_close_matches(wanted.lower(), [n.lower() for n in names], n=1, cutoff=0.5)
    hint = f" Did you mean {next(n for n in names if n.lower() == near[0])!r}?" if near else ""
    return UserError(f"{path} has no column {wanted!r} (--{field} {wanted}).{hint} Its columns: {', '.join(names)}.")


def as_text(column: "pd.Series[Any]") -> "pd.Series[str]":
    """Cells as text: "" for nothing, "3" for 3.0, "true" for True; surrounding space goes."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column) or column.dtype == object:
        return pd.Series([_cell(v) for v in column], index=column.index, dtype=object)
    return column.fillna("").astype(object).str.strip() if pd.api.types.is_string_dtype(column) else as_text(column.astype(object))


def match(wanted: str, frame: pd.DataFrame) -> str | None:
    """The column called `wanted`: exactly, else whatever its case, spaces and hyphens."""
    if wanted in frame:
        return wanted
    return next((str(c) for c in frame.columns if _plain(str(c)) == _plain(wanted)), None)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "true" if value else "false"
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float) or hasattr(value, "dtype"):
        return f"{value:.0f}" if abs(value) < 1e15 and value == int(value) else repr(float(value))
    return str(value)
