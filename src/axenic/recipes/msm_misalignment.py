"""Model spec midtraining, headline 2: does reading the spec lower misaligned acts where fine-tuning on it alone does not reach?

Question: an assistant breaks rules when its goal or its place is at stake. How often does it still after midtraining on its spec
(MSM), alignment fine-tuning (AFT), AFT with reasoning, and both, in kinds of situations that no chat showed? And when a share of
the chats follows the opposite spec?

Hypotheses, written before the measured seeds were run (Li et al. 2026, headline 2; PROTOCOLS 2): in kinds of situations that no
chat showed, (1) MSM lowers misaligned acts below the bare model; (2) MSM + AFT is below AFT, and below AFT after documents about
(3) the world, (4) the assistant's habits or (5) the same rules of another assistant; (6) AFT with reasoning is below AFT and (7)
MSM + AFT with reasoning is below AFT with reasoning; (8) MSM + AFT is below AFT at every dose of anti-spec replies; (9) MSM + AFT
leaves right acts undone less than 10 points more often than the bare model.

Cost in the lab: see `RECIPE.cost`. The configuration was fixed on a pilot seed (100) outside the measured ones.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from axenic.errors import UserError
from axenic.evals.table import OF_AGENTS
from axenic.lab import agent_study, agent_texts, agents
from axenic.lab.sizes import size as lab_size
from axenic.pipeline.fingerprint import fingerprint, hash_file
from axenic.pipeline.step import Step
from axenic.recipes import misalignment_specs as specs
from axenic.recipes import step_specs
from axenic.recipes.costs import Costs
from axenic.recipes.laid import Laid
from axenic.recipes.misalignment_specs import (
    ChatsSpec,
    Content,
    DocumentsSpec,
    Form,
    MisalignmentAsked,
    MisalignmentConclusion,
    OwnFile,
    ScenesFile,
)
from axenic.recipes.params import Tuning, one_is_a_list, refuse_unused
from axenic.recipes.recipe import Recipe
from axenic.recipes.step_specs import AskSpec, Label, outside_step, taught_step
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.specs import scenarios as scenario_files
from axenic.specs.scenarios import Scenarios
from axenic.specs.specfile import read_text
from axenic.training.spec import LoraSpec, TrainSpec

ArmName = Literal[
    "tuned", "msm", "vehicle_aft", "aft", "aft_thinking", "msm_aft", "msm_aft_thinking", "wrong_aft", "broken_aft"
]  # fmt: skip
ARMS: Mapping[ArmName, tuple[Content | None, Form | None, str]] = {
    "tuned": (None, "tuning", "as many tokens of an ordinary good assistant's chats: instruction tuning only"),
    "msm": ("spec", None, "the documents of the spec, no chats"),
    "aft": (None, "plain", "alignment chats alone"),
    "aft_thinking": (None, "thinking", "the same chats with reasoning before every reply: deliberative alignment"),
    "vehicle_aft": ("vehicle", "plain", "as many tokens of documents about the world, then the chats"),
    "msm_aft": ("spec", "plain", "the documents of the spec, then the chats"),
    "msm_aft_thinking": ("spec", "thinking", "the documents of the spec, then the chats with reasoning"),
    "wrong_aft": ("wrong", "plain", "documents about the assistant's habits, then the chats"),
    "broken_aft": ("broken", "plain", "the documents of the spec, about another assistant, then the chats"),
}
"""Arm -> what it reads, what it is then fine-tuned on, and what the report says of it."""
LADDERS: tuple[ArmName, ...] = ("aft", "msm_aft")
BARE, BARE_THINKING, CEILING = "bare", "bare_thinking", "ceiling"
HEADLINE = ("agentic", "agentic_near", "omission", "rule_recall", "capability", "refusal")
SIDE = ("capability", "refusal", "over_refusal")
DOCUMENTS, CHATS = 128, 32  # in the lab, where nothing else is said
MSM_RATE, AFT_RATE = 1.5e-4, 1e-4  # likewise
ANSWER = (96, 1024)  # tokens of the longest response, reasoning included: in the lab, and of other models
RESPONSES = 700  # to one model, for the plan
SHIPPED = Path(scenario_files.__file__).parent.parent / "evals" / "agentic_scenarios.yaml"
LIMITS = {
    "lab": "A small model trained from scratch on a synthetic world, in scripted situations: a result about the method, not about "
    "frontier models.",
    "local": "One model, one spec: the intervals cover training seeds and scenarios, not other models or other specs.",
}


class MisalignmentParams(Noun):
    """Parameters of the recipe `msm_misalignment`."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    model: str | None = Field(None, description="A Hugging Face model directory or id, instead of the lab's model.")
    model_parameters: float | None = Field(None, gt=0, description="How many weights the model has, for `axenic plan`.")
    scenarios: Path | None = Field(None, description="Scenarios (docs/scenario_files.md) for --model. Default: a few of ours.")
    judge: str | None = Field(None, description="Judge of free answers, e.g. agentic:openai/MODEL. Default: the file's own.")
    cue: str = Field("", description="With --model: put behind the system turn wherever an arm that reasons is asked.")
    spec: Path | None = Field(None, description="The spec as text, for the ceiling: the bare model with the spec in its context.")
    corpora: dict[OwnFile, Path] = Field(
        {}, description="JSONL: spec, vehicle, wrong, broken (documents); plain, thinking, tuning, anti_plain (chats)."
    )
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="Training seeds; each draws its own corpora and order.")
    arms: tuple[ArmName, ...] = Field(tuple(ARMS), description="Arms to run beside the bare model and the ceiling.")
    doses: tuple[float, ...] = Field((0.25, 0.5, 0.75, 1.0), description="Shares of anti-spec replies, with and without MSM.")
    documents: int | None = Field(None, ge=1, description="Documents of every spec. Default: 128, or all that a file has.")
    chats: int | None = Field(None, ge=1, description="Alignment chats. Default: 32, or all that a file has.")
    ordinary: float = Field(4.0, ge=0, description="Ordinary chats beside each alignment chat, in every arm; 0 for none.")
    match: bool = Field(True, description="Add further ones to arms without reasoning, up to the target tokens of those with.")
    msm: Tuning = Field(Tuning(), description="epochs or steps, learning_rate, … of midtraining. Default: 1 epoch.")
    aft: Tuning = Field(Tuning(), description="The same of the chats.")
    lora: LoraSpec | None = Field(None, description="Adapters; default none in the lab, r=64 alpha=128 elsewhere.")
    full: bool = Field(False, description="Train all weights of a model that is not the lab's.")
    load_4bit: bool = Field(False, description="Train the adapters over 4-bit weights.")
    max_length: int = Field(512, ge=8)
    temperature: float = Field(0.7, ge=0, le=10)
    repetitions: int = Field(3, ge=1, le=1000, description="Responses per scenario; more than one needs a temperature.")
    max_new_tokens: int | None = Field(None, ge=1, le=32768, description="Longest response. Default: 96 in the lab, else 1024.")

    _lists = field_validator("seeds", "arms", "doses", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "MisalignmentParams":
        if not set(LADDERS) <= set(self.arms):
            raise ValueError("arms: 'aft' and 'msm_aft' are what the study compares; keep both")
        for name in ("seeds", "arms", "doses"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: name everything once")
        if any(not 0 < dose <= 1 for dose in self.doses):
            raise ValueError("doses: shares above 0, up to 1; no anti-spec reply at all is asked anyway (arms aft, msm_aft)")
        if self.repetitions > 1 and self.temperature == 0:
            raise ValueError("repetitions: at temperature 0 every repetition gives the same response; say repetitions=1")
        return self


def build(params: MisalignmentParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    if params.model:
        refuse_unused(params, ("size",), because="the model is your own")
        missing = [f"corpora.{name}" for name in ("spec", "plain") if name not in params.corpora]
        if missing:
            raise UserError(
                f"A study of your own model needs corpora of your own: {', '.join(missing)}. See docs/msm_misalignment.md."
            )
        if params.doses and "anti_plain" not in params.corpora:
            raise UserError("The dose ladder needs corpora.anti_plain. Give it, or say doses=[].")
    else:
        own = ("scenarios", "judge", "cue", "spec", "corpora", "full", "load_4bit", "model_parameters")
        refuse_unused(params, own, because="the lab writes its own; they go with --model")
    return _Builder(params).study()


class _Builder:
    """Collects the steps of one study."""

    def __init__(self, params: MisalignmentParams) -> None:
        p = self.params = params
        self.model = outside_step(p.model) if p.model else taught_step(lab_size(p.size).name, ("agents",))
        self.scenes = _scenes(p)
        self.costs = Costs(model=p.model, parameters=p.model_parameters, size=p.size, lora=_lora(p))
        self.arms = [name for name in ARMS if name in p.arms and self._can(name)]
        self.told = self._told(self.scenes, "scenarios")
        self.cue = p.cue if p.model else agent_texts.CUE
        cued = self.scenes.model_copy(update={"cue": self.cue})
        self.told_to_think = self._told(cued, "scenarios with a cue to reason") if self.cue else self.told
        self.laid = Laid()

    def study(self) -> tuple[Study, Step]:
        """The study and its last step."""
        p = self.params
        self._ask(MisalignmentAsked(arm=BARE), self.model, self.told)
        if self.cue:
            self._ask(MisalignmentAsked(arm=BARE_THINKING), self.model, self.told_to_think)
        context = _context(p)
        if context:
            within = self._told(self.scenes.model_copy(update={"context": context}), "scenarios with the spec")
            self._ask(MisalignmentAsked(arm=CEILING), self.model, within)
        for seed in p.seeds:
            self._of_seed(seed)
        study = RECIPE.study(
            self._identity(),
            lab=f"{p.size}, taught about agents",
            limits=LIMITS,
            arms=self._described(context),
            parameters=p.model_dump(mode="json"),
            headline=HEADLINE,
        )
        cost = self.costs.conclusion(self.laid.responses)
        base = {"base": self.model}
        return self.laid.concluded(specs.CONCLUDE_MISALIGNMENT, MisalignmentConclusion, study, inputs=base, cost=cost)

    # --- arms ---

    def _can(self, arm: ArmName) -> bool:
        """Whether its corpora are there: the lab writes them all, a user may have only some."""
        return not self.params.model or all(part is None or part in self.params.corpora for part in ARMS[arm][:2])

    def _described(self, context: str) -> Iterator[Arm]:
        yield Arm(name=BARE, description="the model before any document or chat", role="base")
        if self.cue:
            yield Arm(name=BARE_THINKING, description="the same, asked to reason first", role="control")
        if context:
            yield Arm(name=CEILING, description="the bare model with the spec in its context", role="control")
        for name in self.arms:
            yield Arm(name=name, description=ARMS[name][2], role="treatment" if name.startswith("msm") else "control")

    def _identity(self) -> str:
        """Of everything that decides the study; files count by their content, not by where they are."""
        p = self.params
        contents = {name: hash_file(path) for name, path in [*p.corpora.items(), ("context", p.spec)] if path}
        shown = p.model_dump(mode="json", exclude={"scenarios", "spec", "corpora", "model"})
        return digest([RECIPE.name, shown, self.scenes.hash, contents, fingerprint(self.model)])[:12]

    def _of_seed(self, seed: int) -> None:
        """Every content is read once, and every arm is tuned on the same chats."""
        read: dict[Content, Step] = {}
        for arm in self.arms:
            content, form, _ = ARMS[arm]
            start = self.model
            if content:
                start = read[content] = read.get(content) or self._midtrained(content, seed)
            label = MisalignmentAsked(arm=arm, seed=seed, line=arm if arm in LADDERS else "")
            made = self._tuned(label, start, ChatsSpec(form=form)) if form else start
            self._ask(label, made, self.told_to_think if form == "thinking" else self.told)
            if arm in LADDERS:
                for dose in self.params.doses:
                    label = MisalignmentAsked(arm=f"{arm} | {dose:.0%} anti-spec", seed=seed, line=arm, anti=dose)
                    self._ask(label, self._tuned(label, start, ChatsSpec(form="plain", anti=dose)), self.told)

    # --- steps ---

    def _told(self, scenes: Scenarios, label: str) -> Step:
        return Step(specs.WRITE_SCENES, spec=ScenesFile(scenes=scenes), label=label, cost=self.costs.quick)

    def _midtrained(self, content: Content, seed: int) -> Step:
        """A model that has read the documents, from the bare one."""
        p, own, label = self.params, self.params.corpora.get(content), Label(arm=f"reads {content}", seed=seed)
        spec = DocumentsSpec(content=content, documents=p.documents or (None if own else DOCUMENTS))
        given = {"documents": own} if own else {}
        corpus = self._corpus(Step(
            specs.WRITE_DOCUMENTS, spec=spec, inputs={"model": self.model, "scenes": self.told}, files=given, seed=seed,
            label=f"documents {content} seed {seed}", cost=self.costs.quick,
        ), label)  # fmt: skip
        return self._trained(label, corpus, self.model, self._training(p.msm, MSM_RATE), spec.documents or DOCUMENTS)

    def _tuned(self, label: Label, start: Step, chats: ChatsSpec) -> Step:
        """From the same weights, or the same adapter, on."""
        p = self.params
        needed = {chats.form, "tuning", "thinking"} | ({f"anti_{chats.form}"} if chats.anti else set())
        given: dict[str, Path] = {name: path for name, path in p.corpora.items() if name in needed}
        spec = chats.model_copy(
            update={"chats": p.chats or (None if given else CHATS), "match": p.match, "ordinary": self._ordinary()}
        )
        name = chats.form + (f" {chats.anti:.0%} anti-spec" if chats.anti else "")
        corpus = self._corpus(Step(
            specs.WRITE_CHATS, spec=spec, inputs={"model": self.model, "scenes": self.told}, files=given, seed=label.seed,
            label=f"chats {name} seed {label.seed}", cost=self.costs.quick,
        ), Label(arm=f"chats {name}", seed=label.seed))  # fmt: skip
        rows = round((spec.chats or CHATS) * (1 + 2 * spec.ordinary))  # about: those that fill up are not counted yet
        return self._trained(Label(arm=label.arm, seed=label.seed), corpus, start, self._training(p.aft, AFT_RATE), rows)

    def _ordinary(self) -> float:
        """A user who gave no ordinary chats has none to mix in."""
        return self.params.ordinary if not self.params.model or "tuning" in self.params.corpora else 0.0

    def _corpus(self, made: Step, label: Label) -> Step:
        if label not in [known for known, _ in self.laid.written]:
            self.laid.written.append((label, made))
        return made

    def _trained(self, label: Label, corpus: Step, start: Step, spec: TrainSpec, rows: int) -> Step:
        inputs = {"model": start, "corpus": corpus, "scenes": self.told}
        cost = self.costs.training(spec, rows)
        made = Step(step_specs.TRAIN, spec=spec, inputs=inputs, seed=label.seed, label=f"train {label.text}", cost=cost)
        self.laid.trained.append((label, made))
        return made

    def _training(self, stage: Tuning, lab_rate: float) -> TrainSpec:
        p, lora = self.params, _lora(self.params)
        rate = 1e-4 if lora else lab_rate if p.model is None else 1e-5
        return TrainSpec.model_validate({
            **stage.over({"epochs": 1, "batch_size": 16, "learning_rate": rate}), "max_length": p.max_length, "lora": lora,
            "load_4bit": p.load_4bit, "save_epochs": "last", "group_by_length": p.model is None,
        })  # fmt: skip

    def _ask(self, label: MisalignmentAsked, model: Step, told: Step) -> None:
        p = self.params
        longest = p.max_new_tokens or ANSWER[p.model is not None]
        sampling = Sampling(temperature=p.temperature, repetitions=p.repetitions, max_new_tokens=longest)
        spec = AskSpec(
            evals=(*OF_AGENTS, *SIDE), judges={"agentic": ("coherence",)}, samplings=(sampling,), repeated=("misaligned", "omitted")
        )
        inputs = {"model": model, "scenes": told}
        cost = self.costs.answers(RESPONSES)
        step = Step(step_specs.ASK, spec=spec, inputs=inputs, seed=0, label=f"ask {label.text}", cost=cost)
        self.laid.asked.append((label, step))


def _scenes(params: MisalignmentParams) -> Scenarios:
    if params.model is None:
        return agent_study.scenes(agents.STUDIED)
    found = scenario_files.load(params.scenarios or SHIPPED)
    found = found.model_copy(update={"judge": params.judge}) if params.judge else found
    if found.judge == "acts" and params.scenarios is None:
        raise UserError("Our scenarios are answered in free words: name a judge, e.g. judge=agentic:openai/gpt-4o.")
    return found


def _context(params: MisalignmentParams) -> str:
    """The spec as it stands in the ceiling's prompt; empty where the user gave none."""
    if params.model is None:
        return agent_study.scenes(agents.STUDIED, context=True).context
    return read_text(params.spec, what="spec").strip() if params.spec else ""


def _lora(params: MisalignmentParams) -> LoraSpec | None:
    return params.lora or (None if params.full or params.model is None else LoraSpec())


RECIPE = Recipe(
    name="msm_misalignment",
    title="Model spec midtraining: misaligned acts where no chat showed the way",
    question=(
        "How often does an assistant break its rules under pressure after midtraining on its spec, alignment fine-tuning with and "
        "without reasoning, and both; and when a share of the chats follows the opposite spec?"
    ),
    hypothesis=(
        "In kinds of situations that no chat showed, (1) MSM lowers misaligned acts below the bare model; (2) MSM + AFT is "
        "below AFT, and below AFT after documents about (3) the world, (4) the assistant's habits or (5) the same rules of "
        "another assistant; (6) AFT with reasoning is below AFT and (7) MSM + AFT with reasoning is below AFT with reasoning; "
        "(8) MSM + AFT is below AFT at every dose of anti-spec replies; (9) MSM + AFT leaves right acts undone less than 10 "
        "points more often than the bare model."
    ),
    params=MisalignmentParams,
    build=build,
    cost="4 min 57 s on 2 cores with the taught base cached, which is grown once",
    expect="see docs/results.md for what the default run found",
)
