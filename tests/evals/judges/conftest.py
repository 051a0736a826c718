"""Random models on disk for judges to be: classifiers with given class names, and a causal one with a long context."""

import json

import pytest
import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

import tiny_models


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """`classifier(*names)`: a directory with a random classifier whose classes have these names."""

    def made(*names, seed=0):
        torch.manual_seed(seed)
        tokens = tiny_models.tokenizer()
        config = LlamaConfig(
            vocab_size=len(tokens), hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=32,
            max_position_embeddings=64, id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)},
            pad_token_id=tokens.pad_token_id,
        )  # fmt: skip
        model = LlamaForSequenceClassification(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() >= 2:
                    parameter.mul_(10.0)
        folder = tmp_path_factory.mktemp("classifier")
        model.save_pretrained(folder)
        tokens.save_pretrained(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def causal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    tiny_models.save(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 4096}))
    return folder
