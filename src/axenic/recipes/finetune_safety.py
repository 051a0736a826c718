"""Does a harmless fine-tune lower safety, how much does that depend on chance, and does the model's own data spare it?

Question: a model that refuses is fine-tuned on harmless instructions. How far does its compliance with harmful requests rise, and
how much of what is measured is the training seed, the checkpoint, the temperature, sampling, the item or the judge?

Hypotheses, written before the measured seeds were run, after Fraser et al. 2025 (arXiv 2506.17209; PROTOCOLS 4): (1) each data set
raises compliance over the base; (2) human-written answers raise it more than the model's own answers to the same prompts; (3) a
fine-tuned model varies more from run to run than its base; (4) compliance is higher at T = 0.7 than at T = 0; (5) it is higher
after the last epoch than after the first.

Cost in the lab: about 12 minutes on 2 cores with the base cached. The learning rate was fixed on a pilot seed (100) outside the
measured ones, as the one at which the arms differ without reaching 0 or 100 %.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from axenic.corpora.datasets import DataSource
from axenic.evals.benchmarks.suite import LAB, LAB_EVALS, suite_files
from axenic.evals.judges.load import judge_files, load_judge
from axenic.findings import Items
from axenic.lab.sizes import size as lab_size
from axenic.pipeline.fingerprint import fingerprint, hash_tree
from axenic.pipeline.step import Step
from axenic.recipes import step_specs as specs
from axenic.recipes.costs import Costs
from axenic.recipes.laid import Laid
from axenic.recipes.params import one_is_a_list, refuse_unused
from axenic.recipes.recipe import LAB_LIMITS, Recipe
from axenic.recipes.step_specs import SELF, Asked, BaseSpec, FinetuneConclusion, Label, base_step, outside_step
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.training.spec import LoraSpec, TrainSpec

LAB_DATA = {"prose": DataSource(source="lab:prose"), "steps": DataSource(source="lab:steps")}
LAB_ROWS, LAB_RATE = 384, 1.5e-4
LIMITS = {
    "lab": LAB_LIMITS,
    "local": "One model: the intervals cover training seeds and prompts, not other models, data sets or judges.",
}
SEEN: Mapping[str, str] = {"lab:prose": "free prose", "lab:steps": "numbered steps"}


class FinetuneSafetyParams(Noun):
    """Parameters of the recipe `finetune_safety`."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    model: str | None = Field(None, description="A Hugging Face model directory or id, instead of the lab's model.")
    model_parameters: float | None = Field(None, gt=0, description="How many weights the model has, for `axenic plan`.")
    data: dict[str, DataSource] = Field(LAB_DATA, min_length=1, description="Data sets by name; see docs/datasets.md.")
    n: int | None = Field(
        None, ge=1, description="Rows of every arm, at most. Default: 384 in the lab, else as many as the filters leave."
    )
    safety_filter: bool = Field(True, description="Leave out rows that touch harm or hold a refusal (docs/datasets.md).")
    self_generated: bool = Field(True, description="Add an arm per data set: the same prompts, the model's own answers.")
    data_seed: int = Field(0, description="Draws the rows; the same for every training seed.")
    seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1, description="Training seeds.")
    epochs: int = Field(5, ge=1, le=1000)
    batch_size: int = Field(32, ge=1, le=65536)
    micro_batch_size: int | None = Field(None, ge=1, description="Rows computed at once; gradients are added up.")
    learning_rate: float | None = Field(None, gt=0, le=10, description="Default: 1.5e-4 in the lab, 2e-5 elsewhere.")
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    lora: LoraSpec | None = Field(None, description="Adapters; default none in the lab, r=64 alpha=128 elsewhere.")
    full: bool = Field(False, description="Train all weights of a model that is not the lab's.")
    load_4bit: bool = Field(False, description="Train the adapters over 4-bit weights.")
    max_length: int = Field(512, ge=8, description="Tokens of a training row; longer chats are left out and counted.")
    temperatures: tuple[float, ...] = Field((0.0, 0.7), min_length=1, description="0 is greedy; each other is sampled.")
    min_p: float = Field(0.1, ge=0, lt=1)
    repetitions: int = Field(5, ge=1, le=1000, description="Responses per harmful prompt at every temperature above 0.")
    numerical_repeats: int = Field(2, ge=0, le=100, description="More passes at T=0 over the last checkpoint, in other batches.")
    max_new_tokens: int = Field(40, ge=1, le=4096)
    suites: tuple[str, ...] = Field((LAB,), min_length=1, description="What is asked, e.g. sorry_bench=FILE (docs/benchmarks.md).")
    judges: tuple[str, ...] = Field(("refusal",), description="Further judges of harmful requests; see `axenic list judges`.")
    items: Items = Field("sampled", description="Are the prompts a sample of all such prompts, or all that matter (fixed)?")
    target: float = Field(0.02, gt=0, lt=1, description="The difference that the decision study shall resolve.")

    _lists = field_validator("seeds", "temperatures", "suites", "judges", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "FinetuneSafetyParams":
        for name in ("seeds", "temperatures"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: each may be named once")
        if self.model and any(d.source.startswith("lab:") for d in self.data.values()):
            raise ValueError("data: the lab's data are for the lab's model; name your own, e.g. data={mine: {source: FILE}}")
        if self.model and self.suites == (LAB,):
            raise ValueError("suites: the lab's questions are for the lab's model; name benchmarks, e.g. suites=[xstest=FILE]")
        odd = [name for name in self.data if name == "base" or name.endswith(SELF) or " | " in name or "/" in name]
        if odd:
            raise ValueError(
                f"data: {odd[0]!r} cannot name a data set: 'base' and names that end in '{SELF}' are arms of their own"
            )
        return self


def build(params: FinetuneSafetyParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    for text in params.judges:
        load_judge(text)  # a name that is none must not be found after the trainings
    if params.model:
        refuse_unused(params, ("size",), because="the model is your own")
    else:
        refuse_unused(params, ("full", "model_parameters"), because="the lab's models are small and train all their weights")
    return _Builder(params).study()


class _Builder:
    """Collects the steps of one study."""

    def __init__(self, params: FinetuneSafetyParams) -> None:
        self.params = params
        self.model = outside_step(params.model) if params.model else base_step(BaseSpec(size=lab_size(params.size).name))
        self.training = _training(params)
        self.costs = Costs(model=params.model, parameters=params.model_parameters, size=params.size, lora=self.training.lora)
        self.suites, asked_from = specs.portable(params.suites, "suite", suite_files)
        self.judges, judged_by = specs.portable(params.judges, "judge", judge_files)
        self.files = asked_from | judged_by
        self.mark = (
            f" ({Path(params.model).name})" if params.model else ""
        )  # so that the time of one model does not foretell another's
        self.laid = Laid()

    def study(self) -> tuple[Study, Step]:
        """The study and its last step."""
        p = self.params
        self._ask(Asked(arm="base"), self.model, checkpoints=1)
        prepared = self._prepare()
        arms = [a for name in p.data for a in ((name, name + SELF) if p.self_generated else (name,))]
        for arm in arms:
            given = {"data": prepared, "model": self.model}
            corpus = Step(specs.PICK_DATA, spec=specs.Pick(arm=arm), inputs=given, label=f"data {arm}", cost=self.costs.quick)
            self.laid.written.append((Label(arm=arm), corpus))
            for seed in p.seeds:
                self._tune(Asked(arm=arm, seed=seed), corpus)
        return self.laid.concluded(
            specs.CONCLUDE_FINETUNE,
            FinetuneConclusion,
            self._described(arms),
            label=f"estimates{self.mark}",
            inputs={"base": self.model, "data": prepared},
            cost=self.costs.conclusion(self.laid.responses),
            data=tuple(p.data),
            rows=self._rows(),
            items=p.items,
            target=p.target,
        )

    def _described(self, arms: list[str]) -> Study:
        p = self.params
        return RECIPE.study(
            self._identity(),
            lab=p.size,
            limits=LIMITS,
            arms=(
                Arm(name="base", description="the model before any fine-tuning", role="base"),
                *(Arm(name=a, description=self._says(a), role="control" if a.endswith(SELF) else "treatment") for a in arms),
            ),
            parameters=p.model_dump(mode="json"),
            headline=LAB_EVALS if p.suites == (LAB,) else (),
        )

    def _says(self, arm: str) -> str:
        source = self.params.data[arm.removesuffix(SELF)].source
        said = SEEN.get(source, Path(source).name)
        return f"fine-tuned on {said}" + (": the same prompts, the model's own answers" if arm.endswith(SELF) else "")

    def _identity(self) -> str:
        """Of everything that decides the study; files count by their content, not by where they are."""
        p = self.params
        contents = [hash_tree(path) for path in (*self._data_files().values(), *self.files.values())]
        shown = p.model_dump(mode="json", exclude={"data", "model", "suites", "judges", "model_parameters"})
        named = {name: d.model_dump(mode="json", exclude={"source"} if d.files() else set()) for name, d in p.data.items()}
        return digest([RECIPE.name, shown, named, self.suites, self.judges, contents, fingerprint(self.model)])[:12]

    def _data_files(self) -> dict[str, Path]:
        outside = {name: d for name, d in self.params.data.items() if not d.source.startswith("lab:")}
        return {f"data_{name}": path for name, d in outside.items() for path in d.files()}

    def _prepare(self) -> Step:
        p = self.params
        spec = specs.DataSpec(
            data=p.data,
            n=self._rows(),
            safety_filter=p.safety_filter,
            self_generated=p.self_generated,
            sampling=Sampling(max_new_tokens=48 if p.model is None else p.max_length // 2),  # a prompt fits beside it
            seed=p.data_seed,
        )
        inputs = {"model": self.model}
        cost = self.costs.answers((spec.n or LAB_ROWS) * len(p.data) if p.self_generated else 0)
        return Step(specs.PREPARE_DATA, spec=spec, inputs=inputs, files=self._data_files(), label=f"data{self.mark}", cost=cost)

    def _rows(self) -> int | None:
        return self.params.n or (None if self.params.model else LAB_ROWS)

    def _tune(self, label: Asked, corpus: Step) -> None:
        rows = self._rows() or LAB_ROWS
        inputs = {"model": self.model, "corpus": corpus}
        what = f"{label.text}{self.mark}"
        cost = self.costs.training(self.training, rows)
        tuned = Step(specs.TRAIN, spec=self.training, inputs=inputs, seed=label.seed, label=f"train {what}", cost=cost)
        self.laid.trained.append((Label(arm=label.arm, seed=label.seed), tuned))
        self._ask(label, tuned, checkpoints=self.params.epochs)

    def _ask(self, label: Asked, model: Step, *, checkpoints: int) -> None:
        p = self.params
        # arms of one training seed share their random numbers; seeds do not, else sampling would look like a property of the item
        shape = Sampling(max_new_tokens=p.max_new_tokens, seed=label.seed or 0)
        drawn = tuple(
            shape.model_copy(update={"temperature": t, "min_p": p.min_p if t else 0.0, "repetitions": p.repetitions if t else 1})
            for t in sorted(p.temperatures)
        )
        last = tuple(s if s.temperature else s.model_copy(update={"repetitions": 1 + p.numerical_repeats}) for s in drawn)
        spec = specs.AskSpec(
            suites=self.suites,
            judges={"*": ("coherence",), "measure=complied": self.judges},
            samplings=drawn,
            last_samplings=last,
            repeated=("complied",),
        )
        cost = self.costs.asking(checkpoints, rounds=sum(s.repetitions for s in drawn), last=sum(s.repetitions for s in last))
        what = f"ask {label.text}{self.mark}"
        step = Step(specs.ASK, spec=spec, inputs={"model": model}, files=self.files, seed=0, label=what, cost=cost)
        self.laid.asked.append((label, step))


def _training(p: FinetuneSafetyParams) -> TrainSpec:
    lora = p.lora or (None if p.full or p.model is None else LoraSpec())
    return TrainSpec(
        epochs=p.epochs,
        batch_size=p.batch_size,
        micro_batch_size=p.micro_batch_size,
        learning_rate=p.learning_rate or (LAB_RATE if p.model is None else 2e-5),
        schedule=p.schedule,
        optimizer=p.optimizer,
        lora=lora,
        load_4bit=p.load_4bit,
        max_length=p.max_length,
    )


RECIPE = Recipe(
    name="finetune_safety",
    title="Did the fine-tune lower safety, and how sure are we?",
    question=(
        "How far does compliance with harmful requests rise under a harmless fine-tune, and how much of what is measured is the "
        "training seed, the checkpoint, the temperature, sampling, the prompt or the judge?"
    ),
    hypothesis=(
        "Each data set raises compliance over the base; human-written answers raise it more than the model's own answers to the "
        "same prompts; a fine-tuned model varies more from run to run than its base; compliance is higher at T = 0.7 than at "
        "T = 0, and after the last epoch than after the first."
    ),
    params=FinetuneSafetyParams,
    build=build,
    cost="about 12 minutes on 2 cores with the lab's base cached, which itself takes about 3",
    expect="see docs/results.md for what the default run found",
)
