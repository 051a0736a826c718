"""The section that shows what the models said: the same item, side by side, for every arm.

In: the result table. Out: a `Section`. Items are picked by rule, spread over an eval's categories and never by outcome.
"""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from axenic.report import numbers
from axenic.report.run import Run
from axenic.report.section import Section, legend

ITEMS_PER_EVAL = 4
PROMPT_LIMIT, RESPONSE_LIMIT = 3_000, 1_500  # characters shown; the result table holds the rest


def transcripts(run: Run) -> Section | None:
    """Before and after: for a spread of items of every eval, the response of every arm."""
    rows = _one_response_per_item(run.results)
    evals = []
    for name in _eval_order(run, rows):
        items = [_item(run, group) for group in _spread(rows[rows["eval"] == name])]
        if items:
            evals.append({"name": name, "questions": items})
    if not evals:
        return None
    arms = [arm for arm in run.arms if arm in set(rows["arm"])]
    base = next((arm for arm in run.base_arms if arm in arms), arms[0] if arms else "")
    return Section("Before and after", "transcripts", {"evals": evals, "arms": arms, "base": base, "legend": legend(run, arms)})


def _one_response_per_item(rows: pd.DataFrame) -> pd.DataFrame:
    """Of every arm and item: its last epoch, its first seed, repetition and judge, the lowest temperature."""
    order = ["epoch", "train_seed", "temperature", "repetition", "judge"]
    ranked = rows.sort_values(order, ascending=[False, True, True, True, True], kind="stable")
    return ranked.drop_duplicates(["eval", "item_id", "condition", "arm"])


def _eval_order(run: Run, rows: pd.DataFrame) -> list[str]:
    present = sorted(set(rows["eval"]))
    known = [name for name in run.evals if name in present]
    return known + [name for name in present if name not in known]


def _spread(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Up to `ITEMS_PER_EVAL` items, taken from the categories and conditions in turn."""
    if rows.empty:
        return []
    items = [group for _, group in rows.groupby(["item_id", "condition"], sort=True, dropna=False)]
    turn: dict[Hashable, int] = {}
    ranked: list[tuple[int, int]] = []
    for i, group in enumerate(items):
        kind = (group["category"].iloc[0], group["condition"].iloc[0])
        turn[kind] = turn.get(kind, -1) + 1
        ranked.append((turn[kind], i))
    return [items[i] for _, i in sorted(ranked)[:ITEMS_PER_EVAL]]


def _item(run: Run, group: pd.DataFrame) -> dict[str, Any]:
    first = group.iloc[0]
    said = {row.arm: _response(row) for row in group.itertuples()}
    return {
        "id": first["item_id"],
        "kind": " · ".join(numbers.label(str(part)) for part in (first["category"], first["condition"]) if part),
        "prompt": numbers.shorten(str(first["prompt"]), PROMPT_LIMIT),
        "responses": [{"arm": arm, **said[arm]} for arm in run.arms if arm in said],
    }


def _response(row: Any) -> dict[str, Any]:
    outcome = row.verdict or row.status
    where = [f"epoch {row.epoch:g}"] if isinstance(row.epoch, float) and math.isfinite(row.epoch) and row.epoch > 0 else []
    if row.train_seed is not None and not pd.isna(row.train_seed):
        where.append(f"seed {int(row.train_seed)}")
    cut = " (cut at the length limit)" if row.finish_reason == "length" else ""
    text = numbers.shorten(str(row.response), RESPONSE_LIMIT)
    return {
        "text": text,
        "verdict": numbers.label(str(outcome)),
        "scored": row.status == "scored",
        "where": ", ".join(where) + cut,
    }
