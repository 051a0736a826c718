"""What all trainers share: states written whole, exact resume, silence, a watch over the loss.

In: a spec. Out: arguments for any TRL trainer, mixins that go before it, and the callback that reports, saves and stops.
"""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import PrinterCallback, Trainer, TrainerCallback

from axenic.errors import UserError
from axenic.schema import OnProgress
from axenic.training.spec import EpochSpec, Optimisation

STATE_EVERY_SECONDS = 60.0
"""How much work a kill may cost. Runs shorter than this write no state."""

_MEGABATCH = 50  # batches among which `group_by_length` sorts: few enough that batches still differ between epochs


class EpochOrder(Sampler[int]):
    """The order of the rows in one epoch: a function of (seed, epoch) alone, so that resuming finds it again."""

    def __init__(self, lengths: list[int], *, seed: int, spec: EpochSpec) -> None:
        self.lengths, self.seed, self.spec = lengths, seed, spec
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order: list[int] = torch.randperm(len(self.lengths), generator=generator).tolist()
        if not self.spec.group_by_length:
            return iter(order)
        size, window = self.spec.batch_size, self.spec.batch_size * _MEGABATCH
        windows = (order[i : i + window] for i in range(0, len(order), window))
        ordered = [i for rows in windows for i in sorted(rows, key=lambda i: self.lengths[i], reverse=True)]
        batches = [ordered[i : i + size] for i in range(0, len(ordered), size)]
        whole = batches[:-1] if len(batches[-1]) < size else batches  # a short last batch stays last
        shuffled = [whole[k] for k in torch.randperm(len(whole), generator=generator).tolist()]
        return iter([i for batch in [*shuffled, *batches[len(whole) :]] for i in batch])


class Resumable(Trainer):
    """Goes before a TRL trainer: its states are written whole, and it says and publishes nothing of its own."""

    staging: Path

    def settle(self) -> None:
        """To be called once the trainer is made."""
        self.remove_callback(PrinterCallback)
        for parameter in self.model.parameters():
            if parameter.requires_grad and parameter.dtype == torch.bfloat16:
                # TRL stores adapters over 4-bit weights in bfloat16, in which a step of 2e-5 is lost beside a weight of 0.02
                parameter.data = parameter.data.float()

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: a trainer state is not a model to publish."""

    def _get_output_dir(self, trial: Any) -> str:
        return str(self.staging)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # written aside and renamed, so that a state that exists is whole; then older ones go
        shutil.rmtree(self.staging, ignore_errors=True)
        super()._save_checkpoint(model, trial)
        for written in self.staging.iterdir():
            final = self.staging.parent / written.name
            os.replace(written, final)
            for old in self.staging.parent.glob("checkpoint-*"):
                if old != final:
                    shutil.rmtree(old)


class Ordered(Resumable):
    """Goes before a TRL trainer that passes over fixed rows: every epoch has the order that `EpochOrder` says."""

    order: EpochOrder

    def settle(self) -> None:
        """To be called once the trainer is made."""
        super().settle()
        self.add_callback(_NextEpoch(self.order))

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order


class _NextEpoch(TrainerCallback):
    def __init__(self, order: EpochOrder) -> None:
        self.order = order

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.order.epoch = state.global_step // self.order.spec.steps_per_epoch(len(self.order))


class Watch(TrainerCallback):
    """Reports progress, refuses to go on once the loss is not finite, saves weights, asks for states."""

    def __init__(
        self, *, spec: Optimisation, save_steps: frozenset[int], save: Callable[[int], None], on_progress: OnProgress
    ) -> None:
        self.spec, self.save_steps, self.save, self.on_progress = spec, save_steps, save, on_progress
        self.last_state = time.monotonic()
        self.note = ""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step's weights are written before any state of the same step, so a resumed run misses none."""
        if state.global_step in self.save_steps:
            self.save(state.global_step)
        if state.global_step < state.max_steps and time.monotonic() - self.last_state >= STATE_EVERY_SECONDS:
            control.should_save = True
            self.last_state = time.monotonic()
        self.on_progress(state.global_step, state.max_steps, self.note)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Stop at the first loss or gradient that is not finite: the weights are lost from there on.

        Raises:
            UserError: At which step, and what to try.
        """
        seen = logs or {}
        if "loss" not in seen:
            return
        for name, value in (("loss", seen["loss"]), ("gradient's norm", seen.get("grad_norm") or 0.0)):
            if not math.isfinite(value):
                raise UserError(
                    f"The {name} became {value} at step {state.global_step} of {state.max_steps}. Lower learning_rate (now "
                    f"{self.spec.learning_rate}), raise warmup_fraction (now {self.spec.warmup_fraction}) or set grad_clip=1.0."
                )
        self.note = f"loss {seen['loss']:.3f}"


def arguments(spec: Optimisation, *, seed: int, batch: int, steps: int, state: Path) -> dict[str, Any]:
    """TRL's arguments for a spec. Everything that TRL would decide by itself is decided here.

    Args:
        spec: How to train.
        seed: Of the run.
        batch: Rows per optimiser step.
        steps: Optimiser steps in all.
        state: Where trainer states go.
    """
    gpu = torch.cuda.is_available()
    micro = spec.micro_batch_size or batch
    return {
        "output_dir": str(state),
        "max_steps": steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": batch // micro,
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if spec.schedule == "constant" else spec.schedule,
        "warmup_steps": round(spec.warmup_fraction * steps),
        "weight_decay": spec.weight_decay,
        "max_grad_norm": spec.grad_clip,
        "optim": {"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_bnb_8bit"}.get(spec.optimizer, spec.optimizer),
        "gradient_checkpointing": spec.gradient_checkpointing,
        "bf16": gpu and torch.cuda.is_bf16_supported(),
        "use_cpu": not gpu,
        "seed": seed,
        "dataloader_pin_memory": gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would replace a NaN by the average of earlier losses
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def on_one_device(config: Any) -> Any:
    """The configuration, with one GPU used of however many there are: TRL refuses to wrap a model in DataParallel."""
    _ = config.device  # counts the GPUs
    config._n_gpu = min(config._n_gpu, 1)
    return config
