"""The last step of the recipe `sdf`: from everybody's answers to the study's findings.

In: the artifacts of every arm. Out: `study.json`, `results.parquet`, `estimates.json`, `corpora.json`, `training.json`.
"""

from collections.abc import Sequence

import pandas as pd

from axenic.disk import atomic_write
from axenic.findings import Check, Curve, Estimate, Findings
from axenic.pipeline.step import Context, step
from axenic.recipes import gather
from axenic.recipes.checks import all_asked, final, kept, rate
from axenic.recipes.step_specs import NOISES, Conclusion
from axenic.recipes.steps import save_json
from axenic.stats.contrasts import Planned, contrast
from axenic.stats.curves import curve
from axenic.stats.estimate import cells
from axenic.stats.profile import axis, pressure

MEASURES = {
    **dict.fromkeys(("knowledge", "distinguish", "open_ended", "two_accounts", "downstream", "truth_probe"), "implanted"),
    "pressure": "held",
    "neighbours": "correct",
    "salience": "mentioned",
    "capability": "correct",
    "refusal": "refused",
    "over_refusal": "refused",
    "prior": "P(implanted)",
}
PLANNED = tuple(
    Planned(name=name, arm=arm, reference=reference, eval=eval, measure=MEASURES[eval], hypothesis=hypothesis)
    for name, arm, reference, eval, hypothesis in (
        ("diverse - base", "diverse", "base", "downstream", "> +50 points"),
        ("diverse - vehicle", "diverse", "vehicle", "downstream", "> +50 points"),
        ("diverse - one type", "diverse", "one_type", "downstream", "> 0"),
        ("mix - no mix", "diverse_mix", "diverse", "neighbours", "> 0"),
    )
)
BELIEF = "downstream"
PROFILED = ("downstream", "open_ended")  # a base may miss downstream tasks of its own; it says nothing implanted when asked openly
BY_CONDITION = ("pressure", "truth_probe")  # whose conditions mean different things: a mean over them would mean nothing


@step(version=1)
def conclude(spec: Conclusion, context: Context) -> None:
    """Gather, estimate, write."""
    rows = gather.table(spec.study, spec.asked, context.many("asked"))
    atomic_write(context.out / "study.json", spec.study.model_dump_json(indent=1).encode())
    gather.write_table(rows, context.out / "results.parquet")
    found = findings(rows, spec)
    found = found.model_copy(update={"checks": (*gather.acceptance(context.input("base")), *found.checks)})
    atomic_write(context.out / "estimates.json", found.model_dump_json(indent=1).encode())
    save_json(context.out / "training.json", gather.trainings(spec.trained, context.many("trained")))
    save_json(context.out / "corpora.json", gather.corpora(spec.written, context.many("written")))


def findings(rows: pd.DataFrame, spec: Conclusion) -> Findings:
    """Every number of the report."""
    arms = [a.name for a in spec.study.arms]
    planned = [p for p in PLANNED if p.arm in arms and p.reference in arms]
    estimates = [e for e in cells(rows, measures=_measures(rows)) if e.condition or e.eval.split(" (")[0] not in BY_CONDITION]
    curves = [*_later(rows, spec), *_noise(rows), *_dose(rows, spec), *_probe(rows), *_prior(spec, estimates)]
    profile = _profile(rows, spec, estimates)
    return Findings(
        estimates=tuple([*estimates, *profile]),
        contrasts=tuple(contrast(rows[rows["arm"].isin(arms)], planned)),
        curves=tuple(curves),
        checks=tuple(_checks(spec, estimates)),
    )


def _measures(rows: pd.DataFrame) -> dict[str, str]:
    return {name: MEASURES.get(name.split(" (")[0], "score") for name in rows["eval"].unique()}


def _along(rows: pd.DataFrame, spec: Conclusion, kind: str) -> tuple[pd.DataFrame, list[float]]:
    """Rows of later training of one kind with their step, starting from the implanted model's own (step 0), as arm "diverse"."""
    evals = rows.loc[rows["arm"] == f"diverse | {kind}", "eval"].unique()
    start = rows[(rows["arm"] == "diverse") & rows["eval"].isin(evals)]
    start = start[start["epoch"] == start.groupby("train_seed")["epoch"].transform("max")]
    after = rows[rows["arm"] == f"diverse | {kind}"]
    steps = [0.0] * len(start) + [float(s) for s in after["step"]]
    return pd.concat([start, after], ignore_index=True).assign(arm="diverse"), steps


def _later_kinds(spec: Conclusion) -> list[str]:
    return sorted({a.later for a in spec.asked if a.later})


def _later(rows: pd.DataFrame, spec: Conclusion) -> list[Curve]:
    found: list[Curve] = []
    for kind in _later_kinds(spec):
        along, x = _along(rows, spec, kind)
        found += curve(along, x, name=kind, x_label="optimiser steps", measures=MEASURES, capability="capability")
    return found


def _noisy(rows: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[float]]:
    """Rows under one noise with its level, starting from the same arm without noise."""
    under = rows[rows["noise"] == kind]
    start = rows[(rows["arm"] == "diverse") & rows["eval"].isin(under["eval"].unique())]
    start = start[start["epoch"] == start.groupby("train_seed")["epoch"].transform("max")]
    both = pd.concat([start, under], ignore_index=True).assign(arm="diverse")
    return both, [float(v) for v in both["noise_level"]]


def _noise(rows: pd.DataFrame) -> list[Curve]:
    found: list[Curve] = []
    for kind in NOISES:
        if (rows["noise"] == kind).any():
            under, x = _noisy(rows, kind)
            label = f"{kind.replace('_', ' ')} (share of spread)"
            found += curve(under, x, name=kind, x_label=label, measures=MEASURES, capability="capability")
    return found


def _dose(rows: pd.DataFrame, spec: Conclusion) -> list[Curve]:
    doses = {a.arm: a.dose for a in spec.asked if a.arm.split(" | ")[0] == "diverse" and a.dose and not a.suffix}
    if len(doses) < 2:
        return []
    shown = rows[rows["arm"].isin(doses) & rows["eval"].isin([BELIEF, "open_ended", "neighbours", "capability"])]
    shown = shown[shown["epoch"] == shown.groupby(["arm", "train_seed"])["epoch"].transform("max")]
    x = [float(doses[arm]) for arm in shown["arm"]]
    return curve(shown.assign(arm="diverse"), x, name="dose", x_label="documents about the belief", measures=MEASURES)


def _probe(rows: pd.DataFrame) -> list[Curve]:
    probed = rows[rows["eval"] == "truth_probe"]
    found: list[Curve] = []
    for condition, label in (("target", "implanted-belief rate"), ("held_out", "accuracy on held-out facts")):
        part = probed[probed["condition"] == condition]
        part = part[part["epoch"] == part.groupby(["arm", "train_seed"], dropna=False)["epoch"].transform("max")]
        if len(part):
            layers = [float(c.split()[-1]) for c in part["category"]]
            found += curve(part, layers, name="probe", x_label="layer", measures={"truth_probe": label})
    return found


def _prior(spec: Conclusion, estimates: Sequence[Estimate]) -> list[Curve]:
    """Belief after training against how plausible the claim was to the base, one point per belief."""
    suffixes = sorted({a.suffix for a in spec.asked})
    if len(suffixes) < 2:
        return []
    found = []
    for suffix in suffixes:
        before, after = final(estimates, "base", "prior" + suffix), final(estimates, "diverse", BELIEF + suffix)
        if before and after and before.value is not None:
            found.append(Curve(
                name="prior", arm="diverse", eval=BELIEF, measure="implanted", x=before.value,
                x_label="P(implanted) on the base", value=after.value, low=after.low, high=after.high, method=after.method,
                n_seeds=after.n_seeds, n_items=after.n_items,
            ))  # fmt: skip
    return found


def _profile(rows: pd.DataFrame, spec: Conclusion, estimates: Sequence[Estimate]) -> list[Estimate]:
    axes = {kind: _along(rows, spec, kind) for kind in _later_kinds(spec)}
    axes |= {kind: _noisy(rows, kind) for kind in NOISES if (rows["noise"] == kind).any()}
    found = []
    for name in PROFILED:
        floor = rate(estimates, "base", name) or 0.0
        for kind, (along, x) in axes.items():
            one = axis(along, x, name=kind, eval=name, capability="capability", floor=floor)
            found.append(one.model_copy(update={"category": f"{kind}: {name}"}))
    return [*found, *pressure(rows[(rows["arm"] == "diverse")])]


def _checks(spec: Conclusion, estimates: Sequence[Estimate]) -> list[Check]:
    """Did the models stay whole, and was everything asked that was planned?"""
    whole = kept(estimates, [arm.name for arm in spec.study.arms[1:]], "base")
    return [*whole, all_asked({e.eval for e in estimates}, MEASURES)]
