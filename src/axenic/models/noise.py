"""Noise in weights and activations, for the robustness profile (`PROTOCOLS`: how much noise before a belief is gone).

In: a loaded model, a scale, a seed. Out: context managers that perturb it and restore it exactly.
Shapes: B rows, T new positions, D width.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from axenic.errors import UserError
from axenic.models.sampling import combine, row_key

_TABLE_ROWS = 8192


def blocks(model: nn.Module) -> list[nn.Module]:
    """The transformer blocks of any Hugging Face causal LM, first to last.

    Raises:
        UserError: No module list has as many entries as the model has layers.
    """
    wanted = model.config.num_hidden_layers  # type: ignore[union-attr]
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == wanted:
            return list(module)
    raise UserError(f"Cannot find the {wanted} blocks of a {type(model).__name__}: activations are not available for this model.")


def hidden(output: Any) -> torch.Tensor:
    """The residual stream in a block's output, which is a tensor or a tuple that starts with one."""
    tensor: torch.Tensor = output[0] if isinstance(output, tuple) else output
    return tensor


@contextmanager
def weight_noise(model: nn.Module, scale: float, seed: int) -> Iterator[None]:
    """Add N(0, (scale x std)^2) to every weight matrix; on exit every one is restored bit for bit.

    Raises:
        UserError: The weights are quantised, so that noise would fall on codes instead of numbers.
    """
    matrices = {name: p for name, p in model.named_parameters() if p.dim() >= 2}
    if not all(p.is_floating_point() for p in matrices.values()):
        raise UserError("Noise cannot be put on quantised weights. Load the model without load_4bit.")
    saved = {name: p.detach().clone() for name, p in matrices.items()}
    try:
        with torch.no_grad():
            for name, p in matrices.items():
                generator = torch.Generator().manual_seed(abs(row_key(seed, name, 0)))
                noise = torch.randn(p.shape, generator=generator).to(p.device, p.dtype)
                p.add_(noise, alpha=scale * float(p.float().std()))
        yield
    finally:
        with torch.no_grad():
            for name, p in matrices.items():
                p.copy_(saved[name])


class ActivationNoise:
    """Forward hooks that add N(0, (scale x RMS)^2) to each block's output, RMS taken per token.

    The vector added is drawn from a table of 8,192 Gaussian vectors by a hash of (seed, layer, row key, position), where the row
    key is a hash of the prompt's tokens. So the noise depends on neither batch nor padding, and two checkpoints share it.
    """

    def __init__(self, model: nn.Module, scale: float, seed: int) -> None:
        self.scale, self.seed = scale, seed
        width = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.table_RD = torch.randn(_TABLE_ROWS, width, generator=torch.Generator().manual_seed(seed))
        self.handles = [block.register_forward_hook(self._hook(layer)) for layer, block in enumerate(blocks(model))]

    def begin(self, prompts: Sequence[Sequence[int]], pads: Sequence[int], device: torch.device) -> None:
        """Announce the rows of the next batch: the ids of their prompts, and how many columns of left padding each has."""
        keys = [row_key(self.seed, " ".join(map(str, ids)), 0) for ids in prompts]
        self.keys_B = torch.tensor(keys, dtype=torch.int64, device=device)
        self.pads_B = torch.tensor(list(pads), device=device)
        self.columns = [0] * len(self.handles)

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self.handles:
            handle.remove()

    def _hook(self, layer: int) -> Any:
        def add(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            x_BTD = hidden(output)
            columns_T = torch.arange(x_BTD.shape[1], device=x_BTD.device) + self.columns[layer]
            self.columns[layer] += x_BTD.shape[1]
            positions_BT = columns_T - self.pads_B[:, None]
            rows_BT = combine(combine(self.keys_B, layer)[:, None], positions_BT).remainder(_TABLE_ROWS)
            rms_BT1 = x_BTD.float().pow(2).mean(-1, keepdim=True).sqrt()
            self.table_RD = self.table_RD.to(x_BTD.device)
            noisy = x_BTD + (self.table_RD[rows_BT] * (self.scale * rms_BT1)).to(x_BTD.dtype)
            return (noisy, *output[1:]) if isinstance(output, tuple) else noisy

        return add
