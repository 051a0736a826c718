"""A whole study in a page: is a loaded die loaded? Real steps, real numbers, no model. Used as `path.py:RECIPE`.

Every seed is a die thrown `throws` times by its own generator; the loaded arm's die is loaded. It doubles as a picture of what a
recipe has to do at the least.
"""

import json
import random
import statistics
import time
from pathlib import Path

import pandas as pd
from pydantic import Field

from axenic.errors import UserError
from axenic.findings import Contrast, Estimate, Findings
from axenic.pipeline.step import Context, Cost, Step, step
from axenic.recipes.params import refuse_unused
from axenic.recipes.recipe import Recipe
from axenic.schema import RESULT_COLUMNS, Arm, Noun, Study, digest

ARMS = {"fair": 1 / 6, "loaded": 0.5}


class Params(Noun):
    """What `--set` may change."""

    throws: int = Field(60, ge=1, le=100_000)
    seeds: tuple[int, ...] = (0, 1)
    arms: tuple[str, ...] = ("fair", "loaded")
    size: str = "tiny"
    model: str | None = None
    wait: float = Field(0.0, ge=0.0)  # seconds that every throw step takes besides
    fail: str = ""  # "user" or "bug": how the last step fails, if it does


class Throw(Noun):
    arm: str
    throws: int
    wait: float


@step(version=1)
def throw(spec: Throw, context: Context) -> None:
    """Throw one die many times."""
    rng = random.Random(context.seed)
    print("a library that prints")
    for tick in range(20):
        context.progress(tick, 20, "throwing")
        time.sleep(spec.wait / 20)
    rows = [int(rng.random() < ARMS[spec.arm]) for _ in range(spec.throws)]
    (context.out / "throws.json").write_text(json.dumps(rows))


class Last(Noun):
    study: Study
    fail: str


@step(version=1)
def conclude(spec: Last, context: Context) -> None:
    """Write what the last step of every study writes."""
    if spec.fail == "user":
        raise UserError("The die is not a cube. Give a cube.")
    if spec.fail == "bug":
        raise ZeroDivisionError("the die rolled under the table")
    runs = [json.loads((path / "throws.json").read_text()) for path in context.many("throws")]
    seeds = spec.study.seeds
    by_arm = {arm.name: runs[i * len(seeds) : (i + 1) * len(seeds)] for i, arm in enumerate(spec.study.arms)}
    means = {arm: statistics.mean(statistics.mean(run) for run in of) for arm, of in by_arm.items()}
    common = {"recipe": "toy", "tier": "lab", "study": spec.study.study, "eval": "sixes", "measure": "six", "n_seeds": len(seeds)}
    estimates = [Estimate(arm=arm, value=value, method="mean of seeds", **common) for arm, value in means.items()]
    contrasts = [
        Contrast(name=f"{arm}-fair", arm=arm, reference="fair", value=means[arm] - means["fair"], hypothesis="positive", **common)
        for arm in means
        if arm != "fair" and "fair" in means
    ]
    rows = [
        {**dict.fromkeys(RESULT_COLUMNS), "study": spec.study.study, "arm": arm, "train_seed": seed, "eval": "sixes",
         "item_id": f"throw-{i}", "response": str(hit), "status": "scored", "verdict": str(hit), "score": float(hit)}
        for arm, of in by_arm.items() for seed, run in zip(seeds, of, strict=True) for i, hit in enumerate(run[:5])
    ]  # fmt: skip
    write(context.out, spec.study, Findings(estimates=tuple(estimates), contrasts=tuple(contrasts)), rows)


def write(out: Path, study: Study, findings: Findings, rows: list[dict[str, object]]) -> None:
    """The files that `axenic run` copies to --out."""
    (out / "study.json").write_text(study.model_dump_json())
    (out / "estimates.json").write_text(findings.model_dump_json())
    (out / "corpora.json").write_text("{}")
    (out / "training.json").write_text("[]")
    pd.DataFrame(rows, columns=list(RESULT_COLUMNS)).to_parquet(out / "results.parquet")


def build(params: Params) -> tuple[Study, Step]:
    """Lay out the study."""
    if params.model is not None:
        refuse_unused(params, ["size"], because="a model is given, which has its own size")
    study = Study(
        study=digest(["toy", params.model_dump(mode="json", exclude={"wait"})]),
        recipe="toy",
        title="Is the loaded die loaded?",
        question="Does the loaded die show more sixes?",
        hypothesis="It does.",
        tier="lab",
        limits="A result about dice.",
        model=params.model or params.size,
        seeds=params.seeds,
        arms=tuple(Arm(name=name, description=f"the {name} die") for name in params.arms),
        parameters=params.model_dump(mode="json"),
        headline=("sixes",),
    )
    throws = [
        Step(throw, Throw(arm=arm, throws=params.throws, wait=params.wait), seed=seed, label=f"throw {arm} seed {seed}",
             cost=Cost(seconds=0.1 + params.wait))
        for arm in params.arms for seed in params.seeds
    ]  # fmt: skip
    last = Step(conclude, Last(study=study, fail=params.fail), inputs={"throws": throws}, label="results")
    return study, last


RECIPE = Recipe(
    name="toy",
    title="Is the loaded die loaded?",
    question="Does the loaded die show more sixes?",
    hypothesis="It does.",
    params=Params,
    build=build,
    cost="a second",
    expect="50 % against 17 %",
)


def recipe() -> Recipe:
    """The recipe, from a function."""
    return RECIPE


NOT_A_RECIPE = 3
