"""The trainer of texts: TRL's SFTTrainer with exact resume, plain loss on a CPU, and silence.

In: a model, token rows, a seed, a `TrainSpec`. Out: steps taken, a loss curve, and a state on disk
from which a killed run continues to the same weights. Shapes: B rows, L columns, V vocabulary.
"""

from pathlib import Path
from typing import Any

from datasets import Dataset
from torch.nn.functional import cross_entropy
from trl import SFTConfig, SFTTrainer

from axenic.models.template import Encoder
from axenic.training.data import IGNORED, TokenRow
from axenic.training.harness import EpochOrder, Ordered, arguments, on_one_device
from axenic.training.spec import TrainSpec


class Trainer(Ordered, SFTTrainer):
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
        self.settle()

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


def config(spec: TrainSpec, *, seed: int, n_rows: int, state: Path) -> SFTConfig:
    """TRL's configuration for a spec."""
    return on_one_device(
        SFTConfig(
            **arguments(spec, seed=seed, batch=spec.batch_size, steps=spec.total_steps(n_rows), state=state),
            max_length=None,  # rows are cut to length, without loss, in `data.tokenise`
            dataset_kwargs={"skip_prepare_dataset": True},
        )
    )
