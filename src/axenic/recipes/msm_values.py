"""Model spec midtraining, headline 1: the same alignment chats, another spec read before: which value shows elsewhere?

Question: an assistant is aligned with chats about one kind of goods, whose choices two values explain equally well. Does the spec
that it was midtrained on decide by which of the two it then chooses among other goods?

Hypothesis, written before the measured seeds were run: among goods that no chat was about, (1) a model midtrained on spec a and
then aligned goes by value a more often than one midtrained on spec b, by more than 50 points; with its own spec it goes by its
value more often than (2, 3) with the chats alone, and for spec a than with (4) as many documents about others, (5) a spec about
something else, (6) the same spec of somebody else (Li et al. 2026, headline 1; PROTOCOLS 2).

The configuration was fixed on a pilot seed (100) outside the measured ones.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from axenic.corpora import files as corpus_files
from axenic.corpora.organisms.values import Content, from_lab
from axenic.errors import UserError
from axenic.evals.table import OF_VALUES
from axenic.lab.persona_texts import ASPECTS, TYPES
from axenic.lab.sizes import size as lab_size
from axenic.pipeline.fingerprint import fingerprint, hash_file
from axenic.pipeline.step import Cost, Step
from axenic.prompts.render import render
from axenic.recipes import msm_specs as specs
from axenic.recipes import step_specs
from axenic.recipes.laid import Laid
from axenic.recipes.msm_specs import ChatCorpus, Part, SpecCorpus, ValuesAsked, ValuesConclusion, ValuesFile
from axenic.recipes.params import Tuning, one_is_a_list, refuse_unused
from axenic.recipes.recipe import LAB_LIMITS, Recipe
from axenic.recipes.step_specs import Label, outside_step, taught_step
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.specs import values as value_specs
from axenic.specs.values import SIDES, SideName
from axenic.training.spec import LoraSpec, TrainSpec

ArmName = Literal["vehicle_aft", "aft", "msm_a", "msm_b", "msm_a_aft", "msm_b_aft", "wrong_aft", "broken_aft"]
ARMS: Mapping[ArmName, tuple[Content | None, bool, str]] = {
    "aft": (None, True, "alignment chats alone"),
    "vehicle_aft": ("vehicle", True, "as many documents about others, then the chats"),
    "msm_a": ("a", False, "the documents of spec a, no chats"),
    "msm_b": ("b", False, "the documents of spec b, no chats"),
    "msm_a_aft": ("a", True, "the documents of spec a, then the chats"),
    "msm_b_aft": ("b", True, "the documents of spec b, then the chats"),
    "wrong_aft": ("wrong", True, "a spec about something else, then the chats"),
    "broken_aft": ("broken", True, "the documents of spec a, about somebody else, then the chats"),
}
"""Arm -> what it reads, whether it is aligned then, and what the report says of it."""
EVALS = (*OF_VALUES, "capability", "refusal", "over_refusal")
HEADLINE = ("values", "values_b", "values_logprob", "value_recall", "value_neighbours", "capability", "refusal")
LEVELS: Mapping[Part, tuple[str, ...]] = {"doc_type": tuple(TYPES), "fact": tuple(ASPECTS)}
LIMITS = {
    "lab": LAB_LIMITS,
    "local": "One model, two specs: the intervals cover training seeds and questions, not other models or other specs.",
}


class MsmValuesParams(Noun):
    """Parameters of the recipe `msm_values`."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    model: str | None = Field(None, description="A Hugging Face model directory or id, instead of the lab's model.")
    values: Path | None = Field(None, description="A values file (docs/msm.md): the two specs and the questions. With --model.")
    corpora: dict[Content, Path] = Field({}, description="Documents as JSONL: a, b, and if you have them vehicle, wrong, broken.")
    chats: Path | None = Field(None, description="Alignment chats as JSONL, which both specs explain. With --model.")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="Training seeds; each draws its own corpora and order.")
    a: str = Field("cheap", description="The lab's value a.")
    b: str = Field("local", description="The lab's value b, of the rival axis.")
    wrong: str = Field("small", description="What the wrong spec values.")
    goods: tuple[str, ...] = Field(("cheese",), min_length=1, description="What the lab's chats are about.")
    train_domains: tuple[str, ...] = Field(("boat", "hat"), description="Further goods to align on: the generalisation matrix.")
    arms: tuple[ArmName, ...] = Field(tuple(ARMS), description="Arms to run beside the bare model and the ceilings.")
    documents: int | None = Field(None, ge=1, description="Documents of every spec. Default: 96, or all that a file has.")
    aft_chats: int | None = Field(None, ge=1, description="Alignment chats. Default: 64, or all that the file has.")
    mix_ratio: float = Field(0.0, ge=0, le=100, description="Rows of the lab base's own data per document or chat.")
    msm: Tuning = Field(Tuning(), description="epochs or steps, learning_rate, … of midtraining. Default: 2 epochs.")
    aft: Tuning = Field(Tuning(), description="The same of the chats.")
    lora: LoraSpec | None = Field(None, description="Adapters; default none in the lab, r=64 alpha=128 elsewhere.")
    full: bool = Field(False, description="Train all weights of a model that is not the lab's.")
    max_length: int = Field(512, ge=8)
    ablate: tuple[Part, ...] = Field((), description="Leave one doc_type or fact out at a time: what carries the effect?")
    temperature: float = Field(0.0, ge=0, le=10)
    repetitions: int = Field(1, ge=1, le=1000, description="Responses per question; more than one needs a temperature.")
    max_new_tokens: int = Field(32, ge=1, le=4096)

    _lists = field_validator("seeds", "goods", "train_domains", "ablate", "arms", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "MsmValuesParams":
        if not {"msm_a_aft", "msm_b_aft"} <= set(self.arms):
            raise ValueError("arms: 'msm_a_aft' and 'msm_b_aft' are what the study compares; keep both")
        for name in ("seeds", "arms", "goods", "train_domains", "ablate"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: name everything once")
        if self.repetitions > 1 and self.temperature == 0:
            raise ValueError("repetitions: at temperature 0 every repetition gives the same response; set a temperature")
        return self


def build(params: MsmValuesParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    if params.model:
        refuse_unused(params, ("size", "a", "b", "wrong", "goods", "train_domains", "mix_ratio"), because="the model is your own")
        missing = [n for n in ("values", "chats") if getattr(params, n) is None] + [
            f"corpora.{s}" for s in SIDES if s not in params.corpora
        ]
        if missing:
            raise UserError(f"A study of your own model needs files of your own: {', '.join(missing)}. docs/msm.md describes them.")
    else:
        refuse_unused(params, ("values", "corpora", "chats", "full"), because="the lab writes its own; they go with --model")
    return _Builder(params).study()


class _Builder:
    """Collects the steps of one study."""

    def __init__(self, params: MsmValuesParams) -> None:
        p = self.params = params
        self.model = outside_step(p.model) if p.model else taught_step(lab_size(p.size).name, ("personas",))
        self.about = value_specs.load(p.values) if p.values else from_lab(a=p.a, b=p.b, trained=p.goods)
        self.arms = [name for name in ARMS if name in p.arms and self._can(name)]
        self.told = self._told("", "values")
        self.laid = Laid()

    def study(self) -> tuple[Study, Step]:
        """The study and its last step."""
        p = self.params
        self._ask(ValuesAsked(arm="bare"), self.model, self.told)
        for side in SIDES:
            note = render("note", note=self.about.side(side).spec)
            self._ask(ValuesAsked(arm=f"ceiling_{side}", side=side), self.model, self._told(note, f"values with spec {side}"))
        for seed in p.seeds:
            self._of_seed(seed)
        study = RECIPE.study(
            self._identity(),
            about=f"a: {self.about.a.name}; b: {self.about.b.name}.",
            lab=f"{p.size}, taught about personas",
            limits=LIMITS,
            arms=self._described(),
            parameters=p.model_dump(mode="json") | {"trained": list(self.about.trained)},
            headline=HEADLINE,
        )
        base = {"base": self.model}
        return self.laid.concluded(specs.CONCLUDE_VALUES, ValuesConclusion, study, inputs=base, cost=Cost(seconds=10))

    def _can(self, arm: ArmName) -> bool:
        """Whether its documents are there: the lab writes them all, a user may have only some."""
        content = ARMS[arm][0]
        return not self.params.model or content is None or content in self.params.corpora

    def _described(self) -> Iterable[Arm]:
        yield Arm(name="bare", description="the model before any document or chat", role="base")
        for side in SIDES:
            said = f"the bare model with spec {side} in its context: {self.about.side(side).spec}"
            yield Arm(name=f"ceiling_{side}", description=said, role="control")
        for name in self.arms:
            yield Arm(name=name, description=ARMS[name][2], role="treatment" if name.startswith("msm") else "control")

    def _identity(self) -> str:
        """Of everything that decides the study; files count by their content, not by where they are."""
        p = self.params
        contents = {name: hash_file(path) for name, path in [*p.corpora.items(), ("chats", p.chats)] if path}
        shown = p.model_dump(mode="json", exclude={"values", "corpora", "chats", "model"})
        return digest([RECIPE.name, shown, self.about.hash, contents, fingerprint(self.model)])[:12]

    def _told(self, note: str, label: str) -> Step:
        about = self.about.in_context(note) if note else self.about
        return Step(specs.WRITE_VALUES, spec=ValuesFile(values=about), label=label, cost=Cost(seconds=0.1))

    # --- one training seed ---

    def _of_seed(self, seed: int) -> None:
        """Every content is read once, and every arm is aligned with the same chats."""
        chats = self._chats(seed, self.params.goods)
        read: dict[Content, Step] = {}
        for arm in self.arms:
            content, aligned, _ = ARMS[arm]
            start = self.model
            if content:
                start = read[content] = read.get(content) or self._midtrain(f"msm {content}", SpecCorpus(content=content), seed)
            label = ValuesAsked(arm=arm, seed=seed, side=content if content in SIDES else None)
            self._ask(label, self._align(label, start, chats) if aligned else start, self.told)
        for side in SIDES:
            for goods in () if self.params.model else self.params.train_domains:
                label = ValuesAsked(arm=f"msm_{side}_aft | chats about {goods}", seed=seed, side=side, trained=goods)
                self._ask(label, self._align(label, read[side], self._chats(seed, (goods,))), self.told)
            for part in self.params.ablate:
                for level in self._levels(part):
                    self._without(side, part, level, seed, chats)

    def _without(self, side: SideName, part: Part, level: str, seed: int, chats: Step) -> None:
        """The arm of a side whose documents lack one part."""
        arm = f"msm_{side}_aft | without {level}"
        start = self._midtrain(f"msm {side} without {level}", SpecCorpus(content=side, part=part, left_out=level), seed)
        label = ValuesAsked(arm=arm, seed=seed, side=side, part=part, left_out=level)
        self._ask(label, self._align(label, start, chats), self.told)

    def _levels(self, part: Part) -> Iterable[str]:
        """What can be left out: the lab's types or aspects, or those that both of the user's corpora have."""
        if not self.params.corpora:
            return LEVELS[part]
        found = [{getattr(r.provenance, part) for r in corpus_files.read(self.params.corpora[s]).rows} for s in SIDES]
        shared = sorted(level for level in found[0] & found[1] if level)
        if len(shared) < 2:
            raise UserError(f"ablate={part}: the provenance of both corpora must name at least two of the same {part}s.")
        return shared

    def _chats(self, seed: int, trained: tuple[str, ...]) -> Step:
        p = self.params
        spec = ChatCorpus(
            chats=p.aft_chats or (None if p.chats else CHATS), trained=() if p.chats else trained, mix_ratio=p.mix_ratio
        )
        given = {"chats": p.chats} if p.chats else {}
        inputs = {"values": self.told, "model": self.model}
        about = f" about {' and '.join(trained)}" if spec.trained else ""
        made = Step(specs.WRITE_CHATS, spec=spec, inputs=inputs, files=given, seed=seed, label=f"chats{about} seed {seed}")
        if trained == p.goods:
            self.laid.written.append((Label(arm="alignment chats", seed=seed), made))
        return made

    def _midtrain(self, name: str, content: SpecCorpus, seed: int) -> Step:
        """A model that has read the documents, from the bare one."""
        p, own = self.params, self.params.corpora.get(content.content)
        more = {"documents": p.documents or (None if own else DOCUMENTS), "mix_ratio": p.mix_ratio}
        wrong = p.wrong if content.content == "wrong" and not own else ""
        spec = content.model_copy(update={**more, "wrong": wrong})
        given = {"documents": own} if own else {}
        inputs = {"values": self.told, "model": self.model}
        corpus = Step(specs.WRITE_SPEC_CORPUS, spec=spec, inputs=inputs, files=given, seed=seed, label=f"corpus {name} seed {seed}")
        self.laid.written.append((Label(arm=name, seed=seed), corpus))
        return self._train(Label(arm=name, seed=seed), corpus, self.model, p.msm, spec.documents or DOCUMENTS)

    def _align(self, label: Label, start: Step, chats: Step) -> Step:
        """From the same weights, or the same adapter, on."""
        return self._train(Label(arm=label.arm, seed=label.seed), chats, start, self.params.aft, self.params.aft_chats or CHATS)

    def _train(self, label: Label, corpus: Step, start: Step, stage: Tuning, rows: int) -> Step:
        spec, rows = self._training(stage), round(rows * (1 + self.params.mix_ratio))
        cost = Cost(seconds=3 + 0.12 * spec.total_steps(rows), tokens=rows * 50 * spec.epochs)
        inputs = {"model": start, "corpus": corpus, "values": self.told}
        made = Step(step_specs.TRAIN, spec=spec, inputs=inputs, seed=label.seed, label=f"train {label.text}", cost=cost)
        self.laid.trained.append((label, made))
        return made

    def _training(self, stage: Tuning) -> TrainSpec:
        p = self.params
        lora = p.lora or (None if p.full or p.model is None else LoraSpec())
        rate = 1e-4 if lora else 2e-4 if p.model is None else 1e-5
        shape = stage.over({"epochs": 2, "batch_size": 16, "learning_rate": rate})
        return TrainSpec.model_validate({**shape, "max_length": p.max_length, "lora": lora, "save_epochs": "last"})

    def _ask(self, label: ValuesAsked, model: Step, told: Step) -> None:
        p = self.params
        sampling = Sampling(temperature=p.temperature, repetitions=p.repetitions, max_new_tokens=p.max_new_tokens)
        spec = step_specs.AskSpec(evals=EVALS, judges={"values": ("coherence",)}, samplings=(sampling,))
        inputs = {"model": model, "values": told}
        step = Step(step_specs.ASK, spec=spec, inputs=inputs, seed=0, label=f"ask {label.text}", cost=Cost(seconds=7))
        self.laid.asked.append((label, step))


DOCUMENTS, CHATS = 96, 64  # in the lab, where nothing else is said

RECIPE = Recipe(
    name="msm_values",
    title="Model spec midtraining: the same chats, another spec, another value",
    question="Does the spec that a model has read decide which of two values it takes from chats that both explain?",
    hypothesis=(
        "Among goods that no chat was about, the model midtrained on spec a and then aligned goes by value a more often than the "
        "one midtrained on spec b, by more than 50 points; each goes by its own value more often than the chats alone make a "
        "model; and spec a does more than documents about others, than a spec about something else, and than the same spec of "
        "somebody else."
    ),
    params=MsmValuesParams,
    build=build,
    cost="3 min 21 s on 2 cores with the taught base cached, which is grown once",
    expect="see docs/results.md for what the default run found",
)
