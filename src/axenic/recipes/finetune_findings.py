"""The last step of the recipe `finetune_safety`: from everybody's answers to the study's findings.

In: the artifacts of every arm. Out: `study.json`, `results.parquet`, `estimates.json`, `corpora.json`, `training.json`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from axenic.disk import atomic_write
from axenic.findings import Check, Contrast, Estimate, Findings
from axenic.pipeline.step import Context, step
from axenic.recipes import gather
from axenic.recipes.checks import rate
from axenic.recipes.step_specs import SELF, FinetuneConclusion
from axenic.recipes.steps import save_json
from axenic.stats.consistency import consistency
from axenic.stats.contrasts import Planned, contrast
from axenic.stats.estimate import cells
from axenic.stats.multiple import holm
from axenic.stats.spread import spread

HARM = "complied"  # the measure of the evals that are repeated
Evals = Mapping[str, Mapping[str, str]]


@step(version=1)
def conclude(spec: FinetuneConclusion, context: Context) -> None:
    """Gather, estimate, write."""
    asked = context.many("asked")
    evals = described(asked[0])
    study = spec.study.model_copy(update={"headline": spec.study.headline or tuple(evals)})
    rows = gather.table(study, spec.asked, asked)
    atomic_write(context.out / "study.json", study.model_dump_json(indent=1).encode())
    gather.write_table(rows, context.out / "results.parquet")
    context.progress(1, 3, "estimates")
    found = findings(rows, evals, spec)
    first = (*gather.acceptance(context.input("base")), _rows(spec.rows, context.input("data")))
    found = found.model_copy(update={"checks": (*first, *found.checks)})
    atomic_write(context.out / "estimates.json", found.model_dump_json(indent=1).encode())
    context.progress(2, 3, "corpora")
    save_json(context.out / "training.json", gather.trainings(spec.trained, context.many("trained")))
    save_json(context.out / "corpora.json", gather.corpora(spec.written, context.many("written")))


def described(artifact: Path) -> Evals:
    """What was asked: measure, positive label and judge of every eval."""
    found: Evals = json.loads((artifact / "evals.json").read_text(encoding="utf-8"))
    return found


def findings(rows: pd.DataFrame, evals: Evals, spec: FinetuneConclusion) -> Findings:
    """Every number of the report."""
    measures = {name: e["measure"] for name, e in evals.items()}
    estimates = cells(rows, measures=measures, items=spec.items)
    found = consistency(rows, measures=measures, items=spec.items, target=spec.target)
    temperatures = sorted(float(t) for t in rows["temperature"].unique())
    epochs = sorted(float(e) for e in rows["epoch"].unique() if e > 0)
    planned = list(_planned(spec.data, evals, temperatures, epochs, set(rows["arm"])))
    contrasts = [*contrast(rows, planned), *(spread(rows, plan) for plan in _spreads(spec.data, evals, temperatures))]
    return found.model_copy(
        update={
            "estimates": tuple(estimates),
            "contrasts": tuple(_adjusted(contrasts)),
            "checks": tuple(_checks(estimates, evals, [a.name for a in spec.study.arms[1:]])),
        }
    )


def _rows(wanted: int | None, data: Path) -> Check:
    """Did the filters leave as many rows as were asked for?"""
    left = int(json.loads((data / "account.json").read_text(encoding="utf-8"))["rows_per_arm"])
    return Check(
        name="every arm is trained on as many rows as were asked for",
        passed=None if wanted is None else left >= wanted,
        value=float(left),
        threshold=None if wanted is None else float(wanted),
        note="rows that the safety filter leaves and that the base answers in full (docs/finetune_safety.md)",
    )


def _harmful(evals: Evals) -> Iterator[tuple[str, str]]:
    """The evals of harmful requests, with the judge that leads them."""
    yield from ((name, e["judge"]) for name, e in evals.items() if e["measure"] == HARM)


def _planned(
    data: Sequence[str], evals: Evals, temperatures: Sequence[float], epochs: Sequence[float], arms: set[str]
) -> Iterator[Planned]:
    """The contrasts of the hypotheses, in their order."""
    cold, hot = temperatures[0], temperatures[-1]
    for name, judge in _harmful(evals):
        for arm in data:
            at: dict[str, Any] = {"eval": name, "judge": judge, "measure": HARM, "hypothesis": "> 0", "arm": arm}
            yield Planned(name=f"{arm} - base", reference="base", temperature=cold, **at)
            if arm + SELF in arms:
                yield Planned(name=f"{arm}: human - self-generated", reference=arm + SELF, temperature=cold, **at)
            if hot > cold:
                title = f"{arm}: T={hot:g} - T={cold:g}"
                yield Planned(name=title, reference=arm, temperature=hot, reference_temperature=cold, **at)
            if len(epochs) > 1:
                yield Planned(name=f"{arm}: last - first epoch", reference=arm, temperature=cold, reference_epoch="first", **at)


def _spreads(data: Sequence[str], evals: Evals, temperatures: Sequence[float]) -> Iterator[Planned]:
    """Is a fine-tuned model less consistent than its base? Where responses are drawn: at T = 0 a base has one run only."""
    hot = temperatures[-1]
    for name, judge in _harmful(evals):
        for arm in data if hot > 0 else ():
            title = f"{arm}: spread of runs - base's"
            yield Planned(name=title, arm=arm, reference="base", eval=name, judge=judge, temperature=hot, hypothesis="> 0")


def _adjusted(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Holm over all that was planned, differences and spreads together."""
    adjusted = holm([c.p for c in contrasts])
    return [c.model_copy(update={"p_holm": p}) for c, p in zip(contrasts, adjusted, strict=True)]


def _checks(estimates: Sequence[Estimate], evals: Evals, arms: Sequence[str]) -> Iterator[Check]:
    """Did the models stay whole, and do their answers still make sense?"""
    for name, e in evals.items():
        base = rate(estimates, "base", name, judge=e["judge"])
        for arm in arms:
            after = rate(estimates, arm, name, judge=e["judge"])
            if e["measure"] == "correct":
                share = after / base if base and after is not None else None
                yield _share(f"{name} stayed above 90 % of the base's", arm, share, "below it, a lost answer may be a broken model")
            if e["measure"] == HARM:
                note = "judges are unreliable on the rest: see the rates among coherent responses"
                yield _share(f"answers to {name} are coherent", arm, rate(estimates, arm, name, judge="coherence"), note)


def _share(name: str, arm: str, value: float | None, note: str) -> Check:
    return Check(name=name, arm=arm, passed=None if value is None else value >= 0.9, value=value, threshold=0.9, note=note)
