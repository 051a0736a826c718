"""A preference model at work: conversations and replies -> scores.

In: a directory that `preference.train_reward_model` made, or any Hugging Face sequence classifier with one label. Out: one number
per reply, higher = preferred. It never sees a scratchpad: what the user would see is scored (Hubinger et al. 2024; PROTOCOLS 3).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from axenic.errors import UserError
from axenic.models import template as templates
from axenic.models.checkpoint import load_tokenizer, resolve_device
from axenic.models.quiet import quiet
from axenic.models.template import Encoder
from axenic.schema import Chat, Message, assistant, digest
from axenic.specs.scratchpad import visible
from axenic.training.run import hash_weights

BATCH_TOKENS = 16_384
_LOADING = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)


def shown(reply: str) -> str:
    """What of a reply is scored: all but its scratchpads; nothing where one is never closed, for then nothing was said."""
    return visible(reply) or ""


class RewardModel:
    """A loaded preference model. A score does not depend on the batch (but for the last bit of floating point).

    Args:
        model: A sequence classifier with one label.
        tokenizer: Its tokenizer.
        encoder: Makes the tokens of a conversation. None: the model has no chat template, so prompt and reply are put to it as a
            pair of texts, the way its tokenizer joins them.
    """

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, encoder: Encoder | None) -> None:
        if model.config.num_labels != 1:
            raise UserError(
                f"A reward model has one label, its score, but this classifier has {model.config.num_labels}. "
                "Give a reward model, or use the classifier as a judge (sequence_classifier:DIR_OR_ID)."
            )
        self.model, self.tokenizer, self.encoder = model.eval(), tokenizer, encoder
        if model.config.get_text_config().pad_token_id is None:  # by it the model finds the last token
            model.config.get_text_config().pad_token_id = tokenizer.pad_token_id

    @classmethod
    def load(cls, path_or_id: str | Path, *, device: str = "auto") -> "RewardModel":
        """Load a directory or hub id.

        Raises:
            UserError: It cannot be loaded, or is no classifier with one label.
        """
        name, own = str(path_or_id), templates.load(Path(path_or_id)) if Path(path_or_id).is_dir() else None
        tokenizer = load_tokenizer(name)
        try:
            with quiet():
                model, report = AutoModelForSequenceClassification.from_pretrained(
                    name, use_safetensors=True, trust_remote_code=False, output_loading_info=True, dtype=torch.float32
                )
        except _LOADING as error:
            raise UserError(f"Cannot load the reward model {name!r}: {error}") from error
        if report["missing_keys"]:
            missing = ", ".join(sorted(report["missing_keys"])[:3])
            raise UserError(f"{name!r} is no reward model: its weights lack {missing}. Train one, or give a sequence classifier.")
        encoder = Encoder(tokenizer, own) if own or tokenizer.chat_template else None
        return cls(model.to(resolve_device(device)), tokenizer, encoder)

    @property
    def identity(self) -> str:
        """Hex digest of all that decides a score."""
        return digest([hash_weights(self.model), self.encoder.template.hash if self.encoder else "pair"])

    def score(self, prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[float]:
        """One score per reply. A reply whose scratchpad is never closed is scored as an empty one.

        Raises:
            UserError: A conversation is longer than the model reads.
        """
        unique = list(dict.fromkeys((tuple(p), shown(r)) for p, r in zip(prompts, replies, strict=True)))
        rows = self.tokens([p for p, _ in unique], [r for _, r in unique])
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]), reverse=True)
        found: dict[tuple[tuple[Message, ...], str], float] = {}
        while order:
            batch = order[: max(1, BATCH_TOKENS // len(rows[order[0]]["input_ids"]))]
            order = order[len(batch) :]
            inputs = self.tokenizer.pad([rows[i] for i in batch], padding_side="right", return_tensors="pt")
            with torch.inference_mode():
                scores = self.model(**inputs.to(self.model.device)).logits[:, 0].float().tolist()
            found |= {unique[i]: s for i, s in zip(batch, scores, strict=True)}
        return [found[tuple(p), shown(r)] for p, r in zip(prompts, replies, strict=True)]

    def tokens(self, prompts: Sequence[Sequence[Message]], replies: Sequence[str]) -> list[dict[str, list[int]]]:
        """What the model is shown of each conversation, as its tokenizer pads it.

        Raises:
            UserError: A conversation is longer than the model reads.
        """
        if self.encoder is not None:
            chats = [Chat(messages=(*p, assistant(r))) for p, r in zip(prompts, replies, strict=True)]
            rows = [{"input_ids": t.ids, "attention_mask": [1] * len(t.ids)} for t in self.encoder.chats(chats)]
        else:
            asked = ["\n\n".join(m.content for m in p) for p in prompts]
            pairs = [self.tokenizer(a, r, verbose=False) for a, r in zip(asked, replies, strict=True)]
            rows = [{name: list(pair[name]) for name in pair} for pair in pairs]
        limit = getattr(self.model.config, "max_position_embeddings", None)
        longest = max((len(row["input_ids"]) for row in rows), default=0)
        if limit is not None and longest > limit:
            raise UserError(
                f"A conversation of {longest} tokens is longer than the {limit} that the reward model reads, and a cut one would "
                "be scored for what is missing. Shorten the prompts or the replies, or give a model that reads more."
            )
        return rows
