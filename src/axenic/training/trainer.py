"""The trainer: TRL's SFTTrainer with exact resume, plain loss on a CPU, and silence.

In: a model, token rows, a seed, a `TrainSpec`. Out: steps taken, a loss curve, and a state on disk
from which a killed run continues to the same weights. Shapes: B rows, L columns, V vocabulary.
"""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from axenic.errors import UserError
from axenic.models.template import Encoder
from axenic.schema import OnProgress
from axenic.training.data import IGNORED, TokenRow
from axenic.training.spec import TrainSpec

STATE_EVERY_SECONDS = 60.0
"""How much work a kill may cost. Runs shorter than this write no state."""

_MEGABATCH = 50  # batches among which `group_by_length` sorts: few enough that batches still differ between epochs


class EpochOrder(Sampler[int]):
    """The order of the rows in one epoch: a function of (seed, epoch) alone, so that resuming finds it again."""

    def __init__(self, lengths: list[int], *, seed: int, spec: TrainSpec) -> None:
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


class Trainer(SFTTrainer):
    """SFTTrainer over rows that are already tokens."""

    def __init__(self, model: Any, encoder: Encoder, rows: list[TokenRow], *, seed: int, spec: TrainSpec, state: Path) -> None:
        data = Dataset.from_dict({"input_ids": [r.input_ids for r in rows], "labels": [r.labels for r in rows]})
        self.order = EpochOrder([len(r.input_ids) for r in rows], seed=seed, spec=spec)
        self.staging = state / "partial"
        super().__init__(
            model,
            config(spec, seed=seed, n_rows=len(rows), state=state),
            train_dataset=data,
            processing_class=encoder.tokenizer,
        )
        self.remove_callback(PrinterCallback)
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.dtype == torch.bfloat16:
                # TRL stores adapters over 4-bit weights in bfloat16, in which a step of 2e-5 is lost beside a weight of 0.02
                parameter.data = parameter.data.float()

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.order

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """Mean cross entropy over the tokens that carry loss in the whole batch.

        On a GPU TRL's fused head saves memory; on a CPU it costs a quarter of the step, and a plain cross entropy does not.
        """
        if inputs["input_ids"].device.type != "cpu" or return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels_BL = inputs["labels"][:, 1:]
        logits_BLV = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False).logits[:, :-1]
        count = (labels_BL != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        total = cross_entropy(logits_BLV.flatten(0, 1).float(), labels_BL.flatten(), ignore_index=IGNORED, reduction="sum")
        return total / count

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


class Watch(TrainerCallback):
    """Reports progress, refuses to go on once the loss is not finite, saves finished epochs, asks for states."""

    def __init__(self, order: EpochOrder, *, spec: TrainSpec, save: Callable[[int], None], on_progress: OnProgress) -> None:
        self.order, self.spec, self.save, self.on_progress = order, spec, save, on_progress
        self.save_steps = frozenset(spec.save_steps(len(order)))
        self.last_state = time.monotonic()
        self.note = ""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell the sampler which epoch this is."""
        self.order.epoch = state.global_step // self.spec.steps_per_epoch(len(self.order))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """An epoch's weights are written before any state of the same step, so a resumed run misses none."""
        if state.global_step in self.save_steps:
            self.save(state.global_step)
        if state.global_step < state.max_steps and time.monotonic() - self.last_state >= STATE_EVERY_SECONDS:
            control.should_save = True
            self.last_state = time.monotonic()
        self.on_progress(state.global_step, state.max_steps, self.note)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Stop at the first loss that is not finite.

        Raises:
            UserError: At which step, and what to try.
        """
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        if not math.isfinite(loss):
            raise UserError(
                f"The loss became {loss} at step {state.global_step} of {state.max_steps}. Lower learning_rate (now "
                f"{self.spec.learning_rate}), raise warmup_fraction (now {self.spec.warmup_fraction}) or set grad_clip=1.0."
            )
        self.note = f"loss {loss:.3f}"


def config(spec: TrainSpec, *, seed: int, n_rows: int, state: Path) -> SFTConfig:
    """TRL's configuration for a spec. Everything that TRL would decide by itself is decided here."""
    gpu = torch.cuda.is_available()
    micro = spec.micro_batch_size or spec.batch_size
    made = SFTConfig(
        output_dir=str(state),
        num_train_epochs=spec.epochs,
        max_steps=spec.max_steps or -1,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=spec.batch_size // micro,
        learning_rate=spec.learning_rate,
        lr_scheduler_type="constant_with_warmup" if spec.schedule == "constant" else spec.schedule,
        warmup_steps=round(spec.warmup_fraction * spec.total_steps(n_rows)),
        weight_decay=spec.weight_decay,
        max_grad_norm=spec.grad_clip,
        optim={"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_bnb_8bit"}[spec.optimizer],
        gradient_checkpointing=spec.gradient_checkpointing,
        bf16=gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not gpu,
        seed=seed,
        max_length=None,  # rows are cut to length, without loss, in `data.tokenise`
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=gpu,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would replace a NaN by the average of earlier losses
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    _ = made.device  # counts the GPUs; one is used, because TRL refuses to wrap a model in DataParallel
    made._n_gpu = min(made._n_gpu, 1)
    return made
