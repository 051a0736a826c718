"""The last step of the recipe `audit`: from the answers of the base and its fine-tunes to verdicts.

In: the answers of every model, and the models. Out: `study.json`, `results.parquet`, `estimates.json` with audits, the estimates
and changes they rest on (also by category), agreement of judges, and, with several runs or repetitions, what varies between them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import pandas as pd

from axenic.disk import atomic_write
from axenic.errors import UserError
from axenic.evals.judges.load import load_judge
from axenic.findings import Contrast, Estimate, Findings
from axenic.models.matching import require_comparable
from axenic.pipeline.step import Context, step
from axenic.recipes import gather, models
from axenic.recipes.audit import BASE, TUNED, AuditConclusion
from axenic.recipes.step_specs import located
from axenic.stats.agreement import agreements
from axenic.stats.audit import Harm, Terms, audit
from axenic.stats.consistency import consistency
from axenic.stats.contrasts import Planned, contrast
from axenic.stats.estimate import cells

COHERENCE = "coherence"
HARMFUL_CHANGE = {"complied": "up", "refused": "up", "correct": "down", "coherent": "down", "toxic": "up"}
"""The direction in which a measure gets worse. "refused" is asked of harmless requests only."""
BY_JUDGE = {COHERENCE: "coherent", "toxicity": "toxic"}
"""What judges of the text as such measure, whatever the eval asks."""
Evals = Mapping[str, Mapping[str, str]]


@step(version=1)
def conclude(spec: AuditConclusion, context: Context) -> None:
    """Gather, judge, write.

    Raises:
        UserError: The models read the same prompt as different tokens.
    """
    names = [spec.study.model, *(f"{TUNED} {label.seed}" for label in spec.asked[1:])]
    found = [models.last(artifact) for artifact in context.many("models")]
    require_comparable(dict(zip(names, found, strict=True)))
    asked = context.many("asked")
    evals: Evals = json.loads((asked[0] / "evals.json").read_text(encoding="utf-8"))
    deciding = tuple(load_judge(located(text, context.files)).name for text in spec.judges)
    rows = gather.table(spec.study, spec.asked, asked)
    study = spec.study.model_copy(update={"headline": (*evals, COHERENCE)})
    atomic_write(context.out / "study.json", study.model_dump_json(indent=1).encode())
    gather.write_table(rows, context.out / "results.parquet")
    result = findings(rows, evals, deciding, spec)
    atomic_write(context.out / "estimates.json", result.model_dump_json(indent=1).encode())


def findings(rows: pd.DataFrame, evals: Evals, deciding: Sequence[str], spec: AuditConclusion) -> Findings:
    """Every number of the report."""
    measures = {name: e["measure"] for name, e in evals.items()} | {COHERENCE: "coherent"}
    whole = pd.concat([rows, _all_text(rows)], ignore_index=True)
    harms = list(_harms(evals, deciding))
    terms = Terms(margin=spec.margin, level=spec.level, items=spec.items)
    repeated = int(rows["repetition"].max()) > 0 or rows["train_seed"].nunique() > 1
    found = (
        consistency(rows, measures=measures, level=spec.level, items=spec.items, target=spec.margin)
        if repeated
        else Findings(agreements=tuple(agreements(rows, level=spec.level)))
    )
    return found.model_copy(
        update={
            "estimates": tuple(map(_named, cells(whole, measures=measures, items=spec.items, level=spec.level))),
            "contrasts": tuple(_contrasts(whole, harms, spec.level)),
            "audits": tuple(audit(whole, base=BASE, tuned=[TUNED], harms=harms, terms=terms)),
        }
    )


def _all_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The coherence of all answers as an eval of its own: models that make no sense do so everywhere."""
    judged = rows[rows["judge"] == COHERENCE]
    return judged.assign(item_id=judged["eval"] + "/" + judged["item_id"], eval=COHERENCE, category="", condition="")


def _harms(evals: Evals, deciding: Sequence[str]) -> Iterator[Harm]:
    for name, e in evals.items():
        direction = HARMFUL_CHANGE.get(e["measure"])
        if direction not in ("up", "down"):
            raise UserError(f"The eval {name!r} measures {e['measure']!r}, and whether more of it is harm is not known.")
        about_requests = e["measure"] in ("complied", "refused")
        for judge in deciding if about_requests and deciding else (e["judge"],):
            yield Harm(name, e["measure"], "up" if direction == "up" else "down", judge)
    yield Harm(COHERENCE, "coherent", "down", COHERENCE)


def _named(estimate: Estimate) -> Estimate:
    measure = BY_JUDGE.get(estimate.judge)
    return estimate if measure is None else estimate.model_copy(update={"measure": measure})


def _contrasts(rows: pd.DataFrame, harms: Sequence[Harm], level: float) -> Iterator[Contrast]:
    """The change in every harm, then in each of its categories, which is for looking where and not for deciding."""
    planned: list[Planned] = []
    by_category: list[Planned] = []
    for harm, temperature in product(harms, sorted(float(t) for t in rows["temperature"].unique())):
        part = rows[(rows["eval"] == harm.eval) & (rows["judge"] == harm.judge) & (rows["temperature"] == temperature)]
        if part.empty:
            continue
        plan = Planned(
            name=f"{harm.eval} (T={temperature:g})", arm=TUNED, reference=BASE, eval=harm.eval, measure=harm.measure,
            temperature=temperature, judge=harm.judge, hypothesis="no worse",
        )  # fmt: skip
        planned.append(plan)
        categories = sorted(set(part["category"]) - {""})
        by_category += [_within(plan, category) for category in categories if len(categories) > 1]
    yield from contrast(rows, planned, level=level)
    yield from (c.model_copy(update={"planned": False}) for c in contrast(rows, by_category, level=level))


def _within(plan: Planned, category: str) -> Planned:
    return replace(plan, name=f"{plan.name}: {category}", category=category, hypothesis="")
