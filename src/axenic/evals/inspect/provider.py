"""Model provider `axenic`: local checkpoints in Inspect, generated in batches and drawn as axenic draws them.

In: `--model axenic/DIR_OR_ID`; `-M` takes adapter, min_p, device, dtype and batch_tokens. Out: responses that equal those of
`evals.run.evaluate` for the same item, repetition (epoch - 1), seed and sampling: the random numbers are keyed by these, not by
the batch. The model's name carries a hash of all that decides its answers, because Inspect's cache knows a model by its name.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    StopReason,
)
from inspect_ai.solver._task_state import sample_state
from inspect_ai.tool import ToolChoice, ToolInfo

from axenic.errors import UserError
from axenic.evals.base import Direct, Eval
from axenic.evals.inspect.batching import Batcher
from axenic.evals.inspect.problems import Refused, told_to_inspect
from axenic.evals.inspect.samples import messages
from axenic.models.checkpoint import load_checkpoint
from axenic.models.hf import HFModel
from axenic.models.protocol import OptionScore
from axenic.schema import Message, Response, Sampling, digest

CONNECTIONS = 1024
"""Samples in flight by default: as many as make a full batch; `HFModel` cuts it to what the memory holds."""
QUIET = 0.03  # seconds; Inspect takes a few milliseconds to start a sample
HASH = 12
_UNKNOWN = ("top_k", "stop_seqs", "frequency_penalty", "presence_penalty", "logit_bias", "best_of", "logprobs", "response_schema")
_STOPS: dict[str, StopReason] = {"stop": "stop", "length": "max_tokens"}


@dataclass(frozen=True)
class _Asked:
    """One prompt and how its answer is to be drawn."""

    messages: tuple[Message, ...]
    key: str
    repetition: int
    sampling: Sampling


class AxenicAPI(ModelAPI):
    """A checkpoint behind Inspect's interface.

    Args:
        model_name: A directory or a hub id; behind "@" the hash that it must have, as logs name it.
        base_url: Not used.
        api_key: Not used.
        config: Of the model.
        adapter: A PEFT adapter over it.
        min_p: Tokens less likely than this share of the likeliest are never drawn.
        options: Of `HFModel.load`: device, dtype, batch_tokens.

    Raises:
        Refused: There is no such model, or it is not the one that the hash names.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        adapter: str | None = None,
        min_p: float = 0.0,
        **options: Any,
    ) -> None:
        path, wanted = _apart(model_name)
        with told_to_inspect():
            checkpoint = load_checkpoint(path, adapter=adapter)
            self.model = HFModel.load(checkpoint, **options)
        self.min_p = min_p
        found = digest([weights_hash(self.model.model), checkpoint.template.hash, min_p])[:HASH]
        if wanted and wanted != found:
            raise Refused(f"{path} is not the model that was meant: its hash is {found}, not {wanted}. Its weights were changed.")
        shown = str(Path(path).resolve()) if ".." in Path(path).parts else path  # Inspect caches nothing for names with ".."
        super().__init__(model_name=f"{shown}@{found}")
        if config is not None and config.adaptive_connections is None:
            config.adaptive_connections = False  # Inspect keeps this object; a local model has no rate limit to feel out
        self._generating: Batcher[_Asked, ModelOutput] = Batcher(self._generate, quiet=QUIET, most=CONNECTIONS)
        self._choosing: Batcher[tuple[tuple[Message, ...], Sequence[str]], list[OptionScore]] = Batcher(
            self._choose, quiet=QUIET, most=CONNECTIONS
        )
        self._looking: Batcher[Eval, list[Direct]] = Batcher(lambda evals: [_look(self.model, e) for e in evals])

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """One response. What cannot be asked, e.g. a prompt longer than the context, is an output with an error, not an answer."""
        self._require_known(tools, config)
        key, repetition = _key(input)
        asked = _Asked(messages(input), key, repetition, self._sampling(config))
        try:
            return await self._generating.ask(asked)
        except UserError as error:
            return ModelOutput.from_content(self.model_name, "", stop_reason="unknown", error=str(error))

    async def choose(self, asked: Sequence[Message], options: Sequence[str]) -> list[OptionScore]:
        """The log-probability of each option as the whole answer."""
        return await self._choosing.ask((tuple(asked), tuple(options)))

    async def look(self, e: Eval) -> list[Direct]:
        """The results of an eval that looks into the model."""
        return await self._looking.ask(e)

    def max_connections(self) -> int:
        """As many as make a full batch."""
        return CONNECTIONS

    def max_tokens(self) -> int | None:
        """As for `Sampling`."""
        return Sampling().max_new_tokens

    def connection_key(self) -> str:
        """Every checkpoint has a batch of its own."""
        return self.model_name

    async def count_text_tokens(self, text: str) -> int:
        """By the model's own tokenizer."""
        return len(self.model.encoder.raw([text])[0])

    def close(self) -> None:
        """Free the weights."""
        del self.model

    def _sampling(self, config: GenerateConfig) -> Sampling:
        extra = (config.extra_body or {}).get("min_p", self.min_p)
        return Sampling(
            temperature=config.temperature or 0.0,
            top_p=1.0 if config.top_p is None else config.top_p,
            min_p=float(extra),
            max_new_tokens=config.max_tokens or Sampling().max_new_tokens,
            seed=config.seed or 0,
        )

    @staticmethod
    def _require_known(tools: list[ToolInfo], config: GenerateConfig) -> None:
        """Refuse what would otherwise be ignored."""
        strange = [name for name in _UNKNOWN if getattr(config, name, None) is not None]
        strange += ["num_choices"] if (config.num_choices or 1) > 1 else []
        strange += ["tools"] if tools else []
        if strange:
            raise Refused(
                f"Models of the provider 'axenic' do not know: {', '.join(strange)}. "
                "They know temperature, top_p, max_tokens and seed, and min_p as -M min_p=0.1."
            )

    def _generate(self, asked: Sequence[_Asked]) -> list[ModelOutput]:
        """One call of the model per way of drawing; a repetition is a way of its own, because it keys the random numbers."""
        groups: dict[tuple[Sampling, int], list[int]] = defaultdict(list)
        for i, a in enumerate(asked):
            groups[a.sampling, a.repetition].append(i)
        found: dict[int, ModelOutput] = {}
        for (sampling, repetition), group in groups.items():
            prompts, keys = [asked[i].messages for i in group], [asked[i].key for i in group]
            answers = self.model.generate(prompts, sampling=sampling, ids=keys, repetition=repetition)
            lengths = [len(ids) for ids in self.model.encoder.prompts(prompts)]
            found |= {i: self._output(a, n) for i, a, n in zip(group, answers, lengths, strict=True)}
        return [found[i] for i in range(len(asked))]

    def _output(self, answer: Response, n_prompt: int) -> ModelOutput:
        message = ChatMessageAssistant(content=answer.text, model=self.model_name, source="generate")
        usage = ModelUsage(input_tokens=n_prompt, output_tokens=answer.n_tokens, total_tokens=n_prompt + answer.n_tokens)
        choice = ChatCompletionChoice(message=message, stop_reason=_STOPS.get(answer.finish_reason, "unknown"))
        return ModelOutput(model=self.model_name, choices=[choice], usage=usage)

    def _choose(self, asked: Sequence[tuple[tuple[Message, ...], Sequence[str]]]) -> list[list[OptionScore]]:
        return self.model.logprobs([prompt for prompt, _ in asked], [options for _, options in asked])


def weights_hash(model: torch.nn.Module) -> str:
    """Hex SHA-256 of a loaded model: the names, types, shapes and bytes of all its tensors, in order."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _look(model: HFModel, e: Eval) -> list[Direct]:
    assert e.direct is not None
    return e.direct(model)


def _apart(name: str) -> tuple[str, str]:
    """A model's path, and the hash behind it if there is one."""
    path, at, wanted = name.rpartition("@")
    hashed = bool(at) and len(wanted) == HASH and not Path(name).exists()
    return (path, wanted) if hashed else (name, "")


def _key(asked: Sequence[ChatMessage]) -> tuple[str, int]:
    """What keys the random numbers of an answer: item and turn as `evals.run.converse` names them, and the repetition."""
    state = sample_state()
    if state is None:  # outside an evaluation
        return digest([[m.role, m.text] for m in asked]), 0
    given = [] if isinstance(state.input, str) else state.input
    turn = sum(m.role == "assistant" for m in asked) - sum(m.role == "assistant" for m in given)
    name = state.metadata.get("eval")
    item = f"{name}/{state.metadata['item_id']}" if name else str(state.sample_id)
    return f"{item}#{turn}", state.epoch - 1
