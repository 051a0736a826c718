"""Batch-invariant, paired sampling: the Gumbel-max trick with counter-based noise.

In: logits, and a key per row made of (study seed, item id, repetition). Out: scores whose argmax is a sample.
The noise of a token depends on (key, position, token id) alone, so a response does not depend on batch size, order or padding,
and two checkpoints asked the same item share their random numbers. Gumbel-max: Maddison et al. 2014 (arXiv 1411.0030);
hash: the SplitMix64 finaliser (Steele et al. 2014). Shapes: B rows, V vocabulary.
"""

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

from axenic.schema import Sampling, digest

# Odd 64-bit constants of SplitMix64, written as the signed integers that torch's int64 wraps to.
_GAMMA = 0x9E3779B97F4A7C15 - 2**64
_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64
_SPARSE = 0.2  # when fewer candidates survive, picking them out costs less than noise for all
_UNIFORM_BITS = 52  # with the half added below, 53 bits: every value is exact in float64 and none is 0 or 1


def row_key(seed: int, item_id: str, repetition: int) -> int:
    """Signed 64-bit key of one row's random numbers."""
    return int.from_bytes(bytes.fromhex(digest([seed, item_id, repetition])[:16]), "big", signed=True)


def _shift(x: torch.Tensor, bits: int) -> torch.Tensor:
    # torch shifts int64 arithmetically; the mask clears the copied sign bits
    return (x >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def mix(x: torch.Tensor) -> torch.Tensor:
    """SplitMix64 finaliser: int64 to int64, the same on every device (integer arithmetic wraps)."""
    x = (x ^ _shift(x, 30)).mul_(_MIX_1)
    x.bitwise_xor_(_shift(x, 27)).mul_(_MIX_2)
    return x.bitwise_xor_(_shift(x, 31))


def combine(key: torch.Tensor, counter: torch.Tensor | int) -> torch.Tensor:
    """A new key from a key and a counter (int64, broadcast against each other)."""
    return mix(key + (torch.as_tensor(counter, device=key.device) + 1) * _GAMMA)


def uniform(hashed: torch.Tensor) -> torch.Tensor:
    """Hashed int64 to float64 in the open interval (0, 1)."""
    return _shift(hashed, 64 - _UNIFORM_BITS).double().add_(0.5).mul_(2.0**-_UNIFORM_BITS)


def keep_mask(probs_BV: torch.Tensor, sampling: Sampling) -> torch.Tensor | None:
    """Which tokens survive min-p and top-p; None when all do. The likeliest token always survives."""
    if sampling.min_p == 0.0 and sampling.top_p == 1.0:
        return None
    kept = probs_BV >= sampling.min_p * probs_BV.amax(-1, keepdim=True)
    if sampling.top_p < 1.0:
        ordered, order = probs_BV.sort(dim=-1, descending=True, stable=True)
        before = ordered.cumsum(-1) - ordered
        kept &= torch.zeros_like(kept).scatter(-1, order, before < sampling.top_p)
    return kept


class GumbelMax(LogitsProcessor):
    """Turns logits into scores whose argmax is a draw at `sampling`'s temperature, top-p and min-p.

    Args:
        keys: One `row_key` per row of the batch, in order.
        prompt_width: Padded length of the prompts: positions count from the first generated token.
        sampling: Temperature above 0. (Temperature 0 is greedy and needs no processor.)
    """

    def __init__(self, keys: Sequence[int], *, prompt_width: int, sampling: Sampling) -> None:
        assert sampling.temperature > 0
        self.keys_B = torch.tensor(list(keys), dtype=torch.int64)
        self.prompt_width = prompt_width
        self.sampling = sampling

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores `p / E` with E exponential: the exponential of Gumbel-perturbed logits, so the same argmax."""
        probs_BV = (scores.float() / self.sampling.temperature).softmax(-1)
        position = input_ids.shape[1] - self.prompt_width
        keys_B = combine(self.keys_B.to(scores.device), position)
        kept = keep_mask(probs_BV, self.sampling)
        if kept is None or kept.count_nonzero() > _SPARSE * kept.numel():
            tokens_V = torch.arange(scores.shape[-1], device=scores.device)
            survivors_BV = probs_BV if kept is None else probs_BV.where(kept, 0.0)
            return survivors_BV.double().div_(_exponential(keys_B[:, None], tokens_V))
        rows, tokens = kept.nonzero(as_tuple=True)
        drawn = torch.zeros_like(probs_BV, dtype=torch.float64)
        drawn[rows, tokens] = probs_BV[rows, tokens].double().div_(_exponential(keys_B[rows], tokens))
        return drawn


def _exponential(keys: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return uniform(combine(keys, tokens)).log_().neg_()
