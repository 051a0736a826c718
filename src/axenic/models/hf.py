"""HFModel: a Hugging Face causal LM behind the Model protocol.

In: a `Checkpoint` (any architecture, full weights or adapter), conversations, options, texts. Out: responses, log-probabilities,
activations. Rows are sorted by length and left-padded in batches of at most `batch_tokens` tokens; results come back in the
order asked and do not depend on the batch (but for the last bit of floating point).
Shapes: B rows, L columns, K kept columns, V vocabulary, D width.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import GenerationConfig

from axenic.errors import UserError
from axenic.models.checkpoint import Dtype, assembled, load_encoder, require_vocabulary
from axenic.models.noise import ActivationNoise, blocks, hidden, weight_noise
from axenic.models.protocol import OptionScore
from axenic.models.sampling import GumbelMax, row_key
from axenic.models.template import Encoder
from axenic.schema import Checkpoint, Message, OnProgress, Response, Sampling, no_progress

Rows = Sequence[Sequence[int]]
_FIRST_STAGE = 8  # new tokens; refusals and other short answers end within it


class HFModel:
    """A loaded model. Responses do not depend on batch size, order or padding.

    Attributes:
        batch_tokens: Rows x (padded prompt + new tokens) of one batch. By default what fits a processor's cache, or fills a GPU;
            halved by itself when a GPU runs out of memory.
    """

    def __init__(self, model: Any, encoder: Encoder, *, batch_tokens: int | None = None) -> None:
        require_vocabulary(model, encoder)
        self.model = model.eval()
        self.encoder = encoder
        self.batch_tokens = batch_tokens or (8_192 if self.model.device.type == "cpu" else 65_536)
        self._noise: ActivationNoise | None = None
        self._stops = {*encoder.stop_ids, *_as_list(model.generation_config.eos_token_id)}
        # transformers fills gaps in a call from the model's own generation config, which may ask for top-k or a penalty
        model.generation_config = GenerationConfig(eos_token_id=sorted(self._stops), pad_token_id=encoder.pad_id, do_sample=False)

    @classmethod
    def load(
        cls,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        dtype: Dtype = "auto",
        load_4bit: bool = False,
        batch_tokens: int | None = None,
    ) -> "HFModel":
        """Load a checkpoint; an adapter is merged into its base, or, with `load_4bit`, laid over the base in 4 bits.

        Raises:
            UserError: The model, adapter or tokenizer cannot be loaded, or they do not fit together.
        """
        model = assembled(checkpoint, device=device, dtype=dtype, load_4bit=load_4bit)
        return cls(model, load_encoder(checkpoint), batch_tokens=batch_tokens)

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return int(self.model.config.num_hidden_layers)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        sampling: Sampling,
        ids: Sequence[str],
        repetition: int = 0,
        on_progress: OnProgress = no_progress,
    ) -> list[Response]:
        """One response per prompt, in order. `n_tokens` counts the tokens before the end token.

        At temperature 0 every repetition is computed in batches of another shape: what differs between them is numerical noise.

        Raises:
            UserError: A prompt with `sampling.max_new_tokens` exceeds the model's context.
        """
        if not prompts:
            return []
        rows = self.encoder.prompts(prompts)
        keys = [row_key(sampling.seed, i, repetition) for i in ids]
        assert len(rows) == len(keys)
        self._require_room(rows, sampling.max_new_tokens)

        def run(batch: list[int]) -> list[list[int]]:
            return self._generate([rows[i] for i in batch], [keys[i] for i in batch], sampling)

        parts = 1 + repetition if sampling.temperature == 0 else 1
        generated: list[list[int]] = self._in_batches(
            rows, run, extra=sampling.max_new_tokens, parts=parts, on_progress=on_progress
        )
        return self._responses(generated)

    def logprobs(self, prompts: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]) -> list[list[OptionScore]]:
        """For every prompt, the total log-probability of each option as the assistant's answer, without an end token.

        Raises:
            UserError: A prompt with an option exceeds the model's context.
        """
        flat = [(prompt, option) for prompt, choices in zip(prompts, options, strict=True) for option in choices]
        encoded = self.encoder.continuations([p for p, _ in flat], [o for _, o in flat])
        rows = [ids for ids, _ in encoded]
        self._require_room(rows, 0)

        def run(batch: list[int]) -> list[OptionScore]:
            return self._score([rows[i] for i in batch], [encoded[i][1] for i in batch])

        scores = iter(self._in_batches(rows, run))
        return [[next(scores) for _ in choices] for choices in options]

    def activations(self, texts: Sequence[str], *, layers: Sequence[int] | None = None) -> npt.NDArray[np.float32]:
        """Residual stream at the last token of each text, after each block and before any final norm.

        Args:
            texts: Raw text, as it would begin a document (no chat template, no end token).
            layers: Blocks counted from 0; None = all.

        Returns:
            Array `[len(texts), len(layers), D]`.
        """
        chosen = list(range(self.n_layers)) if layers is None else list(layers)
        modules = [blocks(self.model)[layer] for layer in chosen]
        rows = self.encoder.raw(texts)
        self._require_room(rows, 0)

        def run(batch: list[int]) -> list[npt.NDArray[np.float32]]:
            return self._last_residuals([rows[i] for i in batch], modules)

        found = self._in_batches(rows, run)
        return np.stack(found) if found else np.empty((0, len(chosen), int(self.model.config.hidden_size)), np.float32)

    def weight_noise(self, scale: float, seed: int) -> AbstractContextManager[None]:
        """While open, every weight matrix carries N(0, (scale x its std)^2); afterwards the weights are restored exactly."""
        return weight_noise(self.model, scale, seed)

    @contextmanager
    def activation_noise(self, scale: float, seed: int) -> Iterator[None]:
        """While open, every block's output carries N(0, (scale x RMS of the token's residual)^2), the same in any batch."""
        self._noise = ActivationNoise(self.model, scale, seed)
        try:
            yield
        finally:
            self._noise.close()
            self._noise = None

    def _generate(self, rows: Rows, keys: list[int], sampling: Sampling) -> list[list[int]]:
        """The new tokens of every row, in stages of doubling length: rows that have ended leave the batch between them."""
        inputs, width = self._left_padded(rows)
        self._announce(rows, width, rows)
        found: list[list[int]] = [[] for _ in rows]
        running, cache, left = list(range(len(rows))), self._read_once(rows), sampling.max_new_tokens
        stage = left if self._noise is not None else _FIRST_STAGE  # noise is drawn for the rows announced
        while running and left:
            chosen = [keys[i] for i in running]
            made = self.model.generate(
                **inputs,
                past_key_values=cache,
                max_new_tokens=min(stage, left),
                do_sample=False,
                logits_processor=[GumbelMax(chosen, prompt_width=width, sampling=sampling)] if sampling.temperature > 0 else [],
                return_dict_in_generate=True,
            )
            new = made.sequences[:, inputs["input_ids"].shape[1] :].tolist()
            for i, tokens in zip(running, new, strict=True):
                found[i] += tokens
            kept = [k for k, tokens in enumerate(new) if not self._stops.intersection(tokens)]
            running, left, stage = [running[k] for k in kept], left - min(stage, left), stage * 2
            inputs, cache = _narrowed(made, inputs["attention_mask"], kept)
        return found

    def _read_once(self, rows: Rows) -> Any:
        """The cache of all tokens of the prompts but the last, where many prompts are the same: each is computed once."""
        tokens = [tuple(row) for row in rows]
        distinct = list(dict.fromkeys(tokens))
        if self._noise is not None or 2 * len(distinct) > len(rows):
            return None
        inputs, width = self._left_padded(distinct, positions=True)
        if width == 1:
            return None
        cache = self.model(**{k: v[:, :-1] for k, v in inputs.items()}, use_cache=True, logits_to_keep=1).past_key_values
        if not hasattr(cache, "batch_select_indices"):
            return None
        places = {row: i for i, row in enumerate(distinct)}
        cache.batch_select_indices(torch.tensor([places[row] for row in tokens], device=self.model.device))
        return cache

    def _score(self, rows: Rows, n_prompt: list[int]) -> list[OptionScore]:
        inputs, width = self._left_padded(rows, positions=True)
        kept = max(len(row) - n for row, n in zip(rows, n_prompt, strict=True)) + 1
        self._announce(rows, width, [row[:n] for row, n in zip(rows, n_prompt, strict=True)])
        logits_BKV = self.model(**inputs, logits_to_keep=kept, use_cache=False).logits[:, :-1].float()
        targets_BK = inputs["input_ids"][:, width - kept + 1 :]
        found_BK = logits_BKV.log_softmax(-1).gather(-1, targets_BK[..., None]).squeeze(-1).double().cpu()
        counts = [len(row) - n for row, n in zip(rows, n_prompt, strict=True)]
        return [OptionScore(float(found_BK[b, kept - 1 - n :].sum()), n) for b, n in enumerate(counts)]

    def _last_residuals(self, rows: Rows, modules: list[Any]) -> list[npt.NDArray[np.float32]]:
        inputs, width = self._left_padded(rows, positions=True)
        self._announce(rows, width, rows)
        seen: list[torch.Tensor] = []
        hooks = [
            m.register_forward_hook(lambda _m, _i, out: seen.append(hidden(out)[:, -1].float())) for m in dict.fromkeys(modules)
        ]
        try:
            self.model(**inputs, logits_to_keep=1, use_cache=False)
        finally:
            for hook in hooks:
                hook.remove()
        order = [m for m in blocks(self.model) if m in modules]
        stacked = torch.stack([seen[order.index(m)] for m in modules], dim=1)
        return list(stacked.cpu().numpy())

    def _announce(self, rows: Rows, width: int, prompts: Rows) -> None:
        if self._noise is not None:
            self._noise.begin(prompts, [width - len(row) for row in rows], self.model.device)

    def _left_padded(self, rows: Rows, *, positions: bool = False) -> tuple[dict[str, torch.Tensor], int]:
        width = max(len(row) for row in rows)
        ids = [[self.encoder.pad_id] * (width - len(row)) + list(row) for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        inputs = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}
        if positions:  # generate works them out by itself
            inputs["position_ids"] = (inputs["attention_mask"].cumsum(-1) - 1).clamp_(min=0)
        return {name: tensor.to(self.model.device) for name, tensor in inputs.items()}, width

    def _in_batches(
        self,
        rows: Rows,
        run: Callable[[list[int]], list[Any]],
        *,
        extra: int = 0,
        parts: int = 1,
        on_progress: OnProgress = no_progress,
    ) -> list[Any]:
        """`run` over length-sorted batches of row indices; its results in the order of the rows."""
        results: list[Any] = [None] * len(rows)
        waiting = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        while waiting:
            batch = waiting[: max(1, self.batch_tokens // parts // (len(rows[waiting[0]]) + extra))]
            try:
                with torch.inference_mode():
                    found = run(batch)
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self.batch_tokens //= 2  # safe: no result depends on the batch
                torch.cuda.empty_cache()
                continue
            for index, result in zip(batch, found, strict=True):
                results[index] = result
            waiting = waiting[len(batch) :]
            on_progress(len(rows) - len(waiting), len(rows), "")
        return results

    def _responses(self, generated: list[list[int]]) -> list[Response]:
        ends = [next((k for k, t in enumerate(row) if t in self._stops), None) for row in generated]
        texts = self.encoder.decode([row[:end] for row, end in zip(generated, ends, strict=True)])
        return [
            Response(
                text=text,
                n_tokens=len(row) if end is None else end,
                finish_reason="length" if end is None else "stop",
            )
            for text, row, end in zip(texts, generated, ends, strict=True)
        ]

    def _require_room(self, rows: Rows, new_tokens: int) -> None:
        limit = getattr(self.model.config, "max_position_embeddings", None)
        longest = max((len(row) for row in rows), default=0)
        if limit is not None and longest + new_tokens > limit:
            raise UserError(
                f"The longest prompt has {longest} tokens, and with {new_tokens} new ones it exceeds the model's context of "
                f"{limit}. Shorten the prompt or lower max_new_tokens."
            )


def _narrowed(made: Any, mask_BL: torch.Tensor, kept: list[int]) -> tuple[dict[str, torch.Tensor], Any]:
    """The inputs and the cache with which some rows of a batch go on."""
    index = torch.tensor(kept, device=mask_BL.device, dtype=torch.long)
    ids_BL = made.sequences[index]
    grown_BL = torch.nn.functional.pad(mask_BL[index], (0, ids_BL.shape[1] - mask_BL.shape[1]), value=1)
    cache = made.past_key_values if hasattr(made.past_key_values, "batch_select_indices") else None  # else it is computed anew
    if cache is not None:
        cache.batch_select_indices(index)
    return {"input_ids": ids_BL, "attention_mask": grown_BL}, cache


def _as_list(ids: int | list[int] | None) -> list[int]:
    return [] if ids is None else [ids] if isinstance(ids, int) else list(ids)
