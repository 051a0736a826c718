"""What judges said -> status, verdict and score.

In: labels and scores as text. Out: for every row a `schema.Status`, the label, and a score if the label has one. Three ways to
score: labels named positive count 1; numbers in [0, 1] are scores; otherwise labels have no order, and only what needs none
(flips, agreement, the rate of each label) can be said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.errors import UserError

NOTHING = {"", "nan", "none", "null", "na", "n/a", "<na>"}
FAILED = {
    "error": "error",
    "unparseable": "unparseable",
    "parse_error": "unparseable",
    "skipped": "skipped",
    "unclosed": "unclosed",
}
"""Labels that say that there is no verdict, besides "ERROR: what happened"."""

STATUS = {
    **dict.fromkeys(("scored", "ok", "success", "succeeded", "complete", "completed", "done"), "scored"),
    **dict.fromkeys(("error", "failed", "failure", "timeout", "cancelled", "exception"), "error"),
    "unparseable": "unparseable", "skipped": "skipped", "unclosed": "unclosed",
}  # fmt: skip
Texts = npt.NDArray[np.object_]
BOOLEAN = {"true": "1", "false": "0"}


Scoring = Literal["positive", "score", "labels"]


@dataclass(frozen=True)
class Rules:
    """How the user wants labels read."""

    positive: tuple[str, ...] = ()  # labels that count 1
    negative: tuple[str, ...] = ()  # with these, the complete list of labels; any other is an error
    error: tuple[str, ...] = ()  # labels that mean that there is no verdict


@dataclass(frozen=True)
class Judged:
    """One entry per row, and how scores came about."""

    status: Texts
    verdict: Texts
    score: npt.NDArray[np.float64]  # NaN unless scored
    scoring: Scoring
    counts: dict[str, int]  # label -> rows, commonest first
    notes: tuple[str, ...]


def judge(fields: pd.DataFrame, rules: Rules, *, explicit: frozenset[str]) -> Judged:
    """Read the labels of one judge.

    Args:
        fields: Columns "label" and/or "score", and where there are such, "status" and "error".
        rules: The user's rules; positive labels need not occur here.
        explicit: Fields that the user mapped: what is mapped wins over what was found by its name.

    Raises:
        UserError: There is no verdict, or a score is no number or out of range.
    """
    if "label" not in fields and "score" not in fields:
        raise UserError("No column holds a verdict. Name it with --label COLUMN (and --positive VALUE) or with --score COLUMN.")
    score = _score_column(fields, rules, explicit)
    labelled = "label" in fields and (score is None or "score" not in explicit or "label" in explicit)
    label, notes = _one_spelling(_plain(fields["label" if labelled else "score"], rules))
    status = _status(fields, label, rules, explicit)
    counts = dict(Counter(label[status == "scored"].tolist()).most_common())
    if rules.positive:
        wanted = [spelling(p, counts) for p in rules.positive]
        values = np.where(status == "scored", np.isin(label, wanted).astype(np.float64), np.nan)
        return Judged(status, label, values, "positive", counts, notes)
    numbers = _numbers(label if score is None else score)
    if score is not None:
        status = np.where((status == "scored") & np.isnan(numbers), "unparseable", status)
        _refuse_out_of_range(numbers[status == "scored"])
    scored = status == "scored"
    if ((numbers[scored] >= 0) & (numbers[scored] <= 1)).all():
        return Judged(status, label, np.where(scored, numbers, np.nan), "score", counts, notes)
    return Judged(status, label, np.full(len(label), np.nan), "labels", counts, notes)


def require_known(counts: Mapping[str, int], rules: Rules) -> None:
    """Raise UserError if a positive label never occurs, or if a label is neither positive nor negative where both were named."""
    if not counts:
        return
    listing = ", ".join(f"{name!r} ({n})" for name, n in list(counts.items())[:12])
    known = {spelling(v, counts) for v in (*rules.positive, *rules.negative)}
    strange = [name for name in counts if name not in known]
    if rules.negative and strange:
        raise UserError(
            f"Labels that are neither --positive nor --negative: {', '.join(map(repr, strange[:8]))}. The labels are {listing}. "
            "Name each as --positive, --negative or --error."
        )
    never = [p for p in rules.positive if spelling(p, counts) not in counts]
    if never and not rules.negative:
        near = get_close_matches(never[0].lower(), [c.lower() for c in counts], n=1, cutoff=0.6)
        hint = f" Did you mean {next(c for c in counts if c.lower() == near[0])!r}?" if near else ""
        raise UserError(
            f"--positive {never[0]} never occurs.{hint} The labels are {listing}. If that is right (say, everything was refused), "
            "name the other labels with --negative, and the rate of 0 is taken at its word."
        )


def spelling(name: str, counts: Iterable[str]) -> str:
    """The label that is meant by `name`, whatever its case."""
    return next((c for c in counts if c.lower() == name.strip().lower()), name.strip())


def _score_column(fields: pd.DataFrame, rules: Rules, explicit: frozenset[str]) -> Texts | None:
    """The scores, where they are to be used. A column that is called like scores but holds words is none."""
    if "score" not in fields or rules.positive or ("label" in explicit and "score" not in explicit):
        return None
    values = fields["score"].to_numpy(dtype=object)
    skipped = NOTHING | {e.lower() for e in rules.error} | set(FAILED)
    words = {str(v) for v in values[np.isnan(_numbers(values))]}
    words = {w for w in words if w.lower() not in skipped and not w.lower().startswith("error:")}
    blank = "label" in fields and all(str(v).lower() in NOTHING for v in values)
    if words and "score" in explicit:
        raise UserError(
            f"--score holds {sorted(words)[0]!r}, which is no number. Words are labels: --label COLUMN --positive VALUE."
        )
    return None if words or blank else values


def _plain(column: "pd.Series[str]", rules: Rules) -> Texts:
    """Labels as text, with one spelling for truth values and for whole numbers."""
    label = column.to_numpy(dtype=object)
    lower = {str(v).lower() for v in label}
    if lower <= set(BOOLEAN) | {"0", "1"} | NOTHING and set(rules.positive) <= {"0", "1"}:
        label = np.array([BOOLEAN.get(str(v).lower(), v) for v in label], dtype=object)
    return np.array([_number_text(v) for v in label], dtype=object)


def _number_text(value: str) -> str:
    """One label for "1.0" and "1"."""
    return value[:-2] if value.endswith(".0") and value[:-2].lstrip("-").isdigit() else value


def _one_spelling(label: Texts) -> tuple[Texts, tuple[str, ...]]:
    """Labels that differ only in case become the commonest of them."""
    counts = Counter(label.tolist())
    best: dict[str, str] = {}
    for name, _ in counts.most_common():
        best.setdefault(name.lower(), name)
    changed = {name: best[name.lower()] for name in counts if best[name.lower()] != name}
    if not changed:
        return label, ()
    said = ", ".join(f"{old!r} as {new!r}" for old, new in sorted(changed.items())[:5])
    return np.array([changed.get(v, v) for v in label], dtype=object), (
        f"labels that differ only in case were counted as one: {said}",
    )


def _status(fields: pd.DataFrame, label: Texts, rules: Rules, explicit: frozenset[str]) -> Texts:
    errors = {e.lower() for e in rules.error}
    known = {v: _status_of(str(v), errors, {p.lower() for p in (*rules.positive, *rules.negative)}) for v in set(label.tolist())}
    status = np.array([known[v] for v in label], dtype=object)
    if "error" in fields:
        failed = np.array([str(v).lower() not in NOTHING | {"false", "0", "ok"} for v in fields["error"]])
        status[failed] = "error"
    return _by_status_column(fields, status, explicit) if "status" in fields else status


def _status_of(label: str, errors: set[str], named: set[str]) -> str:
    lower = label.lower()
    if lower in errors:
        return "error"
    if lower in named:
        return "scored"
    if lower in NOTHING or lower.startswith("error:"):
        return "error"
    return FAILED.get(lower, "scored")


def _by_status_column(fields: pd.DataFrame, status: Texts, explicit: frozenset[str]) -> Texts:
    """Where the log itself says that a row failed, it failed. A column that speaks of something else is left alone."""
    said = np.array([str(v).lower() for v in fields["status"]], dtype=object)
    unknown = sorted(set(said) - set(STATUS) - NOTHING)
    if unknown and "status" not in explicit:
        return status
    if unknown:
        raise UserError(f"--status holds {', '.join(map(repr, unknown[:5]))}; known are {', '.join(STATUS)}.")
    mapped = np.array([STATUS.get(v, "scored") for v in said], dtype=object)
    return np.where(mapped != "scored", mapped, status)


def _numbers(values: Texts) -> npt.NDArray[np.float64]:
    lower = pd.Series([BOOLEAN.get(str(v).lower(), v) for v in values])
    found: npt.NDArray[np.float64] = pd.to_numeric(lower, errors="coerce").to_numpy(dtype=np.float64)
    return found


def _refuse_out_of_range(numbers: npt.NDArray[np.float64]) -> None:
    bad = numbers[~((numbers >= 0) & (numbers <= 1))]
    if len(bad):
        raise UserError(
            f"{len(bad)} scores are not in [0, 1], e.g. {bad[0]:g} ({bad.min():g} to {bad.max():g}). Say which values "
            "count as 1 (--label COLUMN --positive VALUE, repeatable), or which are failures (--error VALUE)."
        )
