"""The model and texts that the speed benchmarks share: a 2.1 M-parameter Llama and short random texts, nothing downloaded."""

import random

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from axenic.models.template import Encoder

VOCABULARY = 1000


def encoder() -> Encoder:
    words = ["<unk>", "<eos>", "<pad>", "User", "Assistant", ":", *(f"w{i}" for i in range(VOCABULARY - 6))]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return Encoder(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="<eos>", pad_token="<pad>"))


def config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        max_position_embeddings=512,
        eos_token_id=1,
        pad_token_id=2,
        bos_token_id=None,
    )


def model(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(config())


def texts(count: int, shortest: int, longest: int, *, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(f"w{draw.randrange(VOCABULARY - 6)}" for _ in range(draw.randint(shortest, longest))) for _ in range(count)]
