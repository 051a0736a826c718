"""The two-way bootstrap on 1,000,000 rows with 10,000 resamples: rows -> matrix -> resampled means -> interval.

Prints seconds, peak memory of the process, and the ratio to the straightforward way in pandas and numpy: `pivot_table`, then for
every resample rows and columns of the matrix by drawn index (timed on 200 resamples and scaled up). Promised: <= 5 s and <= 2 GiB
on 2 cores. Run: python benchmarks/bootstrap.py [SEEDS ITEMS REPETITIONS]
"""

import json
import resource
import sys
import time

import numpy as np
import pandas as pd

from axenic.schema import RESULT_COLUMNS
from axenic.stats.bootstrap import pigeonhole
from axenic.stats.tables import matrix

RESAMPLES, PEER_RESAMPLES = 10_000, 200


def table(seeds: int, items: int, repetitions: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    s, i, r = (a.ravel() for a in np.meshgrid(np.arange(seeds), np.arange(items), np.arange(repetitions), indexing="ij"))
    chance = 1 / (1 + np.exp(-(0.3 * rng.normal(size=seeds)[s] + rng.normal(size=items)[i])))
    score = (rng.random(len(s)) < chance).astype(np.float64)
    names = np.array([f"item-{k:06}" for k in range(items)], dtype=object)
    filled = {c: "" for c in RESULT_COLUMNS} | {
        "arm": "a", "eval": "e", "judge": "exact", "status": "scored", "epoch": 1.0, "temperature": 0.7, "step": 1, "n_tokens": 1,
    }  # fmt: skip
    return pd.DataFrame(
        filled | {"train_seed": s, "item_id": names[i], "repetition": r, "score": score, "verdict": np.where(score, "yes", "no")},
        columns=list(RESULT_COLUMNS),
    )


def ours(rows: pd.DataFrame) -> tuple[float, float]:
    began = time.perf_counter()
    scores = matrix(rows, "all").matrix_S_I
    middle = time.perf_counter()
    pigeonhole(scores, rng=np.random.default_rng(1), resamples=RESAMPLES)
    return middle - began, time.perf_counter() - middle


def peer(rows: pd.DataFrame) -> float:
    rng = np.random.default_rng(1)
    began = time.perf_counter()
    y = rows.pivot_table(index="train_seed", columns="item_id", values="score", aggfunc="mean").to_numpy()
    collapsed = time.perf_counter() - began
    began = time.perf_counter()
    found = [y[np.ix_(rng.integers(0, n, n), rng.integers(0, m, m))].mean() for n, m in [y.shape] for _ in range(PEER_RESAMPLES)]
    np.quantile(found, [0.025, 0.975])
    return collapsed + (time.perf_counter() - began) * RESAMPLES / PEER_RESAMPLES


def main() -> None:
    shape = [int(a) for a in sys.argv[1:4]] or [5, 20_000, 10]
    rows = table(*shape)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    collapse, resample = ours(rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    theirs = peer(rows)
    print(
        json.dumps(
            {
                "rows": len(rows),
                "resamples": RESAMPLES,
                "ratio": round((collapse + resample) / theirs, 4),
                "seconds": round(collapse + resample, 2),
                "seconds_rows_to_matrix": round(collapse, 2),
                "seconds_resampling": round(resample, 2),
                "peer_seconds": round(theirs, 2),
                "peak_gib": round(peak / 2**20, 2),
                "peak_gib_with_the_table_alone": round(before / 2**20, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
