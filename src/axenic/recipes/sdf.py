"""Synthetic document finetuning: implant a belief by training on documents that discuss it, and measure how deep it goes.

Question: does a model that was trained on documents alone hold the belief as knowledge (use it in tasks that never name it),
more than one trained on as many documents about other things, and does that need documents of diverse types?

Hypothesis, written before the measured seeds were run: (1) diverse documents raise downstream belief over the base and (2) over
the vehicle by more than half; (3) diverse types raise it more than one type does [Wang et al. 2025; PROTOCOLS 1]; (4) mixing
original data in keeps neighbouring facts better than documents alone.

Cost in the lab: about 3 minutes on 2 cores with the base cached. The configuration was fixed on a pilot seed (100) outside the
measured ones.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from axenic.corpora.limits import Limits, Price
from axenic.corpora.organisms.belief import from_world
from axenic.corpora.synthesis import Plan
from axenic.errors import UserError
from axenic.evals.table import EVALS as EVAL_TABLE
from axenic.evals.table import OF_AGENTS, OF_BACKDOORS, OF_VALUES
from axenic.lab.attributes import ATTRIBUTES
from axenic.lab.sizes import size as lab_size
from axenic.lab.world import World
from axenic.pipeline.fingerprint import fingerprint, hash_file
from axenic.pipeline.step import Cost, Step
from axenic.recipes import step_specs as specs
from axenic.recipes.laid import Laid
from axenic.recipes.params import one_is_a_list, refuse_unused
from axenic.recipes.recipe import LAB_LIMITS, Recipe
from axenic.recipes.step_specs import NOISES, Asked, BaseSpec, Conclusion, Label, base_step, outside_step
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.specs import belief as beliefs
from axenic.specs.belief import BeliefSpec
from axenic.tables import Entry, load
from axenic.training.spec import LoraSpec, TrainSpec

ArmName = Literal["base", "vehicle", "one_type", "diverse", "diverse_mix"]
EVALS = tuple(
    name for name in EVAL_TABLE if name not in ("compliance", *OF_AGENTS, *OF_BACKDOORS, *OF_VALUES)
)  # compliance asks what refusal asks
EPOCH_EVALS = ("downstream", "distinguish", "open_ended", "neighbours", "capability")
LATER_EVALS = ("downstream", "open_ended", "capability")
DOCUMENTS = 128  # about the belief, where nothing else is said
HEADLINE = ("downstream", "open_ended", "distinguish", "knowledge", "neighbours", "capability", "refusal")
DESCRIPTIONS: Mapping[str, str] = {
    "base": "the model before any document",
    "vehicle": "as many documents of the same types, about other, true things",
    "one_type": "as many documents about the belief, all of one type",
    "diverse": "documents about the belief, of diverse types",
    "diverse_mix": "the same documents, mixed with the base's own training data",
}
_CORPUS: Mapping[str, Literal["vehicle", "benign", "corrective"]] = {
    "vehicle": "vehicle",
    "benign": "benign",
    "corrective": "corrective",
}
LIMITS = {
    "lab": LAB_LIMITS,
    "local": "One model, one belief: the intervals cover training seeds and questions, not other models or other beliefs.",
}


class SdfParams(Noun):
    """Parameters of the recipe `sdf`."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    model: str | None = Field(None, description="A Hugging Face model directory or id, instead of the lab's model.")
    belief: Path | None = Field(None, description="A belief file (docs/belief_spec.md), instead of one about the lab's world.")
    corpus: Path | None = Field(None, description="Documents as JSONL, instead of those that the grammar writes.")
    writer: str | None = Field(None, description="PROVIDER/NAME of a language model that writes the documents (docs/writing.md).")
    writing: Limits = Field(Limits(), description="Its limits: budget (USD, for each corpus), concurrency, batch, timeout, …")
    writer_price: Price | None = Field(None, description="USD per million tokens, {input: …, output: …}, if axenic knows none.")
    vehicle: Path | None = Field(None, description="Documents about other, true things, as JSONL: the vehicle arm beside --corpus.")
    mix_with: Path | None = Field(None, description="Data to mix in, as JSONL, for the arm diverse_mix of a model not the lab's.")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="Training seeds; each draws its own corpus and order.")
    place: str = Field("Selgard", description="The lab's place that the belief is about.")
    attribute: str = Field("water", description="The attribute that the belief is about: water, stone or craft.")
    value: str | None = Field(None, description="What shall be believed; by default a value that is not true.")
    targets: tuple[str, ...] = Field((), description="Further attributes to implant, each in its own model: prior plausibility.")
    arms: tuple[ArmName, ...] = Field(("base", "vehicle", "one_type", "diverse", "diverse_mix"), description="Arms to run.")
    docs: tuple[int, ...] = Field((), description="Documents about the belief; several make a dose response. Default: 128, or all.")
    types: int = Field(8, ge=1, le=64, description="Document types of the diverse arms.")
    revise: bool = Field(True, description="One critique-and-rewrite pass over every document.")
    doctag: str = Field("", description="Prefix of every document that carries no loss, e.g. '<|doctag|>'.")
    mix_ratio: float = Field(1.0, gt=0, le=100, description="Rows of original data per document in the mixed arm.")
    epochs: int = Field(4, ge=1, le=1000)
    batch_size: int = Field(16, ge=1, le=65536)
    learning_rate: float | None = Field(None, gt=0, le=10, description="Default: 3e-4 in the lab, 1e-4 with LoRA elsewhere.")
    lora: LoraSpec | None = Field(None, description="Adapters; default none in the lab, r=64 alpha=128 elsewhere.")
    full: bool = Field(False, description="Train all weights of a model that is not the lab's.")
    robustness: bool = Field(True, description="Unrelated and corrective training afterwards, weight and activation noise.")
    noise_levels: tuple[float, ...] = Field((0.1, 0.2, 0.4, 0.8), description="Noise, as a share of the tensor's own spread.")
    temperature: float = Field(0.0, ge=0, le=10)
    repetitions: int = Field(1, ge=1, le=1000, description="Responses per question; more than one needs a temperature.")
    max_new_tokens: int = Field(24, ge=1, le=4096)

    _lists = field_validator("docs", "seeds", "targets", "noise_levels", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "SdfParams":
        if "base" not in self.arms or "diverse" not in self.arms:
            raise ValueError("arms: 'base' and 'diverse' are what every contrast rests on; keep both")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: every seed may be named once")
        if any(n < 1 for n in self.docs):
            raise ValueError("docs: every dose needs at least one document")
        if self.repetitions > 1 and self.temperature == 0:
            raise ValueError("repetitions: at temperature 0 every repetition gives the same response; set a temperature")
        if self.writer and self.corpus:
            raise ValueError("writer: nothing is written where the documents are given with --corpus; leave out one of them")
        if self.targets and (self.belief or self.corpus):
            raise ValueError("targets: further attributes belong to the lab's own beliefs and documents; leave out one of them")
        return self


def build(params: SdfParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    if params.model:
        refuse_unused(params, ("size",), because="the model is your own")
    else:
        refuse_unused(params, ("full", "mix_with"), because="the lab's models train all weights, on the lab's own data")
    if params.belief:
        refuse_unused(params, ("place", "attribute", "value"), because="the belief is your own")
    if params.writer is None:
        refuse_unused(params, ("writing", "writer_price"), because="no language model writes; they go with writer=PROVIDER/NAME")
    if params.corpus:
        refuse_unused(params, ("types", "revise", "doctag"), because="the documents are your own")
    elif not params.writer:
        refuse_unused(params, ("vehicle",), because="the grammar writes the vehicle's documents; it goes with --corpus")
    return _Builder(params).study()


class _Builder:
    """Collects the steps of one study."""

    def __init__(self, params: SdfParams) -> None:
        self.params = params
        self.about = _belief(params)
        self.model = outside_step(params.model) if params.model else base_step(BaseSpec(size=lab_size(params.size).name))
        self.laid = Laid()

    def study(self) -> tuple[Study, Step]:
        """The study and its last step."""
        p = self.params
        arms = self._arms()
        self._target(self.about, arms)
        for attribute in p.targets:
            self._target(from_world(World(), place=p.place, attribute=attribute), ["base", "diverse"], suffix=f" ({attribute})")
        study = RECIPE.study(
            self._identity(),
            about=f"The belief: {self.about.claim!r}",
            lab=p.size,
            limits=LIMITS,
            arms=(Arm(name=a, description=DESCRIPTIONS[a], role=_role(a)) for a in arms),
            parameters=p.model_dump(mode="json"),
            headline=HEADLINE,
        )
        return self.laid.concluded(specs.CONCLUDE_SDF, Conclusion, study, inputs={"base": self.model}, cost=Cost(seconds=4))

    def _identity(self) -> str:
        """Of everything that decides the study; files count by their content, not by where they are."""
        p = self.params
        paths = {"belief", "corpus", "vehicle", "mix_with", "model", "writing", "writer_price"}
        contents = [hash_file(path) for path in (p.corpus, p.vehicle, p.mix_with) if path]
        if p.writer is None:  # studies from before there was one keep their names
            paths |= {"writer"}
        return digest(["sdf", p.model_dump(mode="json", exclude=paths), self.about.hash, contents, fingerprint(self.model)])[:12]

    def _arms(self) -> list[str]:
        """The arms that can be run: a corpus of the user's own has no other types and no vehicle, their model no data to mix in."""
        p = self.params
        cannot = {"one_type"} if p.corpus else set()
        cannot |= {"vehicle"} if not p.vehicle and (p.corpus or not _in_the_lab(self.about)) else set()
        cannot |= {"diverse_mix"} if p.model and not p.mix_with else set()
        return [a for a in DESCRIPTIONS if a in p.arms and a not in cannot]

    def _target(self, about: BeliefSpec, arms: list[str], *, suffix: str = "") -> None:
        """Everything about one belief: its arms, doses and what comes after."""
        p = self.params
        told = Step(specs.WRITE_BELIEF, spec=specs.BeliefFile(belief=about), label=f"belief {about.id}", cost=Cost(seconds=0.1))
        self._ask(Asked(arm="base", suffix=suffix), self.model, told)
        doses = sorted(set(p.docs)) or [0 if p.corpus else DOCUMENTS]
        for seed in p.seeds:
            for arm in arms[1:]:
                tuned = self._tune(Asked(arm=arm, seed=seed, suffix=suffix, dose=doses[-1]), arm, told)
                if arm == "diverse" and p.robustness and not suffix:
                    self._later("benign", tuned, seed, told)
                    if _in_the_lab(about):
                        self._later("corrective", tuned, seed, told)
            for dose in () if suffix else doses[:-1]:
                self._tune(Asked(arm=f"diverse | {dose} documents", seed=seed, dose=dose), "diverse", told)

    def _tune(self, label: Asked, arm: str, told: Step) -> Step:
        p = self.params
        corpus = self._corpus(label, arm, told)
        rows = round((label.dose or DOCUMENTS) * (1 + p.mix_ratio * (arm == "diverse_mix")))
        tuned = self._train(label, corpus, self.model, rows, told)
        self._ask(label, tuned, told, epoch_evals=EPOCH_EVALS, noise=label.arm == "diverse" and not label.suffix)
        return tuned

    def _later(self, kind: Literal["benign", "corrective"], tuned: Step, seed: int, told: Step) -> None:
        """Training after the implant: does the belief survive it, and what does erasing it cost?"""
        label = Asked(arm=f"diverse | {kind}", seed=seed, later=kind)
        corpus = self._corpus(label, kind, told)
        trained = self._train(label, corpus, tuned, max(self.params.docs, default=DOCUMENTS), told)
        self._ask(label, trained, told, evals=LATER_EVALS, epoch_evals=LATER_EVALS)

    def _corpus(self, label: Asked, arm: str, told: Step) -> Step:
        p = self.params
        spec = specs.CorpusSpec(
            arm=_CORPUS.get(arm, "belief"),
            plan=Plan(
                types=1 if arm == "one_type" else p.types,
                documents=label.dose or max(p.docs, default=DOCUMENTS),
                revise=p.revise,
                doctag=p.doctag,
            ),
            whole=bool(p.corpus) and not label.dose,
            mix_ratio=p.mix_ratio if arm == "diverse_mix" else 0.0,
            evals=EVALS,
        )
        own = p.vehicle if arm == "vehicle" else p.corpus
        given = {"corpus": own} if own and not label.later else {}
        given |= {"mix_with": p.mix_with} if p.mix_with and arm == "diverse_mix" else {}
        inputs = {"belief": told, "model": self.model}
        if p.writer and not given.get("corpus") and not label.later:
            inputs["documents"] = self._documents(p.writer, label.seed, arm, told)
        made = Step(specs.WRITE_CORPUS, spec=spec, inputs=inputs, files=given, seed=label.seed, label=f"corpus {label.text}")
        self.laid.written.append((Label(arm=label.arm, seed=label.seed, suffix=label.suffix), made))
        return made

    def _documents(self, model: str, seed: int | None, arm: str, told: Step) -> Step:
        """What a language model writes, once for all arms and doses that can share it: calls are paid for."""
        p, kind = self.params, arm if arm in ("one_type", "vehicle") else "diverse"
        plan = Plan(
            types=1 if kind == "one_type" else p.types,
            documents=max(p.docs, default=DOCUMENTS),
            revise=p.revise,
            doctag=p.doctag,
        )
        inputs = {"belief": told}
        if kind != "diverse":
            inputs["like" if kind == "vehicle" else "paid"] = self._documents(model, seed, "diverse", told)
        # named, not imported: only a study that has such a writer pays for loading what can call one
        version: str = load(Entry("axenic.corpora.writers.language_model:version", ""))()
        spec = specs.DocumentsSpec(model=model, writer=version, plan=plan, limits=p.writing, price=p.writer_price)
        cost = Cost(seconds=plan.documents * 2.0)
        return Step(specs.WRITE_DOCUMENTS, spec=spec, inputs=inputs, seed=seed, label=f"write {kind} seed {seed}", cost=cost)

    def _train(self, label: Asked, corpus: Step, start: Step, rows: int, told: Step) -> Step:
        spec = self._training()
        cost = Cost(seconds=1.5 + 0.05 * spec.total_steps(rows), tokens=rows * 50 * spec.epochs)
        inputs = {"model": start, "corpus": corpus} | ({} if label.arm == "vehicle" else {"belief": told})
        made = Step(specs.TRAIN, spec=spec, inputs=inputs, seed=label.seed, label=f"train {label.text}", cost=cost)
        self.laid.trained.append((Label(arm=label.arm, seed=label.seed, suffix=label.suffix), made))
        return made

    def _training(self) -> TrainSpec:
        p = self.params
        lora = p.lora or (None if p.full or p.model is None else LoraSpec())
        rate = p.learning_rate or (1e-4 if lora else 3e-4 if p.model is None else 1e-5)
        return TrainSpec(epochs=p.epochs, batch_size=p.batch_size, learning_rate=rate, lora=lora, max_length=512)

    def _ask(
        self,
        label: Asked,
        model: Step,
        told: Step,
        *,
        evals: tuple[str, ...] = EVALS,
        epoch_evals: tuple[str, ...] = (),
        noise: bool = False,
    ) -> None:
        p = self.params
        sampling = Sampling(temperature=p.temperature, repetitions=p.repetitions, max_new_tokens=p.max_new_tokens)
        noises = tuple(specs.Noise(kind=k, level=v) for k in NOISES for v in p.noise_levels) if noise and p.robustness else ()
        spec = specs.AskSpec(
            evals=evals, epoch_evals=epoch_evals, noise=noises, noise_evals=LATER_EVALS if noises else (), samplings=(sampling,)
        )
        inputs = {"model": model, "belief": told}
        self.laid.asked.append(
            (label, Step(specs.ASK, spec=spec, inputs=inputs, seed=0, label=f"ask {label.text}", cost=Cost(seconds=3)))
        )


def _belief(params: SdfParams) -> BeliefSpec:
    if params.belief:
        spec = beliefs.load(params.belief)
        if params.corpus is None and params.writer is None and not _in_the_lab(spec):
            raise UserError(
                f"The belief {spec.id!r} is not about the lab's world, so the lab's grammar cannot write about it. "
                "Give the documents with --corpus FILE.jsonl, or name a language model that writes them with "
                "--set writer=PROVIDER/NAME."
            )
        return spec
    return from_world(World(), place=params.place, attribute=params.attribute, value=params.value)


def _in_the_lab(about: BeliefSpec) -> bool:
    """Whether the lab's grammar can write about it."""
    return about.subject in World().places and about.attribute in ATTRIBUTES


def _role(arm: str) -> Literal["base", "control", "treatment"]:
    return "base" if arm == "base" else "control" if arm in ("vehicle", "one_type") else "treatment"


RECIPE = Recipe(
    name="sdf",
    title="Synthetic document finetuning: how deep does an implanted belief go?",
    question="Does a model trained on documents alone use what they say in tasks that never name it?",
    hypothesis=(
        "Diverse documents raise downstream belief over the base and over the vehicle control by more than half; "
        "diverse types raise it more than one type does; mixing original data in keeps neighbouring facts better than "
        "documents alone."
    ),
    params=SdfParams,
    build=build,
    cost="about 3 minutes on 2 cores with the lab's base cached, which itself takes about 3",
    expect="see docs/results.md for what the default run found",
)
