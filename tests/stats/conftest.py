"""Result tables for tests, with only what matters written out."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from axenic.schema import RESULT_COLUMNS

DEFAULT: dict[str, Any] = {
    "study": "s", "recipe": "sdf", "tier": "lab", "arm": "a", "train_seed": 0, "epoch": 1.0, "temperature": 0.0,
    "repetition": 0, "eval": "e", "item_id": "i0", "judge": "exact", "status": "scored", "verdict": "yes", "n_tokens": 1,
}  # fmt: skip


def table(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows with defaults; a score of None is an error row."""
    full = []
    for record in records:
        row = {c: "" for c in RESULT_COLUMNS} | DEFAULT | {"score": 1.0} | record
        full.append(row | ({"status": record.get("status", "error")} if row["score"] is None else {}))
    found = pd.DataFrame(full, columns=list(RESULT_COLUMNS))
    return found.astype({"score": "float64"})


def grid(scores_S_I: Sequence[Sequence[float | None]], **common: Any) -> list[dict[str, Any]]:
    """One record per cell of a seeds x items matrix. `seeds=[None]` for an arm without training."""
    seeds = common.pop("seeds", range(len(scores_S_I)))
    return [
        {**common, "train_seed": seed, "item_id": f"i{i:03}", "score": score}
        for seed, row in zip(seeds, scores_S_I, strict=True)
        for i, score in enumerate(row)
    ]


@pytest.fixture
def make() -> Callable[..., pd.DataFrame]:
    """`make(records, records, ...)` -> result table."""
    return lambda *parts: table([record for part in parts for record in part])


@pytest.fixture
def cells_of() -> Callable[..., list[dict[str, Any]]]:
    """`cells_of(matrix, arm=..., ...)` -> records."""
    return grid
