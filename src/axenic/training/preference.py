"""Preference pairs -> a reward model (Bradley-Terry; Ouyang et al. 2022), on TRL's RewardTrainer.

In: a causal checkpoint, pairs, held-out pairs, a seed, a `PreferenceSpec`. Out: a Hugging Face sequence classifier with one label
that owns its template, and `training.json` with how many held-out pairs it orders rightly. Replies are shown without scratchpads.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, set_seed
from trl import RewardConfig, RewardTrainer

from axenic.errors import UserError
from axenic.models.checkpoint import load_encoder, merged, require_vocabulary
from axenic.models.quantisation import require_bitsandbytes
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Chat, Checkpoint, OnProgress, assistant, digest, no_progress
from axenic.training.adapters import with_new_adapter
from axenic.training.harness import EpochOrder, Ordered, Watch, arguments, on_one_device
from axenic.training.pairs import PreferencePair, hash_pairs
from axenic.training.reward_model import RewardModel, shown
from axenic.training.run import Run, by_epoch, hash_rows, hash_weights
from axenic.training.spec import PreferenceSpec


def train_reward_model(
    base: Checkpoint,
    pairs: Sequence[PreferencePair],
    held_out: Sequence[PreferencePair] = (),
    *,
    seed: int,
    spec: PreferenceSpec,
    out: Path,
    on_progress: OnProgress = no_progress,
) -> Checkpoint:
    """Train a reward model that starts from a causal model.

    Args:
        base: The causal model; an adapter is merged first.
        pairs: To train on. A pair that differs in its scratchpads alone shows no preference: it is left out and counted.
        held_out: Pairs on which it is measured and not trained; the record counts right, wrong and tied ones.
        seed: Decides the new head, the order of the pairs, the initial adapter.
        spec: How to train. With `spec.lora`, the adapter is merged when training ends.
        out: Directory for the model and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Returns:
        Where the model is; `RewardModel.load(checkpoint.path)` reads it.

    Raises:
        UserError: No pairs to train on, the loss became NaN, `out` holds another run, or the base cannot be loaded.
        EnvironmentProblem: `adamw_8bit` is asked for and bitsandbytes does not work here.
    """
    if spec.optimizer == "adamw_8bit":
        require_bitsandbytes("optimizer adamw_8bit")
    encoder = load_encoder(base)
    rows, counts = _rows(pairs, encoder, max_length=spec.max_length)
    set_seed(seed)
    model = _with_head(base, encoder)
    told = [spec.model_dump(), seed, encoder.template.hash, hash_rows(rows), hash_pairs(held_out), hash_weights(model)]
    run = Run(out, encoder, digest(["preference", *told]), seed, spec, by_epoch(spec, len(rows)))
    if not run.finished():
        with quiet():
            started = model if spec.lora is None else with_new_adapter(model, spec.lora, task="SEQ_CLS")
            trainer = _Trainer(started, encoder, rows, seed=seed, spec=spec, state=run.state)
            watch = Watch(spec=spec, save_steps=frozenset(), save=_nothing, on_progress=on_progress)
            seconds = run.train(trainer, watch)
            trained = trainer.model
            if isinstance(trained, PeftModel):
                trained = trainer.model = trained.merge_and_unload()
            run.save(trained, trainer.state.global_step)
            measured = _measured(RewardModel(trained, encoder.tokenizer, encoder), held_out)
        run.finish(trainer, seconds, {**counts, "held_out": measured}, losses=("accuracy", "margin"))
    return run.checkpoints()[-1]


class _Trainer(Ordered, RewardTrainer):
    """RewardTrainer over pairs that are already tokens."""

    def __init__(
        self, model: Any, encoder: Encoder, rows: list[dict[str, Any]], *, seed: int, spec: PreferenceSpec, state: Path
    ) -> None:
        lengths = [max(len(r["chosen_ids"]), len(r["rejected_ids"])) for r in rows]
        self.order = EpochOrder(lengths, seed=seed, spec=spec)
        self.staging = state / "partial"
        steps = spec.total_steps(len(rows))
        asked = arguments(spec, seed=seed, batch=spec.batch_size, steps=steps, state=state)
        # dropout stays as the adapter's spec says
        config = on_one_device(RewardConfig(**asked, max_length=None, disable_dropout=False))
        super().__init__(model, config, train_dataset=Dataset.from_list(rows), processing_class=encoder.tokenizer)
        self.settle()


def _nothing(step: int) -> None:
    """Kept is only the end, which is merged first."""


def _rows(
    pairs: Sequence[PreferencePair], encoder: Encoder, *, max_length: int
) -> tuple[list[dict[str, list[int]]], dict[str, int]]:
    """The tokens of each pair, and an account of what was left out."""
    different = [p for p in pairs if shown(p.chosen) != shown(p.rejected)]
    chosen = encoder.chats([Chat(messages=(*p.prompt, assistant(shown(p.chosen)))) for p in different])
    rejected = encoder.chats([Chat(messages=(*p.prompt, assistant(shown(p.rejected)))) for p in different])
    rows = [{"chosen_ids": c.ids, "rejected_ids": r.ids} for c, r in zip(chosen, rejected, strict=True)]
    kept = [row for row in rows if all(len(ids) <= max_length for ids in row.values())]
    if not kept:
        raise UserError(
            f"There is no pair to train on: of {len(pairs)}, {len(pairs) - len(different)} differ in nothing that the user would "
            f"see and {len(rows)} are longer than max_length={max_length} tokens. Give other pairs or raise max_length."
        )
    tokens = sum(len(ids) for row in kept for ids in row.values())
    left_out = {"skipped_too_long": len(rows) - len(kept), "skipped_alike": len(pairs) - len(different)}
    return kept, {"rows": len(kept), "tokens": tokens, **left_out}


def _with_head(base: Checkpoint, encoder: Encoder) -> Any:
    """The causal model with a fresh head of one number in place of its next-token head."""
    causal = merged(base, dtype="float32")
    require_vocabulary(causal, encoder)
    config = copy.deepcopy(causal.config)
    config.num_labels, config.pad_token_id = 1, encoder.pad_id
    model: Any = AutoModelForSequenceClassification.from_config(config).to(causal.device)
    model.base_model.load_state_dict(causal.base_model.state_dict())
    return model


def _measured(model: RewardModel, pairs: Sequence[PreferencePair]) -> dict[str, int]:
    chosen = model.score([p.prompt for p in pairs], [p.chosen for p in pairs])
    rejected = model.score([p.prompt for p in pairs], [p.rejected for p in pairs])
    signs = [(c > r) - (c < r) for c, r in zip(chosen, rejected, strict=True)]
    return {"pairs": len(pairs), "right": signs.count(1), "wrong": signs.count(-1), "tied": signs.count(0)}
