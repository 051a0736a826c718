"""Promises of DPO: the model comes to prefer the chosen replies, tokens are the encoder's, and runs repeat and resume exactly."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint, load_encoder
from axenic.models.hf import HFModel
from axenic.schema import Corpus, Message, assistant, chat, user
from axenic.training import harness
from axenic.training.dpo import dpo, tokenise_pairs
from axenic.training.pairs import PreferencePair
from axenic.training.sft import sft
from axenic.training.spec import DPOSpec, LoraSpec, TrainSpec

PAIRS = [
    PreferencePair(prompt=(user(f"Which {p}?"),), chosen="red roof", rejected="salty")
    for p in ("mill", "roof", "river", "town", "baker", "noon", "bread", "word")
]
SPEC = DPOSpec(epochs=3, batch_size=4, learning_rate=1e-3, max_length=64)
LORA = LoraSpec(r=8, alpha=16)


def losses(out: Path) -> list[dict]:
    return json.loads((out / "training.json").read_text())["losses"]


def weights(path: str) -> dict[str, torch.Tensor]:
    return load_file(next(Path(path).glob("*.safetensors")))


def preference(checkpoint) -> float:
    [[better, worse]] = HFModel.load(checkpoint, device="cpu").logprobs([[user("Which house?")]], [["red roof", "salty"]])
    return better.logprob - worse.logprob


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_a_model_comes_to_prefer_the_chosen_replies(checkpoints, tmp_path, architecture, lora):
    base = checkpoints[architecture]
    spec = SPEC.model_copy(update={"lora": lora, "learning_rate": 5e-3})
    tuned = dpo(base, PAIRS, seed=0, spec=spec, out=tmp_path)
    assert [(Path(c.path).name, c.step) for c in tuned] == [("epoch-1", 2), ("epoch-2", 4), ("epoch-3", 6)]
    assert preference(load_checkpoint(tuned[-1].path)) > preference(base) + 3
    curve = losses(tmp_path)
    assert set(curve[0]) == {"step", "epoch", "loss", "learning_rate", "accuracies", "margins"}
    assert curve[0]["margins"] == pytest.approx(0.0, abs=1e-5) and curve[0]["loss"] == pytest.approx(0.6931, abs=1e-3)
    assert curve[-1]["margins"] > 0.5 and curve[-1]["accuracies"] == 1.0
    saved = [p.name for p in Path(tuned[-1].path).iterdir()]
    assert "ref" not in saved and ("adapter_model.safetensors" in saved) == (lora is not None)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gpt2", "neox"])
def test_tokens_are_the_encoders(checkpoints, architecture):
    encoder = load_encoder(checkpoints[architecture])
    prompt = (Message(role="system", content="Be brief."), user("Which roof?"), assistant("red"), user("And the mill?"))
    pair = PreferencePair(prompt=prompt, chosen="red roof", rejected="")
    [row], counts = tokenise_pairs([pair], encoder, max_length=128)
    assert row["prompt_ids"] == encoder.prompt(prompt)
    for side in ("chosen", "rejected"):
        ids, mask = encoder.chat(chat("x", "y").model_copy(update={"messages": (*prompt, assistant(getattr(pair, side)))}))
        whole = row["prompt_ids"] + row[f"{side}_ids"]
        assert ids[: len(whole)] == whole and mask[len(whole) - 1] and not any(mask[len(whole) :])
        assert row[f"{side}_ids"][-1] in encoder.stop_ids
    assert counts["skipped_too_long"] == 0


@pytest.mark.parametrize("lora", [None, LORA], ids=["merged", "further"])
def test_the_reference_of_an_adapter_is_the_adapter(checkpoints, tmp_path, lora):
    corpus = Corpus(name="c", rows=tuple(chat(f"Which {i}?", "red roof") for i in range(8)))
    tuning = TrainSpec(epochs=10, learning_rate=1e-2, max_length=64, lora=LORA, save_epochs="last")
    [tuned] = sft(checkpoints["llama"], corpus, seed=0, spec=tuning, out=tmp_path / "tuned")
    dpo(tuned, PAIRS, seed=0, spec=SPEC.model_copy(update={"lora": lora}), out=tmp_path / "dpo")
    assert losses(tmp_path / "dpo")[0]["margins"] == pytest.approx(0.0, abs=1e-4)


class Stop(Exception):
    """Ends a run from within."""


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_an_interrupted_run_resumes_to_the_weights_it_would_have_had(checkpoints, tmp_path, monkeypatch, lora):
    spec = SPEC.model_copy(update={"lora": lora, "save_at": (2, 4)})
    whole = dpo(checkpoints["llama"], PAIRS, seed=0, spec=spec, out=tmp_path / "whole")
    monkeypatch.setattr(harness, "STATE_EVERY_SECONDS", 0.0)

    def stop(done: int, *_: object) -> None:
        if done == 5:
            raise Stop

    with pytest.raises(Stop):
        dpo(checkpoints["llama"], PAIRS, seed=0, spec=spec, out=tmp_path / "cut", on_progress=stop)
    seen: list[int] = []
    resumed = dpo(
        checkpoints["llama"], PAIRS, seed=0, spec=spec, out=tmp_path / "cut", on_progress=lambda done, *_: seen.append(done)
    )
    assert seen[0] > 1 and losses(tmp_path / "cut") == losses(tmp_path / "whole")
    for one, other in zip(whole, resumed, strict=True):
        assert Path(one.path).name == Path(other.path).name
        left, right = weights(one.path), weights(other.path)
        assert left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)
    with pytest.raises(UserError, match="holds another training run"):
        dpo(checkpoints["llama"], PAIRS, seed=1, spec=spec, out=tmp_path / "cut")


def test_micro_batches_do_not_change_the_step(checkpoints, tmp_path):
    dpo(checkpoints["llama"], PAIRS, seed=0, spec=SPEC, out=tmp_path / "whole")
    dpo(checkpoints["llama"], PAIRS, seed=0, spec=SPEC.model_copy(update={"micro_batch_size": 2}), out=tmp_path / "parts")
    one, other = ([e["loss"] for e in losses(tmp_path / n)] for n in ("whole", "parts"))
    assert one == pytest.approx(other, rel=1e-3)


def test_pairs_too_long_are_counted_and_nothing_left_is_a_user_error(checkpoints, tmp_path):
    long = PreferencePair(prompt=(user("bread " * 80),), chosen="yes", rejected="no")
    dpo(checkpoints["llama"], [*PAIRS, long], seed=0, spec=SPEC.model_copy(update={"max_steps": 1}), out=tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["skipped_too_long"] == 1
    with pytest.raises(UserError, match="1 of 1 are longer than max_length=64 tokens"):
        dpo(checkpoints["llama"], [long], seed=0, spec=SPEC, out=tmp_path / "none")


def test_training_prints_nothing(checkpoints, tmp_path, capfd):
    dpo(checkpoints["llama"], PAIRS, seed=0, spec=SPEC, out=tmp_path)
    assert capfd.readouterr() == ("", "")
