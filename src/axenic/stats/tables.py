"""The one place where rows of the result table become numbers.

In: the result table (`schema.RESULT_COLUMNS`). Out: seeds x stems matrices of mean scores, and groups of rows.
Repetitions and variants of a stem are averaged first, since they are not independent evidence; a row whose status is not "scored"
is missing and never 0. Whether a response is coherent is what the judge "coherence" says of it, whoever else judges it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.findings import Denominator
from axenic.schema import Status
from axenic.stats.crossed import Floats

Codes = npt.NDArray[np.int64]
CELL = ("arm", "eval", "judge", "temperature", "epoch")
"""Rows that differ in one of these are never averaged."""

TEXT = ("study", "recipe", "tier", "arm", "eval", "judge", "category", "condition", "item_id", "status", "verdict")
NUMBERS = ("temperature", "epoch", "train_seed", "repetition", "score")
STATUSES = get_args(Status)
COHERENCE = "coherence"
"""The judge whose verdict "coherent" decides the denominator of that name."""
RESPONSE = ("study", "arm", "eval", "temperature", "epoch", "x", "train_seed", "repetition", "category", "condition", "item_id")
"""What tells one response from another; rows that agree in all of these are several judges' views of it."""


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
    left_out: int  # by the denominator: scored but "ambiguous", or not "coherent"


def matrix(rows: pd.DataFrame, denominator: Denominator, *, fill: float | None = None) -> Scores:
    """Mean scores by training seed and stem for the rows of one cell.

    Args:
        rows: Result rows of one arm, eval, judge, temperature and epoch.
        denominator: "all" averages repetitions and variants; "unambiguous" drops the verdict "ambiguous" first; "stems" gives 1
            to a stem only if the mean of every variant is 1, and nothing if a variant has no score. "coherent" needs rows of other
            judges too: `Table.scores`.
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
    coherent: npt.NDArray[np.bool_]  # the judge "coherence" calls the row's response coherent

    @classmethod
    def of(cls, rows: pd.DataFrame, *, x: Sequence[float] | Floats | None = None) -> "Table":
        """Check the rows and code them. `x` is a further axis of `curve`, one number per row."""
        absent = [c for c in (*TEXT, *NUMBERS) if c not in rows]
        if absent:
            raise ValueError(f"the result table lacks the columns {', '.join(absent)}")
        coded = {c: _text(rows[c]) for c in TEXT} | {c: _number(rows[c]) for c in NUMBERS if c != "score"}
        if x is not None:
            coded["x"] = _number(pd.Series(np.asarray(x, dtype=np.float64)))
        response = _key({c: coded[c][0] for c in RESPONSE if c in coded}, {c: len(coded[c][1]) for c in RESPONSE if c in coded})
        row = _key({"response": response, "judge": coded["judge"][0]}, {"response": len(rows), "judge": len(coded["judge"][1])})
        order = np.argsort(row, kind="stable")  # sums must not depend on the order of the rows
        _refuse_duplicates(row[order])
        codes = {c: coded[c][0][order] for c in coded}
        labels = {c: coded[c][1] for c in coded}
        score = _scores(rows, codes["status"], labels["status"], order)
        ambiguous = (codes["verdict"] == _code(labels["verdict"], "ambiguous")) & ~np.isnan(score)
        coherent = _coherent(codes, labels, response[order], score)
        stems, stem_of_item = np.unique([str(i).split("@", 1)[0] for i in labels["item_id"]], return_inverse=True)
        return cls(codes, labels, stem_of_item.astype(np.int64), [str(s) for s in stems], score, ambiguous, coherent)

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
            keep &= self.codes[column] == _code(self.labels[column], label)
        return np.flatnonzero(keep)

    def values(self, column: str, index: Codes) -> list[Any]:
        """The distinct labels of a column among some rows."""
        return [self.labels[column][c] for c in np.unique(self.codes[column][index])]

    def scores(self, index: Codes, denominator: Denominator, *, fill: float | None = None, runs: str = "train_seed") -> Scores:
        """The matrix of `matrix` for the rows at `index`; its rows are the labels of the column `runs`."""
        seed_codes, s = _inverse(self.codes[runs][index], len(self.labels[runs]))
        item_codes, j = _inverse(self.codes["item_id"][index], len(self.labels["item_id"]))
        stem_codes, stem_of = _inverse(self.stem_of_item[item_codes], len(self.stems))
        seeds = [None if v is None else int(v) for v in (self.labels[runs][c] for c in seed_codes)]
        if None in seeds and len(seeds) > 1:
            raise ValueError(f"rows with and without {runs} in one cell of arm {self.values('arm', index)}")
        y = self.score[index] if fill is None else np.where(np.isnan(self.score[index]), fill, self.score[index])
        out = self._left_out(index, denominator)
        y = y if out is None else np.where(out, np.nan, y)
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
        """Rows attempted = scored + missing (+ those that the denominator leaves out)."""
        missing = np.isnan(self.score[index])
        out = self._left_out(index, denominator)
        left_out = 0 if out is None else int(out.sum())
        lost = int(missing.sum() if out is None else (missing & ~out).sum())
        return Counts(len(index), len(index) - lost - left_out, lost, left_out)

    def _left_out(self, index: Codes, denominator: Denominator) -> npt.NDArray[np.bool_] | None:
        """The rows that are not in the denominator at all; None for none."""
        if denominator not in ("unambiguous", "coherent"):
            return None
        out: npt.NDArray[np.bool_] = self.ambiguous[index] if denominator == "unambiguous" else ~self.coherent[index]
        return out

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
        return _key({c: self.codes[c] for c in by}, {c: len(self.labels[c]) for c in by}, len(self))


def _key(codes: dict[str, Codes], widths: dict[str, int], size: int = 0) -> Codes:
    """One integer per combination of codes, in their sorted order; renumbered on the way where products would overflow."""
    key, n = np.zeros(len(next(iter(codes.values()))) if codes else size, dtype=np.int64), 1
    for column, code in codes.items():
        width = max(1, widths[column])
        if n * width > 2**62:
            found, key = np.unique(key, return_inverse=True)
            n = len(found)
        key, n = (key if n == 1 else key * width) + code, n * width
    return key


def _refuse_duplicates(sorted_key: Codes) -> None:
    twice = int((np.diff(sorted_key) == 0).sum())
    if twice:
        by = [c for c in (*RESPONSE, "judge") if c != "x"]
        raise ValueError(f"{twice} rows repeat a response (same {', '.join(by)}): counting them twice would feign precision")


def _coherent(codes: dict[str, Codes], labels: dict[str, list[Any]], response: Codes, score: Floats) -> npt.NDArray[np.bool_]:
    """Rows of responses that the judge of coherence called coherent. `response` is sorted, and names the response of each row."""
    said: npt.NDArray[np.bool_] = codes["verdict"] == _code(labels["verdict"], "coherent")
    said &= codes["judge"] == _code(labels["judge"], COHERENCE)
    if not said.any():
        return said
    number = np.cumsum(np.diff(response, prepend=response[0]) != 0)
    good = np.zeros(int(number[-1]) + 1, dtype=bool)
    good[number[said & ~np.isnan(score)]] = True
    found: npt.NDArray[np.bool_] = good[number]
    return found


def _code(labels: list[Any], label: Any) -> int:
    return labels.index(label) if label in labels else -1


def _inverse(codes: Codes, width: int) -> tuple[Codes, Codes]:
    """The codes that occur, sorted, and the place of each among them; like `np.unique`, without a sort."""
    seen = np.zeros(width, dtype=bool)
    seen[codes] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[codes]


def _mean(y: Floats, row: Codes, column: Codes, shape: tuple[int, int]) -> Floats:
    """Mean of the known `y` per matrix cell, NaN where there are none."""
    known = ~np.isnan(y)
    cell = (row * shape[1] + column)[known]
    n = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, weights=y[known], minlength=shape[0] * shape[1])
    return np.where(n > 0, total / np.maximum(n, 1), np.nan).reshape(shape)


def _text(column: "pd.Series[Any]") -> tuple[Codes, list[Any]]:
    """Codes of texts; null is the label ""."""
    codes, found = pd.factorize(column)
    names = [str(name) for name in found] + ([""] if (codes < 0).any() else [])  # null is -1, the last of them
    labels, place = np.unique(np.array(names, dtype=object), return_inverse=True)
    return (place[codes] if len(names) else codes).astype(np.int64), labels.tolist()


def _number(column: "pd.Series[Any]") -> tuple[Codes, list[Any]]:
    """Codes of numbers; null is the label None, put first."""
    values = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    codes, found = pd.factorize(np.where(np.isnan(values), -np.inf, values), sort=True)
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
