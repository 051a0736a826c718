"""ScriptedModel: answers from a table or a function, behind the Model protocol.

In: what to answer. Out: the same kinds of result as `hf.HFModel`, in no time, so that evals can be tested without weights.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import numpy.typing as npt

from axenic.models.protocol import OptionScore
from axenic.schema import Message, OnProgress, Response, Sampling, no_progress

Script = Mapping[str, str] | Callable[[Sequence[Message]], str]


class ScriptedModel:
    """Says what it was told to say.

    Args:
        script: Answers by the text of the last turn, or a function of the conversation. Unknown questions get `default`.
        default: The answer to what the script does not know.
        features: Maps a text to its activations `[n_layers, D]`; needed only for `activations`.
        n_layers: Number of layers it claims to have.
    """

    def __init__(
        self,
        script: Script,
        *,
        default: str = "",
        features: Callable[[str], npt.ArrayLike] | None = None,
        n_layers: int = 1,
    ) -> None:
        self._answer = script if callable(script) else lambda messages: script.get(messages[-1].content, default)
        self._features = features
        self.n_layers = n_layers

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        sampling: Sampling,
        ids: Sequence[str],
        repetition: int = 0,
        on_progress: OnProgress = no_progress,
    ) -> list[Response]:
        """The scripted answer to each prompt, cut after `max_new_tokens` words."""
        assert len(prompts) == len(ids)
        responses = [_response(self._answer(p), sampling.max_new_tokens) for p in prompts]
        on_progress(len(prompts), len(prompts), "")
        return responses

    def logprobs(self, prompts: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]) -> list[list[OptionScore]]:
        """-1 nat for the option that is the scripted answer, -10 for every other."""
        return [
            [OptionScore(-1.0 if o == self._answer(p) else -10.0, max(1, len(o.split()))) for o in choices]
            for p, choices in zip(prompts, options, strict=True)
        ]

    def activations(self, texts: Sequence[str], *, layers: Sequence[int] | None = None) -> npt.NDArray[np.float32]:
        """`features` of each text."""
        assert self._features is not None, "give ScriptedModel(features=...) to ask for activations"
        found = np.stack([np.asarray(self._features(t), np.float32) for t in texts])
        return found if layers is None else found[:, list(layers)]

    def weight_noise(self, scale: float, seed: int) -> AbstractContextManager[None]:
        """Nothing: a script has no weights."""
        return nullcontext()

    def activation_noise(self, scale: float, seed: int) -> AbstractContextManager[None]:
        """Nothing: a script has no activations of its own."""
        return nullcontext()


def _response(answer: str, limit: int) -> Response:
    words = answer.split()
    cut = len(words) > limit
    return Response(
        text=" ".join(words[:limit]) if cut else answer,
        n_tokens=min(len(words), limit),
        finish_reason="length" if cut else "stop",
    )
