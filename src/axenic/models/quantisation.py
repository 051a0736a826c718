"""4-bit weights through bitsandbytes (NF4 with double quantisation: Dettmers et al. 2023), on a GPU or on a CPU.

In: a device. Out: the configuration with which transformers loads a model quantised. Computation is in bfloat16 on a GPU and in
float32, like everything else there, on a CPU.
"""

import importlib
from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from axenic.errors import EnvironmentProblem


def four_bit(device: torch.device) -> BitsAndBytesConfig:
    """How to load a model in 4 bits on a device.

    Raises:
        EnvironmentProblem: bitsandbytes is not installed, or does not work here.
    """
    require_bitsandbytes("load_4bit")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32 if device.type == "cpu" else torch.bfloat16,
    )


def exact_on_cpu(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights once a model only answers.

    On processors with bfloat16 instructions it would: the answers would come from other arithmetic than training had and than other
    processors have, and layers whose width is no multiple of 64 would fail.
    """
    module: Any
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def require_bitsandbytes(wanted_by: str) -> None:
    """Make sure that bitsandbytes is there and works.

    Raises:
        EnvironmentProblem: It is not installed, or cannot be loaded; names what asked for it.
    """
    if find_spec("bitsandbytes") is None:
        raise EnvironmentProblem(
            f"{wanted_by} needs bitsandbytes, which is not installed. Run pip install 'axenic[gpu]', or drop it."
        )
    try:
        importlib.import_module("bitsandbytes")
    except (ImportError, OSError, RuntimeError) as error:
        raise EnvironmentProblem(
            f"{wanted_by} needs bitsandbytes, which is installed but cannot be loaded ({error}). Reinstall it, or drop {wanted_by}."
        ) from error
