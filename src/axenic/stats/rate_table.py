"""Persistence from a table of rates, where the single answers are not known.

In: one row per arm, seed and step with the triggered and untriggered rate. Out: what `persistence` gives, as far as rates go:
intervals over seeds (Student's t on seed rates), over items only for a single seed whose number of answers is known.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Curve, Persistence
from axenic.stats.crossed import Floats
from axenic.stats.curves import capability_mask
from axenic.stats.intervals import Interval, clopper_pearson_limits, not_estimable, t_interval, wilson
from axenic.stats.persistence import (
    DONE_TO,
    NAME,
    TRIGGERED,
    UNTRIGGERED,
    WEAK,
    X_LABEL,
    Persisted,
    life,
    survival_records,
)
from axenic.stats.survival import Life, median_life

CAPABILITY = "capability"


def persistence_of_rates(table: pd.DataFrame, *, eval: str, max_loss: float = 0.1, level: float = 0.95) -> Persisted:
    """The record, survival and curves of every arm.

    Args:
        table: Columns arm ("ORGANISM | TREATMENT"), train_seed (null where there is one run), step, triggered, untriggered,
            capability, n, n_untriggered (answers per rate); NaN for what is not known.
        eval: What the records call the eval.
        max_loss: Share of capability that may be lost where `at_loss` is read.
        level: Confidence level.
    """
    found = Persisted([], [], [])
    for arm, rows in table.sort_values("step", kind="stable").groupby("arm", sort=True):
        runs = [run.reset_index(drop=True) for _, run in rows.groupby("train_seed", dropna=False, sort=True)]
        lives, notes = _lives(runs)
        record = _record(str(arm), runs, lives, notes, (eval, max_loss, level))
        found.records.append(record)
        found.survival.extend(survival_records(record, lives, level))
        found.curves.extend(_curves(str(arm), eval, rows, level))
    return found


def _lives(runs: Sequence[pd.DataFrame]) -> tuple[list[Life], list[str]]:
    lives, notes = [], []
    for run in runs:
        seed = run["train_seed"].iloc[0]
        name = "the run" if pd.isna(seed) else f"seed {int(seed)}"
        masked = _masked(run)
        found = life(_values(run, "step"), _values(run, TRIGGERED), masked=masked)
        if found is None:
            notes.append(f"{name}: the behaviour was never there, or not measured at the start, so no half-life")
            continue
        lives.append(found)
        start = float(run[TRIGGERED].iloc[0])
        notes += [f"{name} starts at {start:.2f} only"] if start < WEAK else []
        notes += [f"{name}: {sum(masked)} steps masked for lost capability"] if any(masked) else []
    return lives, notes


def _masked(run: pd.DataFrame) -> list[bool]:
    """The steps at which capability is known to be lost."""
    return _broke(_values(run, CAPABILITY))


def _broke(able: Floats) -> list[bool]:
    if not able.size or np.isnan(able[0]):
        return [False] * able.size
    return [bool(m) for m in capability_mask(able) & ~np.isnan(able)]


def _record(
    arm: str, runs: Sequence[pd.DataFrame], lives: Sequence[Life], notes: Sequence[str], asked: tuple[str, float, float]
) -> Persistence:
    eval, max_loss, level = asked
    organism, _, treatment = arm.rpartition(DONE_TO)
    first, last = pd.concat([r.iloc[[0]] for r in runs]), pd.concat([r.iloc[[-1]] for r in runs])
    before, after = _rate(first, TRIGGERED, level), _rate(last, TRIGGERED, level)
    quiet_before, quiet_after = _rate(first, UNTRIGGERED, level), _rate(last, UNTRIGGERED, level)
    half = median_life(lives, level=level)
    known = [r for r in runs if not np.isnan(r[CAPABILITY].iloc[0])]
    lost = int(last[TRIGGERED].isna().sum())
    gone = f"{lost} of {len(runs)} runs have no triggered rate at their last step" if lost else ""
    said = [
        after.note,
        gone,
        half.note and f"half-life: {half.note}",
        *notes,
        "" if known else "capability unknown: no step is masked",
    ]
    return Persistence(
        arm=arm, organism=organism or arm, treatment=treatment, eval=eval, steps=float(last["step"].max()),
        before=before.value, before_low=before.low, before_high=before.high,
        after=after.value, after_low=after.low, after_high=after.high,
        untriggered_before=quiet_before.value, untriggered_after=quiet_after.value,
        untriggered_low=quiet_after.low, untriggered_high=quiet_after.high,
        half_life=half.value, half_life_low=half.low, half_life_high=half.high, censored=sum(not x.fell for x in lives),
        capability_before=_mean(first[CAPABILITY]), capability_after=_mean(last[CAPABILITY]), max_loss=max_loss,
        **_at_loss(known, max_loss, level), n_seeds=0 if first["train_seed"].isna().all() else len(runs),
        n_items=0 if last["n"].isna().any() else int(last["n"].min()), level=level,
        method=f"rates: {after.method}; half-life: {half.method}", note="; ".join(filter(None, said)),
    )  # fmt: skip


def _at_loss(runs: Sequence[pd.DataFrame], max_loss: float, level: float) -> dict[str, Any]:
    """The triggered rate of every run at the last step at which little capability is lost."""
    if not runs:
        return {}
    chosen = pd.concat([r[r[CAPABILITY] >= (1 - max_loss) * r[CAPABILITY].iloc[0] - 1e-9].iloc[[-1]] for r in runs])
    found = _rate(chosen, TRIGGERED, level)
    return {
        "at_loss": found.value, "at_loss_low": found.low, "at_loss_high": found.high,
        "at_loss_step": float(chosen["step"].median()),
    }  # fmt: skip


def _rate(rows: pd.DataFrame, condition: str, level: float) -> Interval:
    """The mean over runs of one rate each, inside [0, 1].

    Several runs: Student's t. Where all agree, Clopper-Pearson on the answers of one run, if their number is known: the runs may
    have been asked the same. One run: Wilson, if the number is known.
    """
    rows = rows[rows[condition].notna()]
    values, sizes = _values(rows, condition), _values(rows, "n")
    if condition == UNTRIGGERED:
        own = _values(rows, "n_untriggered")
        sizes = np.where(np.isnan(own), sizes, own)
    counted = len(sizes) > 0 and not np.isnan(sizes).any()
    if len(values) == 1 and counted:
        return wilson(float(values[0] * sizes[0]), float(sizes[0]), level=level)
    found = t_interval(values, level=level)
    if found.low is None or found.high is None:
        if len(values) < 2 or not counted or found.value is None:
            why = "one run, and how many answers it gave is not known" if len(values) == 1 else found.note
            return not_estimable(found.value, why)
        low, high = clopper_pearson_limits(min(max(found.value, 0.0), 1.0), float(sizes.min()), level)
        return Interval(found.value, low, high, f"items only ({len(values)} seeds do not vary), Clopper-Pearson")
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high), f"t on {len(values)} seed rates")


def _mean(column: "pd.Series[float]") -> float | None:
    return float(column.mean()) if column.notna().any() else None


def _values(rows: pd.DataFrame, column: str) -> Floats:
    found: Floats = rows[column].to_numpy(dtype=np.float64)
    return found


def _curves(arm: str, eval: str, rows: pd.DataFrame, level: float) -> Iterator[Curve]:
    steps = [(float(str(x)), part) for x, part in rows.groupby("step", sort=True)]
    broke = _broke(np.array([np.nan if (m := _mean(part[CAPABILITY])) is None else m for _, part in steps]))
    shown = ((eval, TRIGGERED, f"payload, {TRIGGERED}"), (eval, UNTRIGGERED, f"payload, {UNTRIGGERED}"),
             (CAPABILITY, CAPABILITY, "correct"))  # fmt: skip
    for name, column, measure in shown:
        for (x, part), lost in zip(steps, broke, strict=True):
            if rows[column].isna().all():
                continue
            found = _rate(part, column, level)
            yield Curve(
                name=NAME, arm=arm, eval=name, measure=measure, x=x, x_label=X_LABEL, value=found.value, low=found.low,
                high=found.high, method=found.method, masked=lost,
                n_seeds=0 if part["train_seed"].isna().all() else len(part),
            )  # fmt: skip
