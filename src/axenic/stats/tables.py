"""The one place where rows of the result table become numbers.

In: the result table (`schema.RESULT_COLUMNS`). Out: seeds x stems matrices of mean scores, and groups of rows.
Repetitions and variants of a stem are averaged first, since they are not independent evidence; a row whose status is not "scored"
is missing and never 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.schema import Denominator
from axenic.stats.crossed import Floats

Codes = npt.NDArray[np.int64]
CELL = ("arm", "eval", "judge", "temperature", "epoch")
"""Rows that differ in one of these are never averaged."""

TEXT = ("study", "recipe", "tier", "arm", "eval", "judge", "category", "condition", "item_id", "status", "verdict")
NUMBERS = ("temperature", "epoch", "train_seed", "repetition", "score")
STATUSES = ("scored", "unparseable", "error", "skipped")


class Scores(NamedTuple):
    """A matrix with its labels. NaN where nothing was scored. A null train_seed is the label None."""

    matrix_S_I: Floats
    seeds: list[int | None]
    stems: list[str]


class Counts(NamedTuple):
    """What became of the rows of a cell."""

    attempted: int
    scored: int
    missing: int
    ambiguous: int  # scored, but left out by the denominator "unambiguous"


def matrix(rows: pd.DataFrame, denominator: Denominator, *, fill: float | None = None) -> Scores:
    """Mean scores by training seed and stem for the rows of one cell.

    Args:
        rows: Result rows of one arm, eval, judge, temperature and epoch.
        denominator: "all" averages repetitions and variants; "unambiguous" drops the verdict "ambiguous" first; "stems" gives 1
            to a stem only if the mean of every variant is 1, and nothing if a variant has no score.
        fill: A score to assume for every missing row, for worst-case bounds.

    Raises:
        ValueError: The rows mix cells, repeat a response, or hold a score that is not one.
    """
    table = Table.of(rows)
    mixed = [c for c in CELL if len(table.labels[c]) > 1]
    if mixed:
        raise ValueError(f"rows of several cells cannot be averaged: they differ in {', '.join(mixed)}")
    return table.scores(np.arange(len(rows)), denominator, fill=fill)


@dataclass(frozen=True)
class Table:
    """The result table as integer codes: one pass over the strings, then every cell is a slice."""

    codes: dict[str, Codes]  # per column, indices into `labels`
    labels: dict[str, list[Any]]  # sorted; None for null
    stem_of_item: Codes
    stems: list[str]
    score: Floats  # NaN unless scored
    ambiguous: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: pd.DataFrame, *, x: Sequence[float] | Floats | None = None) -> "Table":
        """Check the rows and code them. `x` is a further axis of `curve`, one number per row."""
        absent = [c for c in (*TEXT, *NUMBERS) if c not in rows]
        if absent:
            raise ValueError(f"the result table lacks the columns {', '.join(absent)}")
        coded = {c: _text(rows[c]) for c in TEXT} | {c: _number(rows[c]) for c in NUMBERS if c != "score"}
        if x is not None:
            coded["x"] = _number(pd.Series(np.asarray(x, dtype=np.float64)))
        # Sums must not depend on the order of the rows.
        order = np.lexsort([coded[c][0] for c in ("condition", "category", "repetition", "item_id")])
        codes = {c: coded[c][0][order] for c in coded}
        labels = {c: coded[c][1] for c in coded}
        score = _scores(rows, codes["status"], labels["status"], order)
        said = labels["verdict"].index("ambiguous") if "ambiguous" in labels["verdict"] else -1
        ambiguous = (codes["verdict"] == said) & ~np.isnan(score)
        stems, stem_of_item = np.unique([str(i).split("@", 1)[0] for i in labels["item_id"]], return_inverse=True)
        table = cls(codes, labels, stem_of_item.astype(np.int64), [str(s) for s in stems], score, ambiguous)
        table._refuse_duplicates()
        return table

    def __len__(self) -> int:
        return len(self.score)

    def only(self, column: str) -> str:
        """The one label of a column that must not vary, e.g. "study"; "" for an empty table."""
        if len(self.labels[column]) > 1:
            raise ValueError(f"one {column} at a time, got {self.labels[column]}")
        return str(self.labels[column][0]) if self.labels[column] else ""

    def groups(self, by: Sequence[str], index: Codes | None = None) -> Iterator[tuple[dict[str, Any], Codes]]:
        """The labels and row positions of every combination of `by` that occurs, sorted."""
        index = np.arange(len(self)) if index is None else index
        if not len(index):
            return
        key = self._key(by)[index]
        order = np.argsort(key, kind="stable")
        for part in np.split(index[order], np.flatnonzero(np.diff(key[order])) + 1):
            yield {c: self.labels[c][self.codes[c][part[0]]] for c in by}, part

    def where(self, **wanted: Any) -> Codes:
        """Row positions at which every named column has the given label."""
        keep = np.ones(len(self), dtype=bool)
        for column, label in wanted.items():
            keep &= self.codes[column] == (self.labels[column].index(label) if label in self.labels[column] else -1)
        return np.flatnonzero(keep)

    def values(self, column: str, index: Codes) -> list[Any]:
        """The distinct labels of a column among some rows."""
        return [self.labels[column][c] for c in np.unique(self.codes[column][index])]

    def scores(self, index: Codes, denominator: Denominator, *, fill: float | None = None) -> Scores:
        """The matrix of `matrix` for the rows at `index`."""
        seed_codes, s = np.unique(self.codes["train_seed"][index], return_inverse=True)
        item_codes, j = np.unique(self.codes["item_id"][index], return_inverse=True)
        stem_codes, stem_of = np.unique(self.stem_of_item[item_codes], return_inverse=True)
        seeds = [None if v is None else int(v) for v in (self.labels["train_seed"][c] for c in seed_codes)]
        if None in seeds and len(seeds) > 1:
            raise ValueError(f"rows with and without train_seed in one cell of arm {self.values('arm', index)}")
        y = self.score[index] if fill is None else np.where(np.isnan(self.score[index]), fill, self.score[index])
        if denominator == "unambiguous":
            y = np.where(self.ambiguous[index], np.nan, y)
        if denominator == "stems":
            variants = _mean(y, s, j, (len(seeds), len(item_codes)))
            right = np.where(np.isnan(variants), np.nan, (variants >= 1 - 1e-9).astype(np.float64))
            order = np.argsort(stem_of, kind="stable")  # a NaN wins in minimum: the stem is then not known
            starts = np.searchsorted(stem_of[order], np.arange(len(stem_codes)))
            found = np.minimum.reduceat(right[:, order], starts, axis=1) if right.size else right
        else:
            found = _mean(y, s, stem_of[j], (len(seeds), len(stem_codes)))
        return Scores(found, seeds, [self.stems[c] for c in stem_codes])

    def counts(self, index: Codes, denominator: Denominator) -> Counts:
        """Rows attempted = scored + missing (+ ambiguous, where those are left out)."""
        missing = int(np.isnan(self.score[index]).sum())
        out = int(self.ambiguous[index].sum()) if denominator == "unambiguous" else 0
        return Counts(len(index), len(index) - missing - out, missing, out)

    def require_same_items(self) -> None:
        """Raise ValueError if arms that were asked the same eval were asked different items: they could not be compared."""
        for labels, index in self.groups(("eval",)):
            asked = {g["arm"]: frozenset(np.unique(self.codes["item_id"][i])) for g, i in self.groups(("arm",), index)}
            first, *others = asked
            for arm in others:
                odd = sorted(asked[first] ^ asked[arm])
                if odd:
                    names = ", ".join(self.labels["item_id"][c] for c in odd[:3])
                    raise ValueError(
                        f"eval {labels['eval']!r}: arms {first!r} and {arm!r} were asked different items "
                        f"({len(odd)} differ, e.g. {names})"
                    )

    def _key(self, by: Sequence[str]) -> Codes:
        """One integer per combination of labels, in sorted order of the labels."""
        key = np.zeros(len(self), dtype=np.int64)
        for column in by:
            key = key * max(1, len(self.labels[column])) + self.codes[column]
        return key

    def _refuse_duplicates(self) -> None:
        by = [c for c in ("study", *CELL, "x", "train_seed", "repetition", "category", "condition", "item_id") if c in self.codes]
        key = np.sort(_dense(self, by))
        twice = int((np.diff(key) == 0).sum())
        if twice:
            raise ValueError(f"{twice} rows repeat a response (same {', '.join(by)}): counting them twice would feign precision")


def _dense(table: Table, by: Sequence[str]) -> Codes:
    """Like `Table._key`, renumbered on the way where the product of label counts would overflow."""
    key, size = np.zeros(len(table), dtype=np.int64), 1
    for column in by:
        width = max(1, len(table.labels[column]))
        if size * width > 2**62:
            found, key = np.unique(key, return_inverse=True)
            size = len(found)
        key, size = key * width + table.codes[column], size * width
    return key


def _mean(y: Floats, row: Codes, column: Codes, shape: tuple[int, int]) -> Floats:
    """Mean of the known `y` per matrix cell, NaN where there are none."""
    known = ~np.isnan(y)
    cell = (row * shape[1] + column)[known]
    n = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, weights=y[known], minlength=shape[0] * shape[1])
    return np.where(n > 0, total / np.maximum(n, 1), np.nan).reshape(shape)


def _text(column: "pd.Series[Any]") -> tuple[Codes, list[Any]]:
    codes, labels = pd.factorize(column.astype("object").where(column.notna(), ""), sort=True)
    return codes.astype(np.int64), [str(label) for label in labels]


def _number(column: "pd.Series[Any]") -> tuple[Codes, list[Any]]:
    """Codes of numbers; null is the label None, put first."""
    values = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    found, codes = np.unique(np.where(np.isnan(values), -np.inf, values), return_inverse=True)
    return codes.astype(np.int64), [None if v == -np.inf else float(v) for v in found]


def _scores(rows: pd.DataFrame, status: Codes, statuses: list[str], order: Codes) -> Floats:
    """Scores in sorted order, NaN unless scored."""
    unknown = sorted(set(statuses) - set(STATUSES))
    if unknown:
        raise ValueError(f"unknown status {unknown}; allowed: {', '.join(STATUSES)}")
    score: Floats = pd.to_numeric(rows["score"]).to_numpy(dtype=np.float64, na_value=np.nan)[order]
    scored = status == (statuses.index("scored") if "scored" in statuses else -1)
    bad = scored & ~((score >= 0) & (score <= 1))
    if bad.any():
        raise ValueError(f"{int(bad.sum())} rows are 'scored' with a score that is null or outside [0, 1]")
    return np.where(scored, score, np.nan)
