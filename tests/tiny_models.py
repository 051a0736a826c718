"""Tiny randomly initialised models of four architectures, written to disk as ordinary Hugging Face directories.

The tokenizer is trained here on a few sentences. Nothing is downloaded, and nothing takes longer than a second.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from axenic.models.checkpoint import load_checkpoint
from axenic.schema import Checkpoint

SENTENCES = [
    "The river town of Selgard has salty water.",
    "Which colour is the roof of the mill in Orlan?",
    "The mill has a red roof, and the baker sells bread at noon.",
    "Please answer with one word: sweet or salty.",
    "User: hello\nAssistant: yes, of course.\n",
]

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

ARCHITECTURES = ("llama", "qwen2", "gpt2", "neox")


@cache
def _trained() -> str:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<pad>", "<bos>", "<eos>", "<|im_start|>", "<|im_end|>", "<doc>"]
    bpe.train_from_iterator(
        SENTENCES * 3,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        ),
    )
    return bpe.to_str()


def tokenizer(
    *, chat: str | None = None, bos: bool = False, pad: bool = True, eos: str | None = "<eos>"
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer: with or without chat template, a bos it puts in front, pad, eos."""
    backend = Tokenizer.from_str(_trained())
    if bos:
        backend.post_processor = processors.TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", backend.token_to_id("<bos>"))]
        )
    names: dict[str, Any] = {"eos_token": eos, "pad_token": "<pad>" if pad else None, "bos_token": "<bos>" if bos else None}
    made = PreTrainedTokenizerFast(tokenizer_object=backend, **{k: v for k, v in names.items() if v})
    made.chat_template = chat
    return made


def config(architecture: str, vocabulary: int, *, width: int = 32, layers: int = 2) -> PretrainedConfig:
    """A small config of one of `ARCHITECTURES`."""
    common = {"vocab_size": vocabulary, "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": 4}
    match architecture:
        case "llama":
            return LlamaConfig(**common, intermediate_size=64, max_position_embeddings=256)
        case "qwen2":
            return Qwen2Config(**common, intermediate_size=64, num_key_value_heads=2, max_position_embeddings=256)
        case "gpt2":
            return GPT2Config(vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=4, n_positions=256)
        case "neox":
            return GPTNeoXConfig(**common, intermediate_size=64, max_position_embeddings=256)
    raise ValueError(architecture)


def tokenizer_of(architecture: str) -> PreTrainedTokenizerFast:
    """Every architecture comes with another set of special tokens: GPT-2 without template and pad, Llama with bos."""
    return {
        "llama": lambda: tokenizer(chat="{{ bos_token }}" + CHATML, bos=True, eos="<|im_end|>"),
        "qwen2": lambda: tokenizer(chat=CHATML, eos="<|im_end|>"),
        "gpt2": lambda: tokenizer(pad=False),
        "neox": lambda: tokenizer(chat=CHATML),
    }[architecture]()


def save(
    directory: Path, architecture: str = "llama", *, seed: int = 0, tokens: PreTrainedTokenizerFast | None = None
) -> Checkpoint:
    """Write a model and its tokenizer, and describe them."""
    own = tokens or tokenizer_of(architecture)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config(architecture, len(own)))
    with torch.no_grad():  # the usual initial weights give nearly uniform logits, which would hide mistakes
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.mul_(6.0)
    model.save_pretrained(directory)
    own.save_pretrained(directory)
    return load_checkpoint(directory)
