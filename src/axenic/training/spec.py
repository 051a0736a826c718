"""TrainSpec: everything that decides what training does to a model, and nothing else.

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


class TrainSpec(Noun):
    """How to train. `batch_size` is texts per optimiser step; `micro_batch_size` is how many of them are computed at once."""

    epochs: int = Field(1, ge=1, le=10_000)
    max_steps: int | None = Field(None, ge=1)  # optimiser steps in all; overrides `epochs`, repeating the data where needed
    batch_size: int = Field(8, ge=1, le=65_536)
    micro_batch_size: int | None = Field(None, ge=1)
    learning_rate: float = Field(1e-4, gt=0.0, le=10.0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_fraction: float = Field(0.05, ge=0.0, lt=1.0)
    weight_decay: float = Field(0.01, ge=0.0, le=1.0)
    grad_clip: float = Field(1.0, ge=0.0)  # 0 = no clipping
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    max_length: int = Field(1024, ge=8, le=1_048_576)  # longer documents are split, longer chats are left out and counted
    group_by_length: bool = False  # batches of similar length: less padding, a little less randomness
    gradient_checkpointing: bool = False
    lora: LoraSpec | None = None
    load_4bit: bool = False
    save_epochs: Literal["all", "last"] = "all"
    save_at: tuple[int, ...] = ()  # steps after which weights are kept, instead of the ends of epochs; the last always is

    @model_validator(mode="after")
    def _consistent(self) -> "TrainSpec":
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            raise ValueError(f"batch_size ({self.batch_size}) must be a multiple of micro_batch_size ({self.micro_batch_size})")
        if self.load_4bit and self.lora is None:
            raise ValueError("load_4bit trains adapters over quantised weights, so it needs `lora` as well")
        if any(step < 1 for step in self.save_at):
            raise ValueError("save_at: steps count from 1")
        return self

    def steps_per_epoch(self, n_rows: int) -> int:
        """Optimiser steps in one pass over `n_rows` texts."""
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
