"""Supervised fine-tuning: documents by next-token loss, chats by loss on the assistant's turns alone.

In: a base checkpoint, a corpus, a seed, a `TrainSpec`. Out: a checkpoint per epoch (full weights, or LoRA adapters:
Hu et al. 2021, over 4-bit weights: Dettmers et al. 2023). On TRL and PEFT.
"""

from pathlib import Path
from typing import Any

from peft import LoraConfig, get_peft_model
from transformers import set_seed

from axenic.errors import UserError
from axenic.models.checkpoint import attach_adapter, load_encoder, load_model, merged
from axenic.models.quantisation import require_bitsandbytes
from axenic.models.quiet import quiet
from axenic.schema import Checkpoint, Corpus, OnProgress, no_progress
from axenic.training.data import tokenise
from axenic.training.fit import fit
from axenic.training.spec import LoraSpec, TrainSpec


def sft(
    base: Checkpoint, corpus: Corpus, *, seed: int, spec: TrainSpec, out: Path, on_progress: OnProgress = no_progress
) -> list[Checkpoint]:
    """Fine-tune a checkpoint on a corpus.

    Args:
        base: Where to start. With `spec.lora`, an adapter is trained further; without, it is merged and all weights are trained.
        corpus: Documents and chats.
        seed: Decides the order of the rows, the initial adapter and dropout.
        spec: How to train.
        out: Directory for `epoch-N/` and `training.json`. An unfinished run in it is continued.
        on_progress: Called after each optimiser step.

    Returns:
        One checkpoint per epoch, or the last, as `spec.save_epochs` says.

    Raises:
        UserError: Empty corpus, nothing that carries loss, loss became NaN, `out` holds another run, base cannot be loaded.
        EnvironmentProblem: `spec.load_4bit` or `adamw_8bit` is asked for and bitsandbytes does not work here.
    """
    if spec.optimizer == "adamw_8bit":
        require_bitsandbytes("optimizer adamw_8bit")
    encoder = load_encoder(base)
    data = tokenise(corpus, encoder, max_length=spec.max_length)
    set_seed(seed)
    return fit(trainable(base, spec), encoder, data, seed=seed, spec=spec, out=out, on_progress=on_progress)


def trainable(base: Checkpoint, spec: TrainSpec) -> Any:
    """The model with exactly the weights trainable that `spec` asks for."""
    if spec.lora is None:
        model = merged(base, dtype="float32")  # on a GPU, autocast computes in bfloat16 over these
        return model.requires_grad_(True)  # merging an adapter leaves its base frozen
    model = load_model(base, load_4bit=spec.load_4bit)
    return _with_new_adapter(model, spec.lora) if base.base is None else _with_old_adapter(model, base, spec.lora)


def _with_new_adapter(model: Any, lora: LoraSpec) -> Any:
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets, task_type="CAUSAL_LM")
    try:
        with quiet():
            return get_peft_model(model, config)
    except ValueError as error:
        leaves = sorted({name.rsplit(".", 1)[-1] for name, m in model.named_modules() if getattr(m, "weight", None) is not None})
        raise UserError(f"LoRA cannot be put on {lora.targets}: {error} This model's modules: {', '.join(leaves)}.") from error


def _with_old_adapter(model: Any, base: Checkpoint, lora: LoraSpec) -> Any:
    adapted = attach_adapter(model, base, trainable=True)
    found = adapted.peft_config["default"]
    if (found.r, found.lora_alpha) != (lora.r, lora.alpha):
        raise UserError(
            f"{base.path} is an adapter of r={found.r}, alpha={found.lora_alpha}, and is trained further as it is: "
            f"it cannot become r={lora.r}, alpha={lora.alpha}. Give the same numbers, or train without `lora` to merge it first."
        )
    return adapted
