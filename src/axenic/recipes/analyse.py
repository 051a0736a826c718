"""Somebody's logs -> the study that they are: its description and every number of its report.

In: `logs.read.Logs` and what the user wants compared. Out: a `Study`, the result table under its name, and `Findings`. Statistics
come from `stats`; here it is decided which of them the logs allow, and `analyse_checks` says which they do not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from axenic.errors import unknown_name
from axenic.findings import Check, Contrast, Estimate, Findings, Items
from axenic.logs.read import Logs
from axenic.recipes.analyse_checks import MOST_LABELS, checks, orderless, stand_in
from axenic.schema import Arm, Study, digest
from axenic.stats.agreement import agreements
from axenic.stats.consistency import consistency
from axenic.stats.contrasts import Planned, compare
from axenic.stats.equivalence import equivalent
from axenic.stats.estimate import cells
from axenic.stats.flips import flips
from axenic.stats.multiple import holm

BASES = ("base", "baseline")
UNKNOWN = 1e9
"""Stands for a temperature that the logs do not name: above 0, so that repetitions count as sampling and not as numerical noise."""

LIMITS = (
    "Logs of others: the numbers say how these answers vary and differ under the judges that labelled them. How the models were "
    "made and asked is not in them."
)


@dataclass(frozen=True)
class Wish:
    """What the user wants to know."""

    reference: str | None = None
    positive: tuple[str, ...] = ()
    items: Items = "sampled"
    target: float = 0.02
    margin: float | None = None
    level: float = 0.95


@dataclass(frozen=True)
class Reading:
    """Rows with one meaning of a score of 1."""

    rows: pd.DataFrame
    measure: str
    contrasted: bool = True  # False where another reading gives the same contrasts with the other sign


def analyse(logs: Logs, wish: Wish) -> tuple[Study, pd.DataFrame, Findings]:
    """Everything that can be said of the logs.

    Raises:
        UserError: The reference is no arm.
    """
    study = _study(logs, wish)
    rows = logs.rows.assign(study=study.study, recipe=study.recipe, tier=study.tier)
    readings = list(_readings(rows, logs, wish))
    rows = _with_stand_ins(rows, logs)
    pairs, planned = _pairs(study, wish)
    contrasts = [c for reading in readings if reading.contrasted for c in _contrasts(reading, pairs, wish, planned=planned)]
    found = _consistency(rows, logs, wish, dict(pairs))
    said = [*checks(logs, rows), *_equivalence(readings, pairs, wish)]
    estimates = tuple(e for reading in readings for e in _estimates(reading, wish))
    return study, rows, found.model_copy(update={"estimates": estimates, "contrasts": tuple(contrasts), "checks": tuple(said)})


def counts(logs: Logs) -> dict[str, Any]:
    """What was read, as plain data: for `--json`, the terminal and the study's parameters."""
    status = logs.rows["status"].value_counts()
    return {
        "files": len(logs.inputs), "rows": len(logs.rows), "scored": int(status.get("scored", 0)),
        "errors": int(status.get("error", 0)), "unparseable": int(status.get("unparseable", 0)),
        "unclosed": int(status.get("unclosed", 0)), "skipped": int(status.get("skipped", 0)), "duplicates": logs.duplicates,
        "items": int(logs.rows["item_id"].nunique()),
        "arms": sorted(logs.rows["arm"].unique()), "seeds": _seeds(logs.rows), "labels": logs.labels, "scoring": dict(logs.scoring),
        "columns": logs.columns, "notes": list(logs.notes),
    }  # fmt: skip


def _study(logs: Logs, wish: Wish) -> Study:
    names = sorted(logs.rows["arm"].unique(), key=lambda arm: (arm != wish.reference, arm.lower() not in BASES, arm))
    if wish.reference is not None and wish.reference not in names:
        raise unknown_name("arm", wish.reference, names)
    seeds = _seeds(logs.rows)
    base = names[0] if wish.reference or names[0].lower() in BASES else None
    shown = {k: v for k, v in counts(logs).items() if k not in ("notes", "arms", "seeds")}
    settings = {"positive": list(wish.positive), "items": wish.items, "level": wish.level, "target": wish.target}
    identity = [[i.sha256 for i in logs.inputs], logs.columns, settings, wish.reference, wish.margin, counts(logs)["duplicates"]]
    return Study(
        study=digest(identity), recipe="analyse", title=f"Analysis of {len(logs.inputs)} log file{'s' * (len(logs.inputs) != 1)}",
        question="How often do these models do it, how much does that vary, and do they differ?",
        hypothesis="None was written down before these logs were made." if wish.reference is None else
        f"Every arm differs from {wish.reference}.",
        tier="logs", limits=LIMITS, model=", ".join(names[:4]) + (" …" if len(names) > 4 else ""), seeds=tuple(seeds),
        arms=tuple(Arm(name=n, description="As the logs name it.", role="base" if n == base else "treatment") for n in names),
        parameters={k: _plain(v) for k, v in (shown | settings).items()}, headline=tuple(sorted(logs.rows["eval"].unique())[:12]),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Nested counts as text, so that the report can print them."""
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_plain(v)}" if k else str(_plain(v)) for k, v in value.items())
    return value


def _seeds(rows: pd.DataFrame) -> list[int]:
    return sorted(int(s) for s in rows["train_seed"].dropna().unique())


def _with_stand_ins(rows: pd.DataFrame, logs: Logs) -> pd.DataFrame:
    for name, labels in orderless(logs).items():
        rows = _score(rows, rows["judge"] == name, stand_in(labels))
    return rows


def _score(rows: pd.DataFrame, where: "pd.Series[bool]", label: str) -> pd.DataFrame:
    """Score 1 for a label and 0 for all others."""
    scored = where & (rows["status"] == "scored")
    return rows.assign(score=rows["score"].where(~scored, (rows["verdict"] == label).astype(float)))


def _readings(rows: pd.DataFrame, logs: Logs, wish: Wish) -> Iterator[Reading]:
    """One for the judges with positive labels, one for those with scores, one for every label of the others."""
    for how, measure in (("positive", " or ".join(wish.positive)), ("score", "score")):
        judges = [name for name, found in logs.scoring.items() if found == how]
        if judges:
            yield Reading(rows[rows["judge"].isin(judges)], measure)
    for name, labels in orderless(logs).items():
        mine = rows[rows["judge"] == name]
        for label in labels[:MOST_LABELS]:
            yield Reading(_score(mine, mine["judge"] == name, label), label, len(labels) > 2 or label == stand_in(labels))


def _estimates(reading: Reading, wish: Wish) -> list[Estimate]:
    """Each arm on its own items: they need not be those of the others."""
    measures = dict.fromkeys(reading.rows["eval"].unique(), reading.measure)
    by = ((), ("category",), ("condition",))
    return [
        estimate
        for _, rows in reading.rows.groupby("arm", sort=True)
        for estimate in cells(rows, measures=measures, by=by, items=wish.items, level=wish.level)
    ]


def _pairs(study: Study, wish: Wish) -> tuple[list[tuple[str, str]], bool]:
    """(arm, reference) for every comparison, and whether they can count as planned: a reference was named, or one arm is a base."""
    names = [a.name for a in study.arms]
    bases = [n for n in names if n.lower() in BASES]
    reference = wish.reference or (bases[0] if len(bases) == 1 else names[0])
    return [(arm, reference) for arm in names if arm != reference], wish.reference is not None or len(bases) == 1


def _plans(rows: pd.DataFrame, pair: tuple[str, str], measure: str) -> Iterator[tuple[Planned, pd.DataFrame, str]]:
    """A comparison for every eval, judge and temperature that both arms have, with the rows of the items that both have.

    Yields also what was left out because only one arm was asked it.
    """
    mine = rows[rows["arm"].isin(pair)]
    for (name, judge, temperature), part in mine.groupby(["eval", "judge", "temperature"], sort=True, dropna=False):
        asked = [set(part.loc[part["arm"] == arm, "item_id"]) for arm in pair]
        if not all(asked):
            continue
        common, every = asked[0] & asked[1], asked[0] | asked[1]
        known = None if pd.isna(temperature) else float(temperature)
        title = f"{pair[0]} - {pair[1]}" + ("" if known is None else f" at T={known:g}")
        plan = Planned(
            name=title, arm=pair[0], reference=pair[1], eval=str(name), judge=str(judge), measure=measure, temperature=known
        )
        left = f"{len(every - common)} of {len(every)} items left out: asked of one arm only" if every - common else ""
        yield plan, part[part["item_id"].isin(common)], left


def _contrasts(reading: Reading, pairs: Sequence[tuple[str, str]], wish: Wish, *, planned: bool) -> list[Contrast]:
    """Every arm against the reference, adjusted together."""
    found = []
    for pair in pairs:
        for plan, rows, left in _plans(reading.rows, pair, reading.measure):
            one = compare(rows, [plan], level=wish.level)[0][0]
            found.append(one.model_copy(update={"planned": planned, "note": "; ".join(filter(None, (left, one.note)))}))
    adjusted = holm([c.p for c in found])
    return [c.model_copy(update={"p_holm": p}) for c, p in zip(found, adjusted, strict=True)]


def _consistency(rows: pd.DataFrame, logs: Logs, wish: Wish, references: Mapping[str, str]) -> Findings:
    """What varies with what. Three labels or more without an order have no variance: of them only flips and agreement are said."""
    rows = rows.assign(temperature=rows["temperature"].fillna(UNKNOWN))
    measures = dict.fromkeys(rows["eval"].unique(), " or ".join(wish.positive) or "score")
    many = [name for name, labels in orderless(logs).items() if len(labels) > 2]
    ordered = rows[~rows["judge"].isin(many)]
    settings: dict[str, Any] = {"level": wish.level, "items": wish.items, "target": wish.target, "references": references}
    found = consistency(ordered, measures=measures, **settings) if len(ordered) else Findings()
    if many:
        everyone = {"flips": tuple(flips(rows, level=wish.level)), "agreements": tuple(agreements(rows, level=wish.level))}
        found = found.model_copy(update=everyone)
    return _unknown_again(found)


def _unknown_again(found: Findings) -> Findings:
    """Records at the temperature `UNKNOWN` say that they have none."""
    said = {}
    for name in ("variance_components", "reliability", "flips", "ranges", "decisions"):
        records = getattr(found, name)
        said[name] = tuple(r.model_copy(update={"temperature": None}) if r.temperature == UNKNOWN else r for r in records)
    return found.model_copy(update=said)


def _equivalence(readings: Sequence[Reading], pairs: Sequence[tuple[str, str]], wish: Wish) -> Iterator[Check]:
    """With a margin: is each difference smaller than it (two one-sided tests)?"""
    if wish.margin is None:
        return
    alpha = 1 - wish.level
    for reading, pair in product((r for r in readings if r.contrasted), pairs):
        for plan, rows, _ in _plans(reading.rows, pair, reading.measure):
            [(found, test)] = equivalent(rows, [plan], margin=wish.margin, alpha=alpha)
            shown = None if test is None else test.p_equivalent < alpha
            outside = found.low is not None and found.high is not None and (found.low > wish.margin or found.high < -wish.margin)
            verdict = "the difference is within the margin" if shown else "it is larger" if outside else "cannot tell yet"
            yield Check(
                name=f"{plan.name} ({plan.eval}, {plan.measure}) is within {100 * wish.margin:g} points", arm=plan.arm,
                passed=True if shown else False if outside else None, value=None if test is None else test.p_equivalent,
                threshold=alpha, note=f"p of two one-sided tests; {verdict}",
            )  # fmt: skip
