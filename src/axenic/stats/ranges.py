"""The min-max bars of Fraser et al. (2025), beside what they hide.

In: the result table. Out: `findings.Range` records per arm, eval, epoch, temperature and judge over runs = (training seed,
repetition): minimum, maximum, mean; the standard deviation of one run, which does not grow with their number as the bar does;
and the binomial noise that a reader would expect of the items alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Range
from axenic.stats.crossed import Floats
from axenic.stats.cube import without_derived
from axenic.stats.mean_squares import Combination, Key, MeanSquare, modified_large_sample, value_of
from axenic.stats.tables import Codes, Table


def ranges(rows: pd.DataFrame, *, measures: Mapping[str, str] | None = None, level: float = 0.95) -> list[Range]:
    """A bar for every cell of the study.

    Args:
        rows: The result table of one study.
        measures: What a score of 1 means, by eval. Default "score".
        level: Confidence level of the standard deviation's limits.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    return ranges_of(Table.of(rows), measures=measures or {}, level=level)


def ranges_of(table: Table, *, measures: Mapping[str, str], level: float) -> list[Range]:
    """`ranges` of a coded table."""
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")}
    found = []
    for labels, index in table.groups(("arm", "eval", "epoch", "temperature", "judge"), without_derived(table)):
        fields = _bar(table, index, level)
        found.append(Range(**(shared | labels | fields), measure=measures.get(labels["eval"], "score")))
    return found


def _bar(table: Table, index: Codes, level: float) -> dict[str, Any]:
    scored = index[~np.isnan(table.score[index])]
    if not len(scored):
        return {"note": "nothing scored"}
    seed, repetition = (table.codes[c][scored] for c in ("train_seed", "repetition"))
    key, run = np.unique(seed * len(table.labels["repetition"]) + repetition, return_inverse=True)
    runs = key // len(table.labels["repetition"])
    means = np.bincount(run, weights=table.score[scored]) / np.bincount(run)
    value = float(means.mean())
    sd, low, high, note = spread(runs, means, level=level)
    notes = [note]
    if len(scored) < len(index):
        notes.append(f"{len(index) - len(scored)} of {len(index)} rows missing: runs may not be on the same items")
    n_seeds = len([c for c in np.unique(runs) if table.labels["train_seed"][c] is not None])
    binomial = float(np.sqrt(value * (1 - value) * len(means) / len(scored))) if 0 < value < 1 else None
    return {
        "value": value, "minimum": float(means.min()), "maximum": float(means.max()), "sd": sd, "sd_low": low, "sd_high": high,
        "n_runs": len(means), "n_seeds": n_seeds, "sampling_sd": binomial,
        "note": "; ".join(filter(None, notes)),
    }  # fmt: skip


def spread(seeds: Codes, means: Floats, *, level: float) -> tuple[float | None, float | None, float | None, str]:
    """Standard deviation of one run of a new seed, with limits, on these items.

    Repetitions of a seed are not new seeds: the variance is that between seeds plus that within, and the limits know how few seeds
    there are. With one repetition each, they are the chi-square limits.
    """
    if len(means) < 2:
        return None, None, None, "one run: no spread to see"
    by_seed = np.unique(seeds, return_inverse=True)[1]
    sizes = np.bincount(by_seed)
    each = np.bincount(by_seed, weights=means) / sizes
    n_seeds, within_df = len(each), float(len(means) - len(each))
    within = float(((means - each[by_seed]) ** 2).sum()) / within_df if within_df else 0.0
    squares: dict[Key, MeanSquare] = {"within": MeanSquare(within, within_df)}
    part: Combination = {"within": 1.0} if within_df else {}
    note = "one training seed: spread of repetitions only" if n_seeds == 1 else ""
    if n_seeds > 1:
        squares["between"] = MeanSquare(float(each.var(ddof=1)), n_seeds - 1.0)
        part = {"between": 1.0, "within": 1 - float((1 / sizes).mean())}
    variance = value_of(part, squares)
    if variance < 1e-16:
        return None, None, None, "; ".join(filter(None, [note, "runs do not vary"]))
    low, high = modified_large_sample(part, squares, level=level)
    return float(np.sqrt(variance)), float(np.sqrt(low)), float(np.sqrt(high)), note
