"""Checkpoint + spec -> the model with exactly the weights trainable that the spec asks for.

In: a checkpoint; a spec with or without LoRA (Hu et al. 2021), over 4-bit weights or not (Dettmers et al. 2023). Out: a model.
"""

from typing import Any

from peft import LoraConfig, get_peft_model

from axenic.errors import UserError
from axenic.models.checkpoint import attach_adapter, load_model, merged
from axenic.models.quiet import quiet
from axenic.schema import Checkpoint
from axenic.training.spec import LoraSpec, Optimisation


def trainable(base: Checkpoint, spec: Optimisation) -> Any:
    """The model with exactly the weights trainable that `spec` asks for."""
    if spec.lora is None:
        model = merged(base, dtype="float32")  # on a GPU, autocast computes in bfloat16 over these
        return model.requires_grad_(True)  # merging an adapter leaves its base frozen
    model = load_model(base, load_4bit=spec.load_4bit)
    return with_new_adapter(model, spec.lora) if base.base is None else _with_old_adapter(model, base, spec.lora)


def with_new_adapter(model: Any, lora: LoraSpec, *, task: str = "CAUSAL_LM") -> Any:
    """The model with a fresh adapter on it. `task` is PEFT's name of what the model does.

    Raises:
        UserError: The adapter names layers that the model does not have.
    """
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets, task_type=task)
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
