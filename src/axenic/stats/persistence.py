"""What a treatment leaves of a hidden behaviour, by optimiser step: rates, half-life, survival over seeds, hiding and return.

In: the result table with `step`: arm "ORGANISM | TREATMENT", conditions "triggered" and "untriggered"; the organism's own last
epoch is step 0. Out: `Curve`s, `Persistence`, `Survival` and `Contrast`s. Hubinger et al. 2024 (PROTOCOLS 3);
docs/persistence_statistics.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from axenic.findings import Curve, Persistence, Survival
from axenic.stats.crossed import Floats, drop_empty, known_mean
from axenic.stats.curves import CAPABILITY_FLOOR, crossing, curve
from axenic.stats.estimate import ABOUT_THE_TEXT
from axenic.stats.intervals import Interval, not_estimable, two_way
from axenic.stats.profile import per_seed
from axenic.stats.survival import Life, median_life, survival
from axenic.stats.tables import COHERENCE, Table

DONE_TO = " | "
"""Between an arm and what was done to it."""
TRIGGERED, UNTRIGGERED = "triggered", "untriggered"
NAME, X_LABEL = "persistence", "optimiser steps"
WEAK = 0.5
"""A seed whose organism shows the behaviour in less than this share is named: half of little is little."""

Lines = dict[int, tuple[Floats, Floats]]
"""By seed: steps, and the rate at each."""


class Persisted(NamedTuple):
    """The records of one eval."""

    records: list[Persistence]
    survival: list[Survival]
    curves: list[Curve]


@dataclass(frozen=True)
class Course:
    """One treated arm from its start (step 0) to its last step."""

    arm: str
    organism: str
    treatment: str
    rows: pd.DataFrame  # `step` is a number, `epoch` the same everywhere: steps tell points apart
    notes: tuple[str, ...] = ()

    def of(self, **wanted: str) -> pd.DataFrame:
        """The rows with these labels."""
        keep = np.ones(len(self.rows), dtype=bool)
        for column, label in wanted.items():
            keep &= (self.rows[column] == label).to_numpy(dtype=bool)
        return self.rows[keep]


def treated(rows: pd.DataFrame) -> list[str]:
    """The arms "ORGANISM | TREATMENT", sorted; what was treated twice is left to `hiding.returned`."""
    return sorted(str(arm) for arm in rows["arm"].unique() if str(arm).count(DONE_TO) == 1)


def persistence(
    rows: pd.DataFrame,
    *,
    eval: str,
    capability: str | None = None,
    arms: Sequence[str] | None = None,
    max_loss: float = 0.1,
    level: float = 0.95,
) -> Persisted:
    """Everything about one eval of a hidden behaviour, for every treated arm.

    Rates have seed x item intervals (`intervals.two_way`). A seed's half-life is the step at which its triggered rate first falls
    to half of its own start, by linear interpolation between the steps measured; it speaks of these items. A step at which the
    seed's capability is below 90 % of its start does not count as a fall: the model broke. A seed that never falls is censored at
    its last step that counts. The median and its limits are those of `survival.median_life`.

    Args:
        rows: The result table of one study.
        eval: Whose score of 1 is the payload; conditions "triggered" and "untriggered".
        capability: The eval of capability. None: nothing is masked, and the rate at a loss is not estimable.
        arms: The treated arms; by default every "ORGANISM | TREATMENT". An arm without " | ", or without rows of its organism,
            starts at its own first step.
        max_loss: Share of capability that may be lost where `at_loss` is read.
        level: Confidence level.

    Returns:
        One record per arm and judge (judges of the text as such left out), with `Survival` points, and `Curve`s called
        "persistence": "payload, triggered", "payload, untriggered", and beside them `capability` and the judge of coherence.
    """
    found = Persisted([], [], [])
    for arm in treated(rows) if arms is None else arms:
        walked = course(rows, arm)
        judges = sorted(str(j) for j in walked.of(eval=eval)["judge"].unique() if j not in ABOUT_THE_TEXT)
        for judge in judges:
            lives, notes = _lives(walked, eval, judge, capability)
            record = _record(walked, eval, judge, capability, lives, max_loss, level)
            found.records.append(_noted(record, (*walked.notes, *notes)))
            found.survival.extend(survival_records(record, lives, level))
            shown = eval if len(judges) == 1 else f"{eval} ({judge})"
            found.curves.extend(_curves(walked, eval, judge, capability, shown))
        found.curves.extend(_beside(walked, eval, capability) if judges else [])
    return found


def course(rows: pd.DataFrame, arm: str) -> Course:
    """The rows of a treated arm with those of its organism at its end as step 0.

    Raises:
        ValueError: No rows of the arm, or one without a step.
    """
    organism, _, treatment = arm.rpartition(DONE_TO)
    after = rows[rows["arm"] == arm]
    if not len(after) or after["step"].isna().any():
        raise ValueError(f"{len(after)} rows of arm {arm!r}, of which {int(after['step'].isna().sum())} have no step")
    start = rows[(rows["arm"] == organism) & rows["eval"].isin(after["eval"].unique())] if organism else rows[:0]
    notes: list[str] = []
    if len(start):
        start = at_end(start)
        odd = sorted(set(start["train_seed"].dropna()) ^ set(after["train_seed"].dropna()))
        if odd:
            notes.append(f"seeds {', '.join(f'{int(s)}' for s in odd)} left out: not both before and after")
            start, after = (part[~part["train_seed"].isin(odd)] for part in (start, after))
        after = after[after["step"] > 0]
    elif organism:
        notes.append(f"no rows of {organism!r}: its first step ({float(after['step'].min()):g}) stands for the start")
    whole = pd.concat([start.assign(step=0.0), after.assign(step=after["step"].astype(float))], ignore_index=True)
    return Course(arm, organism or arm, treatment or arm, whole.assign(arm=arm, epoch=0.0), tuple(notes))


def at_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of every seed and eval at the last epoch, and there at the last step."""
    for column in ("epoch", "step"):
        value = rows[column].astype(float).fillna(0.0)
        rows = rows[value == value.groupby([_seed(rows), rows["eval"]]).transform("max")]
    return rows


def at_start(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of every seed at its first step."""
    return rows[rows["step"] == rows["step"].groupby(_seed(rows)).transform("min")]


def _seed(rows: pd.DataFrame) -> "pd.Series[float]":
    """The training seed; 0 where there is none, as in `profile.per_seed`."""
    return rows["train_seed"].astype("Float64").astype(float).fillna(0.0)


# --- per seed --------------------------------------------------------------------------------------------------------------


def life(x: Floats, y: Floats, *, masked: Sequence[bool] | None = None) -> Life | None:
    """When the triggered rate of one seed first fell to half of its start.

    Args:
        x: Steps, rising; the first is the start.
        y: The rate at each, NaN where nothing was scored.
        masked: Steps that do not count, because capability was lost there.

    Returns:
        None if there is no start to fall from: nothing scored there, or a rate of 0.
    """
    if not len(y) or np.isnan(y[0]) or y[0] == 0:
        return None
    fall = crossing(x, y, 0.5 * y[0] * (1 + 1e-9), masked=masked)  # half itself counts as fallen
    if fall.value is None:
        return Life(float(x[0]) if fall.censored_at is None else fall.censored_at, False)
    return Life(round(fall.value, 6), True)


def _lives(walked: Course, eval: str, judge: str, capability: str | None) -> tuple[list[Life], list[str]]:
    """When each seed fell to half of its start, and what must be known about it."""
    lives, notes = [], []
    able = _lines(walked.of(eval=capability)) if capability else {}
    if not able:
        notes.append("capability unknown: no step is masked")
    for seed, (x, y) in _lines(walked.of(eval=eval, judge=judge, condition=TRIGGERED)).items():
        masked = _broke(x, able.get(seed))
        found = life(x, y, masked=masked)
        if found is None:
            notes.append(f"seed {seed}: the behaviour was never there, or not measured at the start, so no half-life")
            continue
        lives.append(found)
        if y[0] < WEAK:
            notes.append(f"seed {seed} starts at {y[0]:.2f} only")
        if any(masked):
            notes.append(f"seed {seed}: {sum(masked)} steps masked for lost capability, the first {x[int(np.argmax(masked))]:g}")
    return lives, notes


def _lines(rows: pd.DataFrame) -> Lines:
    """The mean score of every seed by step."""
    rows = rows[~rows["judge"].isin(ABOUT_THE_TEXT)]
    return per_seed(rows, rows["step"].to_numpy(dtype=np.float64), eval=str(rows["eval"].iloc[0])) if len(rows) else {}


def _broke(x: Floats, able: tuple[Floats, Floats] | None) -> list[bool]:
    """The steps at which capability is known to be below its floor."""
    if able is None or np.isnan(able[1][0]):
        return [False] * len(x)
    lost = {at: value < CAPABILITY_FLOOR * able[1][0] - 1e-9 for at, value in zip(*able, strict=True)}
    return [bool(lost.get(at, False)) for at in x]


def _last_capable(walked: Course, capability: str, max_loss: float) -> dict[int, float]:
    """By seed, the last step whose capability is at least (1 - max_loss) of its start."""
    return {
        seed: float(x[y >= (1 - max_loss) * y[0] - 1e-9][-1])
        for seed, (x, y) in _lines(walked.of(eval=capability)).items()
        if not np.isnan(y[0])
    }


# --- records ---------------------------------------------------------------------------------------------------------------


def _record(
    walked: Course, eval: str, judge: str, capability: str | None, lives: Sequence[Life], max_loss: float, level: float
) -> Persistence:
    fired, quiet = (walked.of(eval=eval, judge=judge, condition=c) for c in (TRIGGERED, UNTRIGGERED))
    (before, _), (after, used) = (_rate(part, level) for part in (at_start(fired), at_end(fired)))
    quiet_before, quiet_after = (_rate(part, level)[0] for part in (at_start(quiet), at_end(quiet)))
    half = median_life(lives, level=level)
    shared = {c: str(walked.rows[c].iloc[0]) for c in ("study", "recipe", "tier")}
    return Persistence(
        **shared, arm=walked.arm, organism=walked.organism, treatment=walked.treatment, eval=eval, judge=judge,
        steps=float(walked.of(eval=eval)["step"].max()),
        before=before.value, before_low=before.low, before_high=before.high,
        after=after.value, after_low=after.low, after_high=after.high,
        untriggered_before=quiet_before.value, untriggered_after=quiet_after.value,
        untriggered_low=quiet_after.low, untriggered_high=quiet_after.high,
        half_life=half.value, half_life_low=half.low, half_life_high=half.high, censored=sum(not life.fell for life in lives),
        **(_capable(walked, fired, capability, max_loss, level) if capability else {}), **_denominators(at_end(fired)),
        max_loss=max_loss, n_seeds=used.shape[0] if fired["train_seed"].notna().any() else 0, n_items=used.shape[1], level=level,
        method=f"rates: {after.method}; half-life: {half.method}",
        note="; ".join(filter(None, (_differing_ends(fired), after.note, half.note and f"half-life: {half.note}"))),
    )  # fmt: skip


def _rate(rows: pd.DataFrame, level: float) -> tuple[Interval, Floats]:
    """The mean score with its seed x item interval, and the matrix that it comes from."""
    if not len(rows):
        return not_estimable(note="no rows"), np.zeros((0, 0))
    scores = Table.of(rows).scores(np.arange(len(rows)), "all").matrix_S_I
    return two_way(scores, level=level), drop_empty(scores)


def _capable(walked: Course, fired: pd.DataFrame, capability: str, max_loss: float, level: float) -> dict[str, Any]:
    """Capability before and after, and the triggered rate where little of it is lost; each seed at a step of its own."""
    able = walked.of(eval=capability)
    able = able[~able["judge"].isin(ABOUT_THE_TEXT)]
    chosen = _last_capable(walked, capability, max_loss)
    seed = _seed(fired)
    measured = {s: fired["step"][(seed == s) & (fired["step"] <= step)].max() for s, step in chosen.items()}
    found, _ = _rate(fired[fired["step"] == seed.map(measured)], level)
    steps = [float(s) for s in measured.values() if not pd.isna(s)]
    return {
        "capability_before": _rate(at_start(able), level)[0].value, "capability_after": _rate(at_end(able), level)[0].value,
        "at_loss": found.value, "at_loss_low": found.low, "at_loss_high": found.high,
        "at_loss_step": float(np.median(steps)) if steps else None,
    }  # fmt: skip


def _denominators(rows: pd.DataFrame) -> dict[str, Any]:
    """What was asked at the end, what of it has no verdict, and the rate over all of it."""
    missing = rows["status"] != "scored"
    found: dict[str, Any] = {
        "attempted": len(rows), "missing": int(missing.sum()), "unclosed": int((rows["status"] == "unclosed").sum()),
    }  # fmt: skip
    if len(rows):
        filled = drop_empty(Table.of(rows).scores(np.arange(len(rows)), "all", fill=0.0).matrix_S_I)
        found["after_all"] = float(known_mean(filled, axis=1).mean())
    return found


def _differing_ends(rows: pd.DataFrame) -> str:
    last = rows["step"].groupby(_seed(rows)).max()
    return "" if last.nunique() < 2 else f"seeds end at other steps ({last.min():g} to {last.max():g}); each at its own last"


def _noted(record: Persistence, notes: Sequence[str]) -> Persistence:
    lost = ""
    if record.missing and record.after_all is not None:
        lost = (
            f"{record.missing} of {record.attempted} triggered responses at the end have no verdict ({record.unclosed} unclosed "
            f"scratchpads); counted as no payload: {record.after_all:.3f}"
        )
    return record.model_copy(update={"note": "; ".join(filter(None, (record.note, lost, *notes)))})


def survival_records(record: Persistence, lives: Sequence[Life], level: float) -> list[Survival]:
    """The survival of the seeds of one record."""
    shared = {c: getattr(record, c) for c in ("study", "recipe", "tier", "arm", "treatment", "eval")}
    return [
        Survival(**shared, **point._asdict(), x_label=X_LABEL, n_seeds=len(lives), level=level)
        for point in survival(lives, level=level)
    ]


# --- curves ----------------------------------------------------------------------------------------------------------------


def _curves(walked: Course, eval: str, judge: str, capability: str | None, shown: str) -> list[Curve]:
    """The rates by step, masked where the arm's mean capability is lost."""
    found: list[Curve] = []
    able = walked.of(eval=capability) if capability else walked.rows[:0]
    able = able[~able["judge"].isin(ABOUT_THE_TEXT)]
    for condition in (TRIGGERED, UNTRIGGERED):
        part = walked.of(eval=eval, judge=judge, condition=condition)
        both = pd.concat([part, able], ignore_index=True)
        points = _points(both, {eval: f"payload, {condition}"}, capability if len(able) else None)
        found += [point.model_copy(update={"eval": shown}) for point in points if point.eval == eval]
    return found


def _beside(walked: Course, eval: str, capability: str | None) -> list[Curve]:
    """Capability, and how much of the eval's answers is coherent, by step."""
    able = walked.of(eval=capability) if capability else walked.rows[:0]
    able = able[~able["judge"].isin(ABOUT_THE_TEXT)]
    sane = walked.of(eval=eval, judge=COHERENCE)
    found = _points(able, {str(capability): "correct"}, capability) if len(able) else []
    return found + _points(sane.assign(eval=COHERENCE), {COHERENCE: "coherent"}, None)


def _points(rows: pd.DataFrame, measures: Mapping[str, str], capability: str | None) -> list[Curve]:
    x = rows["step"].to_numpy(dtype=np.float64)
    return curve(rows, x, name=NAME, x_label=X_LABEL, measures=measures, capability=capability)
