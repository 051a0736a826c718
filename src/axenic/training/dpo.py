"""Direct preference optimisation (Rafailov et al. 2023): pairs -> checkpoints without a reward model, on TRL's DPOTrainer.

In: a checkpoint, pairs, a seed, a `DPOSpec`. Out: `out/epoch-N/` or `out/step-N/` and `out/training.json`, whose losses also hold,
per step, the share of pairs ordered rightly and the margin between them (in rewards as DPO defines them: beta x log ratio).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import set_seed
from trl import DPOConfig, DPOTrainer

from axenic.errors import UserError
from axenic.models.checkpoint import load_encoder, merged, require_vocabulary
from axenic.models.quantisation import require_bitsandbytes
from axenic.models.quiet import quiet
from axenic.models.template import Encoder, Tokens
from axenic.schema import Chat, Checkpoint, OnProgress, assistant, digest, no_progress
from axenic.training.adapters import trainable
from axenic.training.harness import EpochOrder, Ordered, Watch, arguments, on_one_device
from axenic.training.pairs import PreferencePair
from axenic.training.run import Run, by_epoch, hash_rows, hash_weights
from axenic.training.spec import DPOSpec

PairRow = dict[str, list[int]]
"""`prompt_ids`, `chosen_ids`, `rejected_ids`; the latter two with the token that ends the turn."""


def dpo(
    base: Checkpoint,
    pairs: Sequence[PreferencePair],
    *,
    seed: int,
    spec: DPOSpec,
    out: Path,
    on_progress: OnProgress = no_progress,
) -> list[Checkpoint]:
    """Train a checkpoint to prefer the chosen replies to the rejected ones.

    Args:
        base: Where to start, and what `spec.beta` ties the model to. Adapters as in `sft`.
        pairs: Replies as they are, scratchpads included: here the model learns to write them.
        seed: Decides the order of the pairs and the initial adapter.
        spec: How to train.
        out: Directory for the checkpoints and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Returns:
        One checkpoint per epoch or named step, or the last, as `spec` says.

    Raises:
        UserError: No pairs, the loss became NaN, `out` holds another run, or the base cannot be loaded.
        EnvironmentProblem: `spec.load_4bit` or `adamw_8bit` is asked for and bitsandbytes does not work here.
    """
    if spec.optimizer == "adamw_8bit":
        require_bitsandbytes("optimizer adamw_8bit")
    encoder = load_encoder(base)
    rows, counts = tokenise_pairs(pairs, encoder, max_length=spec.max_length)
    set_seed(seed)
    model = trainable(base, spec)
    require_vocabulary(model, encoder)
    identity = digest(["dpo", spec.model_dump(), seed, encoder.template.hash, hash_rows(rows), hash_weights(model)])
    run = Run(out, encoder, identity, seed, spec, by_epoch(spec, len(rows)))
    if not run.finished():
        with quiet():
            reference = None if isinstance(model, PeftModel) else merged(base, dtype="float32")
            trainer = _Trainer((model, reference), encoder, rows, seed=seed, spec=spec, state=run.state)
            watch = Watch(
                spec=spec,
                save_steps=run.save_steps,
                save=lambda step: run.save(trainer.model, step),
                on_progress=on_progress,
            )
            seconds = run.train(trainer, watch)
        run.finish(trainer, seconds, counts, losses=("rewards/accuracies", "rewards/margins"))
    return run.checkpoints()


def tokenise_pairs(pairs: Sequence[PreferencePair], encoder: Encoder, *, max_length: int) -> tuple[list[PairRow], dict[str, int]]:
    """The tokens of each pair, and an account of them. A pair too long is left out and counted.

    Raises:
        UserError: There is nothing left to train on.
    """
    chosen = encoder.chats([Chat(messages=(*p.prompt, assistant(p.chosen))) for p in pairs])
    rejected = encoder.chats([Chat(messages=(*p.prompt, assistant(p.rejected))) for p in pairs])
    rows = [_row(c, r) for c, r in zip(chosen, rejected, strict=True)]
    kept = [r for r in rows if len(r["prompt_ids"]) + max(len(r["chosen_ids"]), len(r["rejected_ids"])) <= max_length]
    if not kept:
        raise UserError(
            f"There is no pair to train on: {len(rows)} of {len(pairs)} are longer than max_length={max_length} tokens. "
            "Give pairs, or raise max_length."
        )
    tokens = sum(2 * len(r["prompt_ids"]) + len(r["chosen_ids"]) + len(r["rejected_ids"]) for r in kept)
    return kept, {"rows": len(kept), "tokens": tokens, "skipped_too_long": len(rows) - len(kept)}


def _row(chosen: Tokens, rejected: Tokens) -> PairRow:
    """Both replies after the prompt they share; what follows the token that ends the turn is left out."""
    starts, ends = zip(*(_last_turn(side.mask) for side in (chosen, rejected)), strict=True)
    start = min(starts)
    return {
        "prompt_ids": chosen.ids[:start],
        "chosen_ids": chosen.ids[start : ends[0]],
        "rejected_ids": rejected.ids[start : ends[1]],
    }


def _last_turn(mask: list[bool]) -> tuple[int, int]:
    end = len(mask) - mask[::-1].index(True)
    before = mask[:end][::-1]
    return (end - before.index(False) if False in before else 0), end


class _Trainer(Ordered, DPOTrainer):
    """DPOTrainer over pairs that are already tokens."""

    def __init__(
        self, models: tuple[Any, Any], encoder: Encoder, rows: list[PairRow], *, seed: int, spec: DPOSpec, state: Path
    ) -> None:
        lengths = [len(r["prompt_ids"]) + max(len(r["chosen_ids"]), len(r["rejected_ids"])) for r in rows]
        self.order = EpochOrder(lengths, seed=seed, spec=spec)
        self.staging = state / "partial"
        asked = arguments(spec, seed=seed, batch=spec.batch_size, steps=spec.total_steps(len(rows)), state=state)
        super().__init__(
            models[0],
            models[1],
            on_one_device(DPOConfig(**asked, beta=spec.beta, max_length=None)),
            train_dataset=Dataset.from_list(rows),
            processing_class=encoder.tokenizer,
        )
        self.settle()

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset
