"""Promises about models on disk: what cannot be loaded is said in one clear sentence."""

import json
import shutil

import pytest
import torch

import tiny_models
from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint, load_encoder, load_model, save
from axenic.models.hf import HFModel


@pytest.fixture
def directory(checkpoints, tmp_path):
    return shutil.copytree(checkpoints["qwen2"].path, tmp_path / "model")


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(UserError, match="no model directory '.*nowhere'"):
        load_checkpoint(tmp_path / "nowhere")


def test_a_directory_without_config_is_refused(directory):
    (directory / "config.json").unlink()
    with pytest.raises(UserError, match=r"has no config\.json"):
        load_checkpoint(directory)


def test_a_directory_without_weights_is_refused(directory):
    (directory / "model.safetensors").unlink()
    with pytest.raises(UserError, match="has no weights"):
        load_checkpoint(directory)


def test_pickled_weights_are_never_loaded(directory):
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin, which is pickled and could run code"):
        load_checkpoint(directory)


def test_damaged_weights_are_a_user_error(directory):
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="Cannot load the model"):
        HFModel.load(load_checkpoint(directory), device="cpu")


def test_a_directory_without_tokenizer_is_refused(directory):
    for file in directory.glob("*token*"):
        file.unlink()
    with pytest.raises(UserError, match="has no tokenizer .*beside its weights"):
        load_checkpoint(directory)


def test_a_directory_that_is_no_adapter_is_refused_as_one(checkpoints, tmp_path):
    with pytest.raises(UserError, match=r"has no adapter_config\.json"):
        load_checkpoint(checkpoints["llama"].path, adapter=tmp_path)


def test_an_adapter_without_its_base_is_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/gone/model"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="the model it was trained on .*is not there. Give that model as well"):
        load_checkpoint(tmp_path)


def test_saving_and_loading_keeps_weights_template_and_end_tokens(checkpoints, tmp_path):
    checkpoint = checkpoints["neox"]
    encoder, model = load_encoder(checkpoint), load_model(checkpoint, device="cpu")
    save(model, encoder, tmp_path)
    again = load_checkpoint(tmp_path)
    assert again.template == checkpoint.template
    for one, other in zip(model.parameters(), load_model(again, device="cpu").parameters(), strict=True):
        assert torch.equal(one, other)
    assert json.loads((tmp_path / "generation_config.json").read_text())["eos_token_id"] == list(encoder.stop_ids)


def test_loading_prints_nothing(checkpoints, capfd):
    HFModel.load(checkpoints["gpt2"], device="cpu")
    assert capfd.readouterr() == ("", "")


def test_every_architecture_describes_its_own_template(checkpoints):
    assert checkpoints["gpt2"].template.origin == "axenic-plain"
    assert checkpoints["gpt2"].template.pad == checkpoints["gpt2"].template.eos
    assert checkpoints["llama"].template.bos == "<bos>"
    assert {checkpoints[a].template.origin for a in ("llama", "qwen2", "neox")} == {"tokenizer"}
    assert set(checkpoints) == set(tiny_models.ARCHITECTURES)


@pytest.mark.parametrize("architecture", tiny_models.ARCHITECTURES)
def test_the_tokenizer_is_the_directorys_own_not_the_architectures_usual_one(checkpoints, architecture):
    text = "The mill's roof 123 \n\n x"
    own, loaded = tiny_models.tokenizer_of(architecture), load_encoder(checkpoints[architecture]).tokenizer
    assert loaded(text)["input_ids"] == own(text)["input_ids"]
    assert loaded.get_vocab() == own.get_vocab()
