"""The Model protocol: what evals, probes and the CLI may ask of anything that answers.

In: conversations, options, raw texts. Out: `Response`s, log-probabilities, activations. `hf.HFModel` runs weights,
`scripted.ScriptedModel` answers from a table for tests.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from axenic.schema import Message, OnProgress, Response, Sampling, no_progress


@dataclass(frozen=True)
class OptionScore:
    """How likely a model finds one answer: total log-probability (nats) of its `n_tokens` tokens, without an end token."""

    logprob: float
    n_tokens: int


class Model(Protocol):
    """Anything that can be asked."""

    @property
    def n_layers(self) -> int:
        """Number of blocks whose residual stream `activations` can return."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        sampling: Sampling,
        ids: Sequence[str],
        repetition: int = 0,
        on_progress: OnProgress = no_progress,
    ) -> list[Response]:
        """One response per prompt, in the order asked. `ids` (item ids) and `repetition` key the random numbers."""
        ...

    def logprobs(self, prompts: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]) -> list[list[OptionScore]]:
        """For every prompt, one score per option, as the assistant's answer."""
        ...

    def activations(self, texts: Sequence[str], *, layers: Sequence[int] | None = None) -> npt.NDArray[np.float32]:
        """Final-token residual stream after each block: `[n_texts, n_layers, width]`; `layers` counts from 0, None = all."""
        ...

    def weight_noise(self, scale: float, seed: int) -> AbstractContextManager[None]:
        """While open, every weight matrix carries Gaussian noise of `scale` times its own standard deviation."""
        ...

    def activation_noise(self, scale: float, seed: int) -> AbstractContextManager[None]:
        """While open, every block's output carries Gaussian noise of `scale` times the residual's root mean square."""
        ...
