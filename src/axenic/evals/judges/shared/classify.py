"""A Hugging Face sequence classifier on disk or on the hub, asked in batches.

In: a directory or hub id, texts or pairs of texts. Out: the index of the most probable class of each. A text that is too long for
the model loses its end, or with `keep="end"` its beginning. Safetensors only; remote code is never run.
"""

from collections.abc import Sequence
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from axenic.errors import UserError
from axenic.models.checkpoint import resolve_device
from axenic.models.quiet import quiet

BATCH_TOKENS = 16_384
LONGEST = 4096
"""Tokens where the model names no limit of its own."""
_LOADING = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)


def class_names(path_or_id: str) -> list[str]:
    """The names of the classes, by index, read without the weights.

    Raises:
        UserError: There is no config, or it is not a classifier's.
    """
    try:
        with quiet():
            config = AutoConfig.from_pretrained(path_or_id, trust_remote_code=False)
    except _LOADING as error:
        raise UserError(
            f"Cannot read a model's config from {path_or_id!r}: {error} A hub id needs a network connection or a filled cache."
        ) from None
    architectures = config.architectures or []
    if architectures and not any("SequenceClassification" in name for name in architectures):
        raise UserError(f"{path_or_id!r} is no sequence classifier but {', '.join(architectures)}. Give one that is.")
    return [str(config.id2label[i]) for i in range(len(config.id2label))]


class SequenceClassifier:
    """A loaded classifier.

    Args:
        path_or_id: Directory or hub id.
        keep: Which end of a text that is too long is kept.
    """

    def __init__(self, path_or_id: str, *, keep: str = "start") -> None:
        try:
            with quiet():
                self.tokenizer = AutoTokenizer.from_pretrained(path_or_id, trust_remote_code=False)
                model = AutoModelForSequenceClassification.from_pretrained(
                    path_or_id, use_safetensors=True, trust_remote_code=False
                )
        except Exception as error:  # tokenizers raises bare Exception
            raise UserError(f"Cannot load the sequence classifier {path_or_id!r}: {error}") from None
        self.model: Any = model.to(resolve_device()).eval()
        self.tokenizer.truncation_side = "right" if keep == "start" else "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        if self.model.config.pad_token_id is None:
            self.model.config.pad_token_id = self.tokenizer.pad_token_id
        self.longest = min(self.tokenizer.model_max_length, _positions(self.model.config))

    def classes(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[int]:
        """The most probable class of each text, or of each (text, pair); of a pair the second is shortened.

        Raises:
            UserError: A first text leaves no room for the second.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]) + (len(pairs[i]) if pairs else 0), reverse=True)
        found = [0] * len(texts)
        while order:
            first = self._encode([texts[order[0]]], [pairs[order[0]]] if pairs else None)
            batch = order[: max(1, BATCH_TOKENS // first["input_ids"].shape[1])]
            inputs = self._encode([texts[i] for i in batch], [pairs[i] for i in batch] if pairs else None)
            with torch.inference_mode():
                best = self.model(**inputs.to(self.model.device)).logits.argmax(-1).tolist()
            for i, c in zip(batch, best, strict=True):
                found[i] = c
            order = order[len(batch) :]
        return found

    def _encode(self, texts: list[str], pairs: list[str] | None) -> Any:
        cut: Any = "only_second" if pairs else True
        shown = [
            text[: 8 * self.longest] if self.tokenizer.truncation_side == "right" else text[-8 * self.longest :] for text in texts
        ]
        try:
            return self.tokenizer(shown, pairs, truncation=cut, max_length=self.longest, padding=True, return_tensors="pt")
        except Exception as error:
            raise UserError(f"A prompt is too long for the classifier, which reads {self.longest} tokens: {error}") from None


def _positions(config: Any) -> int:
    """How many tokens a model reads; those that count positions from the pad token's on read fewer than the config says."""
    limit = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if not limit or limit < 0:
        return LONGEST
    offset = 2 if config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer") else 0
    return int(limit) - offset
