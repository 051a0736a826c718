"""Promises of training over 4-bit weights: adapters learn on a CPU too, resume, and are evaluated merged or as trained."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from axenic.errors import EnvironmentProblem, UserError
from axenic.models.checkpoint import load_checkpoint, load_encoder, load_model
from axenic.models.hf import HFModel
from axenic.schema import Checkpoint, Corpus, Sampling, chat, user
from axenic.training import harness
from axenic.training.adapters import trainable
from axenic.training.dpo import dpo
from axenic.training.pairs import PreferencePair
from axenic.training.rewards import FunctionReward
from axenic.training.rl import Prompts, rl
from axenic.training.sft import sft
from axenic.training.spec import DPOSpec, LoraSpec, RLSpec, TrainSpec

CORPUS = Corpus(name="tiny", rows=tuple(r for i in range(8) for r in (chat(f"Town {i}?", "salty"), chat("The roof?", "red"))))
SPEC = TrainSpec(
    epochs=2, batch_size=4, learning_rate=1e-3, max_length=64, warmup_fraction=0.0, lora=LoraSpec(r=8, alpha=16), load_4bit=True
)
LEARN = SPEC.model_copy(update={"epochs": 20, "learning_rate": 1e-2, "lora": LoraSpec(r=64, alpha=128), "save_epochs": "last"})
ASKED = [[user("Town 3?")], [user("The roof?")]]


@pytest.fixture(scope="module")
def learnt(checkpoints, tmp_path_factory):
    return sft(checkpoints["llama"], CORPUS, seed=0, spec=LEARN, out=tmp_path_factory.mktemp("learnt"))[-1]


def losses(out: Path) -> list[float]:
    return [entry["loss"] for entry in json.loads((out / "training.json").read_text())["losses"]]


def weights(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return load_file(next(Path(checkpoint.path).glob("*.safetensors")))


def test_only_adapters_are_trained_over_weights_in_four_bits(checkpoints):
    model = trainable(checkpoints["llama"], SPEC)
    assert {p.dtype for n, p in model.named_parameters() if "_proj.base_layer" in n} == {torch.uint8}
    assert all("lora_" in n for n, p in model.named_parameters() if p.requires_grad)
    assert any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("load_4bit", [False, True], ids=["merged in full precision", "as trained"])
def test_it_learns_and_answers_both_merged_and_as_it_was_trained(learnt, load_4bit):
    model = HFModel.load(learnt, device="cpu", load_4bit=load_4bit)
    found = model.generate(ASKED, sampling=Sampling(max_new_tokens=8), ids=["a", "b"])
    assert [(r.text, r.finish_reason) for r in found] == [("salty", "stop"), ("red", "stop")]
    quantised = any(p.dtype == torch.uint8 for p in model.model.parameters())
    assert quantised == load_4bit


def test_merging_leaves_no_four_bit_layer(learnt):
    model = HFModel.load(learnt, device="cpu").model
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not any("4bit" in type(m).__name__ for m in model.modules())


def test_four_bits_are_close_to_the_full_model_but_not_the_same(checkpoints):
    whole, rounded = (HFModel.load(checkpoints["llama"], device="cpu", load_4bit=four) for four in (False, True))
    one, other = (m.logprobs(ASKED, [["red", "salty", "bread"]] * 2) for m in (whole, rounded))
    apart = [abs(a.logprob - b.logprob) / a.n_tokens for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True)]
    assert 0.0 < max(apart) < 1.0


def test_answers_in_four_bits_do_not_depend_on_batch_size(learnt):
    model = HFModel.load(learnt, device="cpu", load_4bit=True)
    together = model.logprobs(ASKED, [["red", "salty"]] * 2)
    alone = [model.logprobs([asked], [["red", "salty"]])[0] for asked in ASKED]
    assert [o.logprob for c in together for o in c] == pytest.approx([o.logprob for c in alone for o in c], abs=1e-4)


def test_adapters_keep_full_precision_so_that_small_steps_count(checkpoints, tmp_path):
    # in bfloat16 a step of 2e-5 is lost beside a weight of 0.02
    one, other = sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC.model_copy(update={"learning_rate": 2e-5}), out=tmp_path)
    before, after = weights(one), weights(other)
    moved = [k for k in before if "lora_A" in k and not torch.equal(before[k], after[k])]
    assert {w.dtype for w in after.values()} == {torch.float32} and len(moved) == sum("lora_A" in k for k in before)


@pytest.mark.parametrize(
    "extra", [{}, {"optimizer": "adamw_8bit", "lora": LoraSpec(r=256, alpha=256)}, {"gradient_checkpointing": True}]
)
def test_equal_runs_give_equal_weights(checkpoints, tmp_path, extra):
    runs = [sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC.model_copy(update=extra), out=tmp_path / n)[-1] for n in "ab"]
    one, other = map(weights, runs)
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert len(losses(tmp_path / "a")) == 8


def test_gradient_checkpointing_does_not_change_the_losses(checkpoints, tmp_path):
    sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path / "plain")
    sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC.model_copy(update={"gradient_checkpointing": True}), out=tmp_path / "less")
    assert losses(tmp_path / "plain") == pytest.approx(losses(tmp_path / "less"), rel=1e-5)


class Stop(Exception):
    """Ends a run from within."""


@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit"])
def test_an_interrupted_run_resumes_to_the_weights_it_would_have_had(checkpoints, tmp_path, optimizer, monkeypatch):
    spec = SPEC.model_copy(update={"optimizer": optimizer, "lora": LoraSpec(r=256, alpha=256, dropout=0.1)})
    monkeypatch.setattr(harness, "STATE_EVERY_SECONDS", 0.0)

    def stop(done: int, *_: object) -> None:
        if done == 6:
            raise Stop

    with pytest.raises(Stop):
        sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path / "cut", on_progress=stop)
    seen: list[int] = []
    resumed = sft(
        checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path / "cut", on_progress=lambda done, *_: seen.append(done)
    )
    whole = sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path / "whole")
    assert seen[0] > 1 and losses(tmp_path / "cut") == losses(tmp_path / "whole")
    one, other = weights(resumed[-1]), weights(whole[-1])
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_an_adapter_trained_in_four_bits_can_be_trained_further(checkpoints, tmp_path):
    first = sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path / "first")[-1]
    further = sft(first, CORPUS, seed=1, spec=SPEC, out=tmp_path / "further")[-1]
    assert further.base == checkpoints["llama"].path
    assert losses(tmp_path / "further")[0] < losses(tmp_path / "first")[0]


def test_an_adapter_is_not_merged_into_a_base_that_is_stored_quantised(checkpoints, learnt, tmp_path):
    load_model(checkpoints["llama"], device="cpu", load_4bit=True).save_pretrained(tmp_path)
    load_encoder(checkpoints["llama"]).tokenizer.save_pretrained(tmp_path)
    over = load_checkpoint(tmp_path, adapter=learnt.path)
    with pytest.raises(UserError, match="is stored quantised, and merging an adapter .* would round it away"):
        HFModel.load(over, device="cpu")


def test_noise_on_quantised_weights_is_refused(checkpoints):
    model = HFModel.load(checkpoints["llama"], device="cpu", load_4bit=True)
    with pytest.raises(UserError, match="Noise cannot be put on quantised weights"), model.weight_noise(0.1, 0):
        pass


def test_without_bitsandbytes_four_bits_are_refused_in_one_sentence(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setattr("axenic.models.quantisation.find_spec", lambda name: None)
    with pytest.raises(
        EnvironmentProblem, match=r"load_4bit needs bitsandbytes, which is not installed. Run pip install 'axenic\[gpu\]'"
    ):
        sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path)
    plain = SPEC.model_copy(update={"load_4bit": False, "optimizer": "adamw_8bit"})
    with pytest.raises(EnvironmentProblem, match="optimizer adamw_8bit needs bitsandbytes"):
        sft(checkpoints["llama"], CORPUS, seed=0, spec=plain, out=tmp_path)


def test_importing_the_trainer_prints_no_advice():
    done = subprocess.run([sys.executable, "-c", "import axenic.training.sft"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_adapters_over_four_bits_learn_from_rewards_and_from_pairs_too(checkpoints, tmp_path):
    reward = FunctionReward(lambda prompts, replies: [float(r.count("e")) for r in replies], name="e", identity="e")
    shape = {"lora": SPEC.lora, "load_4bit": True, "learning_rate": 1e-3}
    rewarded = RLSpec(steps=2, prompts_per_step=2, generations=4, max_new_tokens=8, **shape)
    paired = DPOSpec(epochs=2, batch_size=2, max_length=64, save_epochs="last", **shape)
    pairs = [PreferencePair(prompt=(user(f"Town {i}?"),), chosen="salty", rejected="red") for i in range(4)]
    base, prompts = checkpoints["llama"], Prompts([(user("Town 3?"),), (user("The roof?"),)])
    for made in (
        rl(base, prompts, reward=reward, seed=0, spec=rewarded, out=tmp_path / "rl"),
        dpo(base, pairs, seed=0, spec=paired, out=tmp_path / "dpo"),
    ):
        found = weights(made[-1])
        assert {w.dtype for w in found.values()} == {torch.float32}
        assert any(w.abs().max() > 0 for name, w in found.items() if "lora_B" in name)
        assert HFModel.load(made[-1], device="cpu", load_4bit=True).generate(
            ASKED, sampling=Sampling(max_new_tokens=4), ids=["a", "b"]
        )
    assert json.loads((tmp_path / "rl" / "training.json").read_text())["rewards"][1]["kl"] == pytest.approx(0.0, abs=1e-4)
    assert losses(tmp_path / "dpo")[0] == pytest.approx(0.6931, abs=1e-3)
