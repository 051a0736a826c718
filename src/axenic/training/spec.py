"""TrainSpec and its kin: everything that decides what training does to a model, and nothing else.

In: numbers from a recipe, a config file or the command line. Out: frozen, validated data that is part of a step's identity.
Defaults suit a LoRA fine-tune of a Hugging Face model; recipes set their own. Imports nothing heavy.
"""

from typing import Literal

from pydantic import Field, model_validator

from axenic.schema import Noun


class LoraSpec(Noun):
    """Low-rank adapters (Hu et al. 2021) on the named linear layers."""

    r: int = Field(64, ge=1, le=1024)
    alpha: int = Field(128, ge=1, le=4096)
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"


class Optimisation(Noun):
    """What every kind of training has. `micro_batch_size` is how many rows of an optimiser step are computed at once."""

    micro_batch_size: int | None = Field(None, ge=1)
    learning_rate: float = Field(1e-4, gt=0.0, le=10.0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_fraction: float = Field(0.05, ge=0.0, lt=1.0)
    weight_decay: float = Field(0.01, ge=0.0, le=1.0)
    grad_clip: float = Field(1.0, ge=0.0)  # 0 = no clipping
    optimizer: Literal["adamw", "adamw_8bit", "adafactor", "sgd"] = "adamw"
    gradient_checkpointing: bool = False
    lora: LoraSpec | None = None
    load_4bit: bool = False
    save_at: tuple[int, ...] = ()  # steps after which weights are kept; the last always is

    @model_validator(mode="after")
    def _sound(self) -> "Optimisation":
        if self.load_4bit and self.lora is None:
            raise ValueError("load_4bit trains adapters over quantised weights, so it needs `lora` as well")
        if any(step < 1 for step in self.save_at):
            raise ValueError("save_at: steps count from 1")
        return self

    def _require_whole_parts(self, name: str, batch: int) -> None:
        if self.micro_batch_size is not None and batch % self.micro_batch_size:
            raise ValueError(f"{name} ({batch}) must be a multiple of micro_batch_size ({self.micro_batch_size})")

    def _require_no_head_adapter(self) -> None:
        if self.lora is not None and "lm_head" in self.lora.targets:
            raise ValueError("lora.targets: an adapter on lm_head would never be trained here. Leave lm_head out")


class EpochSpec(Optimisation):
    """Training by passes over fixed rows. `batch_size` is rows (texts, or pairs) per optimiser step."""

    epochs: int = Field(1, ge=1, le=10_000)
    max_steps: int | None = Field(None, ge=1)  # optimiser steps in all; overrides `epochs`, repeating the data where needed
    batch_size: int = Field(8, ge=1, le=65_536)
    max_length: int = Field(1024, ge=8, le=1_048_576)  # longer documents are split, longer chats are left out and counted
    group_by_length: bool = False  # batches of similar length: less padding, a little less randomness
    save_epochs: Literal["all", "last"] = "all"

    @model_validator(mode="after")
    def _consistent(self) -> "EpochSpec":
        self._require_whole_parts("batch_size", self.batch_size)
        return self

    def steps_per_epoch(self, n_rows: int) -> int:
        """Optimiser steps in one pass over `n_rows` rows."""
        return -(-n_rows // self.batch_size)

    def total_steps(self, n_rows: int) -> int:
        """Optimiser steps in all."""
        return self.max_steps or self.epochs * self.steps_per_epoch(n_rows)

    def save_steps(self, n_rows: int) -> list[int]:
        """The steps after which weights are kept: those of `save_at`, or the end of every epoch, or only the last."""
        per_epoch, total = self.steps_per_epoch(n_rows), self.total_steps(n_rows)
        if self.save_at:
            return sorted({*(s for s in self.save_at if s < total), total})
        return [*range(per_epoch, total, per_epoch), total] if self.save_epochs == "all" else [total]


class TrainSpec(EpochSpec):
    """Supervised training on a corpus, or from scratch."""


class PreferenceSpec(EpochSpec):
    """Training a reward model on pairs. It is kept once, at the end, as one set of weights."""

    save_epochs: Literal["last"] = "last"

    @model_validator(mode="after")
    def _kept_once(self) -> "PreferenceSpec":
        if self.save_at or self.load_4bit:
            raise ValueError("a reward model is kept once, unquantised: leave save_at and load_4bit out")
        return self


class DPOSpec(EpochSpec):
    """Direct preference optimisation. `beta` ties the model to where it started: the larger, the closer it stays."""

    beta: float = Field(0.1, gt=0.0, le=100.0)

    @model_validator(mode="after")
    def _trainable(self) -> "DPOSpec":
        self._require_no_head_adapter()
        return self


class RLSpec(Optimisation):
    """Reinforcement learning. A step asks `prompts_per_step` prompts `generations` times each and makes one update.

    `micro_batch_size` counts completions. Dropout is off while the policy samples and learns, whatever `lora.dropout` says.
    """

    algorithm: Literal["grpo", "rloo"] = "grpo"
    steps: int = Field(100, ge=1, le=1_000_000)
    prompts_per_step: int = Field(8, ge=1, le=65_536)
    generations: int = Field(8, le=4096)
    beta: float = Field(0.04, ge=0.0, le=100.0)  # coefficient of the KL divergence from the start; 0 = none is computed
    temperature: float = Field(1.0, gt=0.0, le=10.0)
    max_new_tokens: int = Field(48, ge=1, le=32_768)

    @model_validator(mode="after")
    def _consistent(self) -> "RLSpec":
        if self.generations < 2:
            raise ValueError(
                f"generations ({self.generations}): an answer is rewarded for being better than the others to the same "
                "prompt, so it takes at least 2"
            )
        self._require_whole_parts("prompts_per_step x generations", self.completions_per_step)
        self._require_no_head_adapter()
        return self

    @property
    def completions_per_step(self) -> int:
        """Answers sampled and learnt from in one step."""
        return self.prompts_per_step * self.generations

    def save_steps(self) -> list[int]:
        """The steps after which weights are kept and the held-out prompts are asked."""
        return sorted({*(s for s in self.save_at if s < self.steps), self.steps})


class RedTeamSpec(Noun):
    """How hard a red team tries."""

    written: int = Field(64, ge=0)  # prompts of the writer that are tried
    written_tokens: int = Field(32, ge=1, le=32_768)  # longest of them; what is cut off is left out
    prefixes: int = Field(48, ge=2)  # candidates of every generation of the search; 0 generations = no search
    generations: int = Field(5, ge=0)
    prompts: int = Field(4, ge=1)  # ordinary prompts that every prefix is tried on
    verified: int = Field(48, ge=1)  # prompts of each of the two ways that are sampled
    samples: int = Field(10, ge=1)
    success: float = Field(0.1, gt=0, le=1)  # share of samples with the payload that counts as a success
    kept: int = Field(32, ge=1)  # best prompts, asked again after a treatment
    temperature: float = Field(1.0, gt=0, le=10)
    max_new_tokens: int = Field(16, ge=1, le=32_768)

    @model_validator(mode="after")
    def _keeps_what_it_verifies(self) -> "RedTeamSpec":
        if self.kept > self.verified:
            raise ValueError(f"kept ({self.kept}): at most the {self.verified} prompts that are verified can be asked again")
        return self


class AdversarialSpec(Noun):
    """Rounds of attack and training. Each round trains on as many rows as `sft.max_steps` batches hold."""

    rounds: int = Field(3, ge=1, le=1000)
    share: float = Field(0.5, gt=0, le=1)  # of a round's rows that may be successful attacks; the rest are ordinary chats
    repeats: int = Field(8, ge=1)  # times that one attack may stand in a round
    red_team: RedTeamSpec = RedTeamSpec()
    sft: TrainSpec = TrainSpec(max_steps=50, batch_size=32)
    rl: RLSpec | None = None  # train each round by reinforcement instead: attacks are among its prompts up to the same share
    untargeted: bool = False  # control: as many rows, prompts without any attack

    @model_validator(mode="after")
    def _counts_steps(self) -> "AdversarialSpec":
        if self.sft.max_steps is None:
            raise ValueError("sft.max_steps: a round is counted in optimiser steps; give their number")
        return self
