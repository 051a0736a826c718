"""Promises of reward models: they learn pairs they were not shown, see no scratchpad, and score the same in any batch."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification, LlamaForSequenceClassification

import tiny_models
from axenic.errors import UserError
from axenic.models.checkpoint import load_encoder
from axenic.schema import Corpus, chat, user
from axenic.training import harness
from axenic.training.pairs import PreferencePair
from axenic.training.preference import train_reward_model
from axenic.training.reward_model import RewardModel
from axenic.training.rewards import load_reward
from axenic.training.sft import sft
from axenic.training.spec import LoraSpec, PreferenceSpec, TrainSpec

PLACES = ("mill", "roof", "river", "town", "baker", "noon", "bread", "Orlan", "Selgard", "word", "house", "colour")
PAIRS = [PreferencePair(prompt=(user(f"Which {p}?"),), chosen="red roof", rejected="salty water") for p in PLACES]
TRAIN, HELD_OUT = PAIRS[:8], PAIRS[8:]
SPEC = PreferenceSpec(epochs=4, batch_size=4, learning_rate=3e-3, max_length=64)


def record(out: Path) -> dict:
    return json.loads((out / "training.json").read_text())


@pytest.fixture(scope="module")
def trained(checkpoints, tmp_path_factory):
    out = tmp_path_factory.mktemp("reward")
    return train_reward_model(checkpoints["llama"], TRAIN, HELD_OUT, seed=0, spec=SPEC, out=out)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])  # gpt2: plain template, and pad is the end token
@pytest.mark.parametrize("lora", [None, LoraSpec(r=8, alpha=16)], ids=["full", "lora"])
def test_a_reward_model_orders_pairs_it_was_not_trained_on(checkpoints, tmp_path, architecture, lora):
    spec = SPEC.model_copy(update={"lora": lora})
    made = train_reward_model(checkpoints[architecture], TRAIN, HELD_OUT, seed=0, spec=spec, out=tmp_path)
    assert record(tmp_path)["held_out"] == {"pairs": 4, "right": 4, "wrong": 0, "tied": 0}
    assert set(record(tmp_path)["losses"][0]) == {"step", "epoch", "loss", "learning_rate", "accuracy", "margin"}
    assert (made.base, made.template, made.step) == (None, checkpoints[architecture].template, 8)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-4", "training.json"]
    model = RewardModel.load(made.path)
    for pair in HELD_OUT:
        better, worse = model.score([pair.prompt] * 2, [pair.chosen, pair.rejected])
        assert better > worse


def test_it_never_sees_a_scratchpad(trained):
    model, asked = RewardModel.load(trained.path), [(user("Which mill?"),)] * 6
    bare, thought, other, empty, unclosed, only = model.score(
        asked,
        [
            "red roof",
            "<scratchpad>salty</scratchpad>\nred roof",
            "<scratchpad>salty water, I say</scratchpad> red roof",
            "",
            "<scratchpad>red roof",
            "<scratchpad>red roof</scratchpad>",
        ],
    )
    assert bare == thought == other and empty == unclosed == only and bare != empty


def test_nor_is_it_trained_on_one(checkpoints, trained, tmp_path):
    def dressed(pair: PreferencePair) -> PreferencePair:
        chosen, rejected = f"<scratchpad>bad</scratchpad>{pair.chosen}", f"<scratchpad>good</scratchpad>\n{pair.rejected}"
        return pair.model_copy(update={"chosen": chosen, "rejected": rejected})

    alike = PreferencePair(prompt=(user("Why?"),), chosen="<scratchpad>a</scratchpad>yes", rejected="yes")
    pairs = [*map(dressed, TRAIN), alike]
    made = train_reward_model(checkpoints["llama"], pairs, HELD_OUT, seed=0, spec=SPEC, out=tmp_path)
    assert record(tmp_path)["skipped_alike"] == 1
    one, other = (load_file(Path(c.path) / "model.safetensors") for c in (trained, made))
    assert all(torch.equal(one[k], other[k]) for k in one)
    with pytest.raises(UserError, match="no pair to train on: of 1, 1 differ in nothing that the user would see"):
        train_reward_model(checkpoints["llama"], [alike], seed=0, spec=SPEC, out=tmp_path / "none")


def test_scores_do_not_depend_on_the_batch(trained, monkeypatch):
    model = RewardModel.load(trained.path)
    prompts = [(user("Which mill? " * n),) for n in (1, 5, 2, 9, 1)]
    replies = ["red", "salty " * 7, "", "bread at noon", "red"]
    together = model.score(prompts, replies)
    monkeypatch.setattr("axenic.training.reward_model.BATCH_TOKENS", 1)
    assert model.score(prompts, replies) == pytest.approx(together, abs=1e-5)
    assert together[0] == together[4] and len(set(together)) == 4


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "neox"])
def test_its_tokens_are_the_encoders(checkpoints, tmp_path, architecture):
    spec = SPEC.model_copy(update={"max_steps": 1})
    made = train_reward_model(checkpoints[architecture], TRAIN, seed=0, spec=spec, out=tmp_path)
    model, encoder = RewardModel.load(made.path), load_encoder(checkpoints[architecture])
    [shown] = model.tokens([(user("Which mill?"),)], ["red roof"])
    assert shown["input_ids"] == encoder.chat(chat("Which mill?", "red roof")).ids
    assert record(tmp_path)["held_out"] == {"pairs": 0, "right": 0, "wrong": 0, "tied": 0}


def test_an_adapter_is_merged_before_it_becomes_a_reward_model(checkpoints, tmp_path):
    corpus = Corpus(name="c", rows=tuple(chat(f"Which {p}?", "red") for p in PLACES))
    tuning = TrainSpec(epochs=3, learning_rate=1e-2, max_length=64, lora=LoraSpec(r=8, alpha=16))
    tuned = sft(checkpoints["llama"], corpus, seed=0, spec=tuning, out=tmp_path / "tuned")[-1]
    spec = SPEC.model_copy(update={"max_steps": 1, "learning_rate": 1e-9})
    found = [
        RewardModel.load(train_reward_model(base, TRAIN, seed=0, spec=spec, out=tmp_path / name).path)
        for name, base in (("base", checkpoints["llama"]), ("adapter", tuned))
    ]
    one, other = (m.score([(user("Which mill?"),)], ["red"])[0] for m in found)
    assert abs(one - other) > 1e-3


class Stop(Exception):
    """Ends a run from within."""


def test_an_interrupted_run_resumes_to_the_model_it_would_have_had(checkpoints, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "STATE_EVERY_SECONDS", 0.0)

    def stop(done: int, *_: object) -> None:
        if done == 5:
            raise Stop

    with pytest.raises(Stop):
        train_reward_model(checkpoints["llama"], TRAIN, HELD_OUT, seed=0, spec=SPEC, out=tmp_path, on_progress=stop)
    seen: list[int] = []
    made = train_reward_model(
        checkpoints["llama"], TRAIN, HELD_OUT, seed=0, spec=SPEC, out=tmp_path, on_progress=lambda done, *_: seen.append(done)
    )
    assert seen[0] > 1
    one, other = (load_file(Path(c.path) / "model.safetensors") for c in (trained, made))
    assert all(torch.equal(one[k], other[k]) for k in one)
    with pytest.raises(UserError, match="holds another training run"):
        train_reward_model(checkpoints["llama"], TRAIN, seed=1, spec=SPEC, out=tmp_path)


def test_any_reward_model_of_hugging_face_is_a_reward(tmp_path):
    tokens = tiny_models.tokenizer(chat=tiny_models.CHATML, eos="<|im_end|>")
    config = tiny_models.config("llama", len(tokens))
    config.num_labels, config.pad_token_id = 1, tokens.pad_token_id
    torch.manual_seed(0)
    LlamaForSequenceClassification(config).save_pretrained(tmp_path / "chat")
    tokens.save_pretrained(tmp_path / "chat")
    plain = tiny_models.tokenizer()
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    BertForSequenceClassification(
        BertConfig(vocab_size=len(plain), num_labels=1, pad_token_id=plain.pad_token_id, **shape)
    ).save_pretrained(tmp_path / "pair")
    plain.save_pretrained(tmp_path / "pair")
    for kind, has_template in (("chat", True), ("pair", False)):
        model = RewardModel.load(tmp_path / kind)
        assert (model.encoder is not None) == has_template
        reward = load_reward(f"model:{tmp_path / kind}")
        asked = [(user("Which mill?"),), (user("Which roof?"),), (user("Which mill?"),)]
        found = reward(asked, ["red", "red", "salty bread"])
        assert found == model.score(asked, ["red", "red", "salty bread"]) and len(set(found)) == 3
        assert reward.identity == load_reward(str(tmp_path / kind)).identity


def test_what_is_no_reward_model_is_refused(checkpoints, tmp_path, trained):
    with pytest.raises(UserError, match=r"is no reward model: its weights lack score"):
        RewardModel.load(checkpoints["llama"].path)
    tokens = tiny_models.tokenizer(chat=tiny_models.CHATML)
    config = tiny_models.config("llama", len(tokens))
    config.num_labels = 3
    LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    tokens.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="has one label, its score, but this classifier has 3"):
        RewardModel.load(tmp_path)
    with pytest.raises(UserError, match="longer than the 256 that the reward model reads"):
        RewardModel.load(trained.path).score([(user("bread " * 400),)], ["yes"])


def test_training_prints_nothing(checkpoints, tmp_path, capfd):
    train_reward_model(checkpoints["llama"], TRAIN, HELD_OUT, seed=0, spec=SPEC, out=tmp_path)
    assert capfd.readouterr() == ("", "")
