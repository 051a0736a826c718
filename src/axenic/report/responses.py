"""A few responses out of a large result table, without reading its texts.

In: `results.parquet`. Out: first the columns that say which response is which (narrow: a million rows in about a second), then
the texts of the rows that somebody picked, read in batches and one row group at a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from axenic.errors import UserError

NAMES = ["arm", "eval", "item_id", "category", "condition", "finish_reason", "judge", "status", "verdict"]
KEYS = [*NAMES, "train_seed", "epoch", "step", "temperature", "repetition"]
TEXTS = ["prompt", "response"]
BATCH = 8_192  # rows of text held at once
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Responses:
    """The result table of a run; empty where `path` is None."""

    path: Path | None

    def keys(self) -> pd.DataFrame:
        """Every row without its texts, names as categories.

        Raises:
            UserError: The file is no result table.
        """
        if self.path is None:
            return pd.DataFrame(columns=KEYS)
        with _readable(self.path):
            frame: pd.DataFrame = pq.read_table(self.path, columns=KEYS, read_dictionary=NAMES).to_pandas()
        return frame.astype({name: "category" for name in NAMES})

    def with_texts(self, picked: pd.DataFrame) -> pd.DataFrame:
        """Rows of `keys` (by their index) with "prompt" and "response"."""
        places = np.sort(picked.index.to_numpy(dtype=np.int64))
        if self.path is None or not len(places):
            return picked.assign(prompt="", response="")
        with _readable(self.path):
            texts = pd.concat(list(self._texts(places)))
        return picked.join(texts)

    def _texts(self, places: Places) -> Iterator[pd.DataFrame]:
        """The texts at `places` (sorted row numbers), by row number."""
        assert self.path is not None
        with pq.ParquetFile(self.path) as file:
            start = 0
            for group in range(file.metadata.num_row_groups):
                end = start + file.metadata.row_group(group).num_rows
                if _within(places, start, end).size:
                    yield from _group_texts(file, group, places, start)
                start = end


def _group_texts(file: pq.ParquetFile, group: int, places: Places, start: int) -> Iterator[pd.DataFrame]:
    for batch in file.iter_batches(batch_size=BATCH, row_groups=[group], columns=TEXTS):
        here = _within(places, start, start + batch.num_rows)
        if here.size:
            yield pd.DataFrame(batch.take(here - start).to_pydict(), index=here)
        start += batch.num_rows


def _within(places: Places, start: int, end: int) -> Places:
    first, last = np.searchsorted(places, [start, end])
    return places[first:last]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # pyarrow has no common base class for a broken or foreign file
        raise UserError(f"{path} is not a readable result table ({error}). Rerun the study to write it anew.") from error


def group_codes(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """For each row the number of its group, in the order of the columns' values."""
    numbered: pd.Series = rows.groupby(list(columns), observed=True, dropna=False, sort=True).ngroup()
    return numbered
