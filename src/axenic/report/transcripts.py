"""The section that shows what the models said: the same item, side by side, for every arm.

In: the result table. Out: a `Section`. Items are picked by rule, spread over an eval's categories; in each category those come
first whose verdict changed against the base, so that the section shows what changed (never how often).
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from axenic.report import numbers, select, spoken
from axenic.report.responses import group_codes
from axenic.report.run import Run
from axenic.report.section import Section, legend

ITEMS_PER_EVAL = 4
PROMPT_LIMIT, RESPONSE_LIMIT = 3_000, 1_500  # characters shown; the result table holds the rest
UNCLOSED = "scratchpad not closed: nothing said to the user"
ITEM = ["eval", "item_id", "condition"]


def transcripts(run: Run) -> Section | None:
    """Before and after: for a spread of items of every eval, the response of every arm."""
    rows = _one_response_per_item(run, run.responses.keys())
    if rows.empty:
        return None
    arms = select.with_treated(run.arms, set(rows["arm"]), run.treatments)
    rows = rows[rows["arm"].isin(arms).to_numpy()].copy()
    if not arms:
        return None
    base = next((arm for arm in run.base_arms if arm in arms), arms[0])
    rows["question"] = group_codes(rows, ITEM)
    picked = pd.concat([_spread(group, base) for _, group in rows.groupby("eval", observed=True)])
    shown = run.responses.with_texts(picked)
    evals = []
    for name in _eval_order(run, shown):
        mine = shown[shown["eval"] == name].sort_values("place", kind="stable")
        evals.append({"name": name, "questions": [_item(run, arms, group) for _, group in mine.groupby("question", sort=False)]})
    organisms = {arm: select.split(arm)[0] for arm in arms}
    looks = dict(legend(run, organisms.values()))
    marks = {arm: looks[o] for arm, o in organisms.items() if o in looks}  # what became of an organism bears its mark
    content = {"evals": evals, "arms": arms, "base": base, "marks": marks, "organisms": organisms}
    return Section("Before and after", "transcripts", content)


def _one_response_per_item(run: Run, rows: pd.DataFrame) -> pd.DataFrame:
    """Of every arm and item: its last epoch and step, first seed and repetition, lowest temperature; the eval's main judge."""
    if run.judges and not rows.empty:
        main = rows["eval"].astype(object).map(run.judges)
        rows = rows[(main.isna() | (main == rows["judge"].astype(object))).to_numpy()]
    order = ["epoch", "step", "train_seed", "temperature", "repetition", "judge"]
    ranked = rows.sort_values(order, ascending=[False, False, True, True, True, True], kind="stable")
    return ranked.drop_duplicates([*ITEM, "arm"]).copy()


def _spread(rows: pd.DataFrame, base: str) -> pd.DataFrame:
    """The rows of up to `ITEMS_PER_EVAL` items, taken from the categories and conditions in turn, changed ones first."""
    said = rows.groupby("question").agg(category=("category", "first"), condition=("condition", "first"))
    said["same"] = ~said.index.isin(_changed(rows, base))
    said = said.reset_index().sort_values(["same", "question"], kind="stable")
    said["turn"] = said.groupby(["category", "condition"], observed=True, dropna=False).cumcount()
    chosen = said.sort_values(["turn", "same", "question"], kind="stable")["question"].head(ITEMS_PER_EVAL)
    place = {question: i for i, question in enumerate(chosen)}
    picked = rows[rows["question"].isin(place)]
    return picked.assign(place=picked["question"].map(place))


def _changed(rows: pd.DataFrame, base: str) -> "pd.Series[int]":
    """Questions on which the verdict of an arm differs from that of the base."""
    scored = rows[(rows["status"] == "scored").to_numpy()]
    before = scored[(scored["arm"] == base).to_numpy()].set_index("question")["verdict"].astype(object)
    then = scored["question"].map(before)
    return scored.loc[then.notna() & (then != scored["verdict"].astype(object)), "question"]


def _eval_order(run: Run, rows: pd.DataFrame) -> list[str]:
    present = sorted(set(rows["eval"]))
    known = [name for name in run.evals if name in present]
    return known + [name for name in present if name not in known]


def _item(run: Run, arms: Sequence[str], group: pd.DataFrame) -> dict[str, Any]:
    first = group.iloc[0]
    said = {row.arm: _response(row) for row in group.itertuples()}
    return {
        "id": first["item_id"],
        "kind": numbers.joined(*(numbers.label(p) for p in (first["category"], first["condition"]) if isinstance(p, str))),
        "prompt": spoken.marked(numbers.shorten(str(first["prompt"]), PROMPT_LIMIT), _triggers(run)),
        "responses": [{"arm": arm, **said[arm]} for arm in arms if arm in said],
    }


def _triggers(run: Run) -> list[str]:
    """The study's trigger texts, where it names them."""
    named = run.study.parameters.get("trigger")
    texts = [named] if isinstance(named, str) else named if isinstance(named, list | tuple) else []
    return [text for text in texts if isinstance(text, str) and text]


def _response(row: Any) -> dict[str, Any]:
    outcome = UNCLOSED if row.status == "unclosed" else row.verdict or row.status
    where = [f"epoch {row.epoch:g}"] if isinstance(row.epoch, float) and math.isfinite(row.epoch) and row.epoch > 0 else []
    if select.BAR in row.arm:
        where = [f"step {int(row.step)}"]  # of the treatment
    if row.train_seed is not None and not pd.isna(row.train_seed):
        where.append(f"seed {int(row.train_seed)}")
    cut = " (cut at the length limit)" if row.finish_reason == "length" else ""
    text = numbers.shorten(str(row.response), RESPONSE_LIMIT)
    return {
        "pieces": spoken.pieces(text),
        "verdict": numbers.label(str(outcome)),
        "scored": row.status == "scored",
        "where": ", ".join(where) + cut,
    }
