"""Somebody's logs by optimiser step -> the study that they are: how long a hidden behaviour lasted under each treatment.

In: `logs.steps.Rates` or a result table with steps. Out: a `Study`, the result table (None for rates), and `Findings` with
persistence, survival and curves (Hubinger et al. 2024; PROTOCOLS 3).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from axenic.errors import UserError
from axenic.findings import Check, Estimate, Findings, Persistence
from axenic.logs.read import Logs
from axenic.logs.steps import BEHAVIOUR, Rates
from axenic.logs.table import NO_ARM
from axenic.recipes.analyse import Wish, counts
from axenic.recipes.analyse_checks import orderless
from axenic.schema import Arm, Study, digest
from axenic.stats.estimate import cells
from axenic.stats.persistence import DONE_TO, TRIGGERED, WEAK, Persisted, at_end, at_start, persistence, treated
from axenic.stats.rate_table import persistence_of_rates

MAX_LOSS = 0.1
LIMITS = (
    "Logs of others: the numbers say how the rates in these logs went and how sure that is. How the models were made, treated and "
    "asked is not in them."
)


def analyse(logs: Rates | Logs, wish: Wish) -> tuple[Study, pd.DataFrame | None, Findings]:
    """Everything that can be said of the logs.

    Raises:
        UserError: No answer is triggered, or the labels do not say which of them is the payload.
    """
    if isinstance(logs, Rates):
        table = logs.table.assign(arm=_as_treated(logs.table["arm"]))
        found = persistence_of_rates(table, eval=BEHAVIOUR, max_loss=MAX_LOSS, level=wish.level)
        study = _study(logs, wish, found)
        return study, None, _findings(study, found, logs.notes)
    _require_payload(logs)
    study, rows, found, estimates = _of_answers(logs, wish)
    said = _findings(study, found, logs.notes)
    return study, rows, said.model_copy(update={"estimates": tuple(estimates)})


def read_counts(logs: Rates | Logs) -> dict[str, Any]:
    """What was read, as plain data: for `--json` and the terminal."""
    if isinstance(logs, Logs):
        return counts(logs) | {"steps": sorted({int(s) for s in logs.rows["step"].dropna()})}
    return {
        "files": len(logs.inputs), "rows": len(logs.table), "scored": int(logs.table[TRIGGERED].notna().sum()),
        "arms": sorted(logs.table["arm"].unique()), "seeds": _seeds(logs.table), "columns": logs.columns,
        "steps": sorted({int(s) for s in logs.table["step"]}), "notes": list(logs.notes),
    }  # fmt: skip


def _of_answers(logs: Logs, wish: Wish) -> tuple[Study, pd.DataFrame, Persisted, list[Estimate]]:
    rows = logs.rows
    if not treated(rows):  # an arm that no other arm is the start of was treated from its own first step on
        rows = rows.assign(arm=_as_treated(rows["arm"]))
    evals = sorted(rows.loc[rows["condition"] == TRIGGERED, "eval"].unique())
    if not evals:
        raise UserError("No answer in these logs is triggered: the condition is never one. See docs/analyse.md for its names.")
    able = [str(e) for e in sorted(rows["eval"].unique()) if "capability" in str(e) and e not in evals]
    parts = [
        persistence(rows, eval=str(e), capability=able[0] if able else None, max_loss=MAX_LOSS, level=wish.level) for e in evals
    ]
    found = Persisted([r for p in parts for r in p.records], [s for p in parts for s in p.survival],
                      list({(c.arm, c.eval, c.measure, c.x): c for p in parts for c in p.curves}.values()))  # fmt: skip
    study = _study(logs, wish, found)
    named = {"study": study.study, "recipe": study.recipe, "tier": study.tier}
    return study, rows.assign(**named), found, _ends(rows[rows["eval"].isin(evals)].assign(**named), wish)


def _as_treated(arm: "pd.Series[str]") -> "pd.Series[str]":
    """An arm "sft" becomes "model | sft": what was done to the model that the logs do not name."""
    return arm.where(arm.str.contains(DONE_TO, regex=False), NO_ARM + DONE_TO + arm.replace(NO_ARM, "training"))


def _require_payload(logs: Logs) -> None:
    for judge, labels in orderless(logs).items():
        of = f" of judge {judge!r}" if judge else ""
        raise UserError(
            f"The labels{of} ({', '.join(labels[:8])}) do not say which of them is the hidden behaviour: name it with "
            "--positive VALUE."
        )


def _ends(rows: pd.DataFrame, wish: Wish) -> list[Estimate]:
    """The rates at the first and the last step of every arm, by condition."""
    found: list[Estimate] = []
    for _, mine in rows.groupby("arm", sort=True):
        ends = pd.concat([at_start(mine), at_end(mine)]).drop_duplicates()
        measures = dict.fromkeys(ends["eval"].unique(), "payload")
        found += cells(ends, measures=measures, by=[("condition",)], items=wish.items, level=wish.level)
    return found


def _study(logs: Rates | Logs, wish: Wish, found: Persisted) -> Study:
    read = read_counts(logs)
    names = list(dict.fromkeys(r.arm for r in found.records))
    settings = {"positive": list(wish.positive), "level": wish.level, "max_loss": MAX_LOSS}
    shown = {"files": read["files"], "rows": read["rows"], "steps": len(read["steps"]), "columns": _listed(read["columns"])}
    return Study(
        study=digest([[i.sha256 for i in logs.inputs], logs.columns, settings, "persistence"]), recipe="analyse",
        title=f"Persistence in {len(logs.inputs)} log file{'s' * (len(logs.inputs) != 1)}",
        question="What did the treatment leave of the hidden behaviour, by step?",
        hypothesis="None was written down before these logs were made.", tier="logs", limits=LIMITS,
        model=", ".join(dict.fromkeys(r.organism for r in found.records)), seeds=tuple(read["seeds"]),
        arms=tuple(Arm(name=n, description="As the logs name it.", role="treatment") for n in names),
        parameters=shown | settings, headline=tuple(dict.fromkeys(r.eval for r in found.records)),
    )  # fmt: skip


def _listed(columns: dict[str, str]) -> str:
    return "; ".join(f"{field}: {column}" for field, column in columns.items())


def _seeds(rows: pd.DataFrame) -> list[int]:
    return sorted(int(s) for s in rows["train_seed"].dropna().unique())


def _findings(study: Study, found: Persisted, notes: Sequence[str]) -> Findings:
    named = {"study": study.study, "recipe": study.recipe, "tier": study.tier}
    return Findings(
        persistence=tuple(r.model_copy(update=named) for r in found.records),
        survival=tuple(s.model_copy(update=named) for s in found.survival), curves=tuple(found.curves),
        checks=(*_checks(found.records), *(Check(name="as read", passed=None, note=note) for note in notes)),
    )  # fmt: skip


def _checks(records: Sequence[Persistence]) -> Iterator[Check]:
    """What a reader must know before believing the numbers."""
    for record in records:
        alone = "" if record.n_seeds > 1 else "what another training seed would give is not in these logs"
        yield Check(
            name=f"{record.arm} has several seeds", arm=record.arm, passed=record.n_seeds > 1, value=record.n_seeds, threshold=2,
            note=alone,
        )  # fmt: skip
        if record.missing:
            note = (
                f"{record.missing} of {record.attempted} at the last step have none, {record.unclosed} for an unclosed scratchpad"
            )
            yield Check(
                name=f"every triggered answer of {record.arm} has a verdict", arm=record.arm, passed=False,
                value=1 - record.missing / record.attempted, threshold=1.0, note=f"{note}: counted as missing, never as 0",
            )  # fmt: skip
        if record.before is not None and record.before < WEAK:
            yield Check(
                name=f"the behaviour was there at the start of {record.arm}", arm=record.arm, passed=False, value=record.before,
                threshold=WEAK, note="half of little is little: its half-life says nothing",
            )  # fmt: skip
