"""Whether two texts mean the same: the cosine of their embeddings.

In: texts, and a sentence-embedding model (a Hugging Face directory or id, or `openai-api/SERVICE/MODEL`). Out: unit vectors, and an
index of what has been said. Near-duplicates by words are found without a model: see `duplicates`.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from axenic.errors import UserError

Vectors = npt.NDArray[np.float32]  # [texts, dimensions], each row of length 1
Embed = Callable[[Sequence[str]], Vectors]
DOCUMENTS_ALIKE, QUESTIONS_ALIKE = 0.95, 0.91  # cosines from which two mean the same; the second is that of Li et al. 2026
_MOST_TOKENS = 512
_BATCH = 32
_SERVED = "openai-api/"


class CosineIndex:
    """Texts seen so far, and whether a further one means the same as any of them."""

    def __init__(self, embed: Embed, *, threshold: float = DOCUMENTS_ALIKE) -> None:
        """`threshold`: cosine from which two texts mean the same."""
        self._embed, self._threshold = embed, threshold
        self._vectors: list[npt.NDArray[np.float32]] = []

    def add(self, text: str) -> bool:
        """Whether a text is new. One that is not is not kept."""
        (vector,) = self._embed([text])
        if self._vectors and float(np.max(np.stack(self._vectors) @ vector)) >= self._threshold:
            return False
        self._vectors.append(vector)
        return True


def embedder(model: str) -> Embed:
    """What turns texts into unit vectors.

    Args:
        model: A Hugging Face directory or id of a sentence-embedding model, or `openai-api/SERVICE/MODEL`, whose
            address and key are in the variables SERVICE_BASE_URL and SERVICE_API_KEY.

    Raises:
        UserError: It cannot be loaded, or its address or key is not set.
    """
    return _served(model.removeprefix(_SERVED)) if model.startswith(_SERVED) else _local(model)


def _local(path_or_id: str) -> Embed:
    """Mean of the last hidden states over the text's tokens, as sentence-embedding models are trained for."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path_or_id)
        model = AutoModel.from_pretrained(path_or_id, use_safetensors=True).eval()
    except (OSError, ValueError) as error:
        raise UserError(f"The embedding model '{path_or_id}' cannot be loaded: {error}") from None
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token

    def embed(texts: Sequence[str]) -> Vectors:
        found = []
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            given = tokenizer(batch, return_tensors="pt", padding=True, truncation=True, max_length=_MOST_TOKENS)
            given.pop("token_type_ids", None) if model.config.model_type == "llama" else None
            with torch.inference_mode():
                hidden_B_T_D = model(**given).last_hidden_state
            mask_B_T_1 = given["attention_mask"].unsqueeze(-1)
            found.append(((hidden_B_T_D * mask_B_T_1).sum(1) / mask_B_T_1.sum(1)).float().numpy())
        return _unit(np.concatenate(found))

    return embed


def _served(name: str) -> Embed:
    service, _, model = name.partition("/")
    prefix = service.upper().replace("-", "_")
    base, key = os.environ.get(f"{prefix}_BASE_URL"), os.environ.get(f"{prefix}_API_KEY")
    if not (model and base and key):
        raise UserError(
            f"The embedding model '{_SERVED}{name}' cannot be reached: write openai-api/SERVICE/MODEL and set {prefix}_BASE_URL "
            f"and {prefix}_API_KEY."
        )
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def embed(texts: Sequence[str]) -> Vectors:
        body = json.dumps({"model": model, "input": list(texts)}).encode()
        request = urllib.request.Request(f"{base.rstrip('/')}/embeddings", data=body, headers=headers)
        return _unit(np.array([row["embedding"] for row in _posted(request, model)], dtype=np.float32))

    return embed


def _posted(request: urllib.request.Request, model: str) -> list[dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return sorted(json.load(reply)["data"], key=lambda row: int(row["index"]))
    except (urllib.error.URLError, TimeoutError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"The embedding model '{model}' gave no embeddings: {error}. What is written is kept; run again.") from None


def _unit(vectors: npt.NDArray[Any]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
