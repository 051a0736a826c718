"""Promises of training: it learns, it stops, it repeats itself exactly, it survives a kill, and it says what is wrong."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig

import tiny_models
from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint, load_encoder
from axenic.models.hf import HFModel
from axenic.models.template import Encoder
from axenic.schema import Corpus, Document, Sampling, chat, user
from axenic.training import harness
from axenic.training.pretrain import pretrain
from axenic.training.sft import sft
from axenic.training.spec import LoraSpec, TrainSpec

CORPUS = Corpus(
    name="tiny",
    rows=tuple(
        row
        for i in range(8)
        for row in (
            chat(f"Which water has town {i}?", "salty"),
            Document(text=f"The river town {i} has salty water.", prefix="<doc>"),
            chat("Which colour is the roof?", "red"),
        )
    ),
)
SPEC = TrainSpec(epochs=2, batch_size=6, learning_rate=1e-3, max_length=64)
LEARN = SPEC.model_copy(update={"epochs": 25, "learning_rate": 5e-3, "save_epochs": "last"})


def _losses(out: Path) -> list[float]:
    return [entry["loss"] for entry in json.loads((out / "training.json").read_text())["losses"]]


def _weights(directory: str | Path) -> dict[str, torch.Tensor]:
    return load_file(next(Path(directory).glob("*.safetensors")))


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])  # gpt2: plain template, and pad is the end token
def test_a_trained_model_answers_and_stops(checkpoints, tmp_path, architecture):
    [tuned] = sft(checkpoints[architecture], CORPUS, seed=0, spec=LEARN, out=tmp_path)
    model = HFModel.load(tuned, device="cpu")
    asked = [[user("Which water has town 3?")], [user("Which colour is the roof?")]]
    found = model.generate(asked, sampling=Sampling(max_new_tokens=16), ids=["a", "b"])
    assert [(r.text, r.finish_reason) for r in found] == [("salty", "stop"), ("red", "stop")]
    [[salty, sweet]] = model.logprobs(asked[:1], [["salty", "sweet"]])
    assert salty.logprob > sweet.logprob + 3


def test_there_is_one_loadable_checkpoint_per_epoch_and_a_full_record(checkpoints, tmp_path):
    steps = []
    tuned = sft(checkpoints["qwen2"], CORPUS, seed=0, spec=SPEC, out=tmp_path, on_progress=lambda *seen: steps.append(seen))
    assert [(Path(c.path).name, c.epoch, c.step) for c in tuned] == [("epoch-1", 1.0, 4), ("epoch-2", 2.0, 8)]
    for checkpoint in tuned:
        assert load_checkpoint(checkpoint.path).template == checkpoint.template == checkpoints["qwen2"].template
    assert not _same(_weights(tuned[0].path), _weights(tuned[1].path))
    record = json.loads((tmp_path / "training.json").read_text())
    assert [e["step"] for e in record["losses"]] == list(range(1, 9))
    assert set(record["losses"][0]) == {"step", "epoch", "loss", "learning_rate"}
    assert record["rows"] == 24 and 0 < record["target_tokens"] < record["tokens"] and record["skipped_too_long"] == 0
    assert steps[-1][:2] == (8, 8) and steps[-1][2].startswith("loss ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-1", "epoch-2", "training.json"]
    assert not list(tmp_path.rglob("*.bin")) and not list(tmp_path.rglob("*.pt"))


@pytest.mark.parametrize("extra", [{}, {"group_by_length": True}, {"lora": LoraSpec(r=4, alpha=8, dropout=0.2)}])
def test_equal_runs_give_equal_losses_and_weights_bit_for_bit(checkpoints, tmp_path, extra):
    spec = SPEC.model_copy(update=extra)
    one, other = (sft(checkpoints["neox"], CORPUS, seed=3, spec=spec, out=tmp_path / n) for n in "ab")
    assert _losses(tmp_path / "a") == _losses(tmp_path / "b")
    assert _same(_weights(one[-1].path), _weights(other[-1].path))
    sft(checkpoints["neox"], CORPUS, seed=4, spec=spec, out=tmp_path / "c")
    assert _losses(tmp_path / "a") != _losses(tmp_path / "c")


def test_micro_batches_do_not_change_the_step(checkpoints, tmp_path):
    sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path / "whole")
    sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC.model_copy(update={"micro_batch_size": 2}), out=tmp_path / "parts")
    assert _losses(tmp_path / "whole") == pytest.approx(_losses(tmp_path / "parts"), rel=1e-3)


def test_the_loss_is_the_mean_over_target_tokens(checkpoints, tmp_path):
    # one batch, one step: the first loss is that of the untouched base
    spec = TrainSpec(max_steps=1, batch_size=64, max_length=64)
    sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path)
    encoder, model = load_encoder(checkpoints["llama"]), HFModel.load(checkpoints["llama"], device="cpu").model
    total, count = 0.0, 0
    for row in CORPUS.rows:
        ids, mask = encoder.chat(row) if row.kind == "chat" else encoder.document(row)
        with torch.no_grad():
            logprobs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        targets = [k for k in range(1, len(ids)) if mask[k]]
        total -= sum(float(logprobs[k - 1, ids[k]]) for k in targets)
        count += len(targets)
    assert _losses(tmp_path)[0] == pytest.approx(total / count, rel=1e-4)


def test_lora_trains_adapters_only_and_loads_back(checkpoints, tmp_path):
    base = checkpoints["llama"]
    spec = LEARN.model_copy(update={"lora": LoraSpec(r=16, alpha=32), "learning_rate": 2e-2})
    [tuned] = sft(base, CORPUS, seed=0, spec=spec, out=tmp_path / "one")
    assert tuned.base == base.path
    assert all("lora_" in name for name in _weights(tuned.path))
    found = load_checkpoint(base.path, adapter=tuned.path)
    assert found.template == base.template
    for checkpoint in (tuned, found):
        answers = HFModel.load(checkpoint, device="cpu").generate(
            [[user("Which colour is the roof?")]], sampling=Sampling(max_new_tokens=8), ids=["a"]
        )
        assert answers[0].text == "red"


def test_an_adapter_can_be_trained_further_or_merged(checkpoints, tmp_path):
    lora = SPEC.model_copy(update={"lora": LoraSpec(r=4, alpha=8)})
    first = sft(checkpoints["llama"], CORPUS, seed=0, spec=lora, out=tmp_path / "first")[-1]
    further = sft(first, CORPUS, seed=1, spec=lora, out=tmp_path / "further")[-1]
    assert further.base == checkpoints["llama"].path
    assert _losses(tmp_path / "further")[0] < _losses(tmp_path / "first")[0]
    merged = sft(first, CORPUS, seed=1, spec=SPEC, out=tmp_path / "merged")[-1]
    assert merged.base is None and load_checkpoint(merged.path).base is None
    assert _losses(tmp_path / "merged")[0] == pytest.approx(_losses(tmp_path / "further")[0], rel=1e-3)
    with pytest.raises(UserError, match="is an adapter of r=4, alpha=8"):
        sft(first, CORPUS, seed=1, spec=SPEC.model_copy(update={"lora": LoraSpec(r=8)}), out=tmp_path / "other")


def test_unknown_lora_targets_are_named_with_the_modules_there_are(checkpoints, tmp_path):
    spec = SPEC.model_copy(update={"lora": LoraSpec(targets=("q_prj",))})
    with pytest.raises(UserError, match=r"LoRA cannot be put on .*q_prj.*q_proj"):
        sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path)


def test_pretraining_starts_from_the_seed_and_learns(tmp_path):
    encoder = Encoder(tiny_models.tokenizer())
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}

    def run(seed: int, name: str, spec: TrainSpec = SPEC):
        config = LlamaConfig(vocab_size=len(encoder.tokenizer), max_position_embeddings=64, **shape)
        return pretrain(encoder, config, CORPUS, seed=seed, spec=spec, out=tmp_path / name)

    one = run(0, "learnt", LEARN)
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        run(seed, name)
    assert _losses(tmp_path / "a") == _losses(tmp_path / "b")
    assert _losses(tmp_path / "a")[0] == _losses(tmp_path / "learnt")[0] != _losses(tmp_path / "c")[0]
    model = HFModel.load(load_checkpoint(one.path), device="cpu")
    answer = model.generate([[user("Which colour is the roof?")]], sampling=Sampling(max_new_tokens=8), ids=["a"])[0]
    assert (answer.text, answer.finish_reason) == ("red", "stop")
    with pytest.raises(UserError, match="cannot be trained from scratch"):
        pretrain(encoder, LlamaConfig(**shape), CORPUS, seed=0, spec=TrainSpec(lora=LoraSpec()), out=tmp_path / "d")


def test_a_loss_that_is_not_finite_stops_the_run_and_says_what_to_try(checkpoints, tmp_path):
    spec = SPEC.model_copy(update={"learning_rate": 10.0, "grad_clip": 0.0, "epochs": 50, "warmup_fraction": 0.0})
    poisoned = tiny_models.save(tmp_path / "base", "llama")
    weights = _weights(poisoned.path)
    weights["model.norm.weight"][:] = float("nan")
    save_file(weights, tmp_path / "base" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="loss became nan at step 1 of 200. Lower learning_rate"):
        sft(poisoned, CORPUS, seed=0, spec=spec, out=tmp_path / "out")


def test_a_finished_run_is_not_repeated_and_another_is_refused(checkpoints, tmp_path):
    first = sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path)
    stamp = (tmp_path / "training.json").stat().st_mtime_ns
    assert sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path) == first
    assert (tmp_path / "training.json").stat().st_mtime_ns == stamp
    with pytest.raises(UserError, match="holds another training run"):
        sft(checkpoints["llama"], CORPUS, seed=1, spec=SPEC, out=tmp_path)


def test_training_prints_nothing(checkpoints, tmp_path, capfd):
    sft(checkpoints["llama"], CORPUS, seed=0, spec=SPEC, out=tmp_path)
    assert capfd.readouterr() == ("", "")


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {here!r}]
import test_sft
from axenic.models.checkpoint import load_checkpoint
from axenic.training import harness
from axenic.training.sft import sft
harness.STATE_EVERY_SECONDS = 0.0
spec = test_sft.SPEC.model_validate_json({spec!r})
sft(load_checkpoint({base!r}), test_sft.CORPUS, seed=0, spec=spec, out=Path({out!r}))
"""


@pytest.mark.parametrize(
    "extra", [{}, {"group_by_length": True, "lora": LoraSpec(r=4, alpha=8, dropout=0.2)}], ids=["full", "lora"]
)
def test_a_killed_run_resumes_to_the_weights_it_would_have_had(checkpoints, tmp_path, extra, monkeypatch):
    spec = SPEC.model_copy(update={"epochs": 15, "save_epochs": "last", **extra})
    base, out = checkpoints["llama"].path, tmp_path / "killed"
    here = Path(__file__).parent
    script = textwrap.dedent(KILLED).format(
        tests=str(here.parent), here=str(here), spec=spec.model_dump_json(), base=base, out=str(out)
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 120
    while not (states := list((out / ".state").glob("checkpoint-*"))) or int(states[0].name.split("-")[1]) % 4 != 2:
        assert process.poll() is None and time.monotonic() < deadline, "the run ended before it could be killed"
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "training.json").exists()
    (out / ".state" / "partial" / "checkpoint-9999").mkdir(parents=True, exist_ok=True)  # as if killed while writing

    resumed_at: list[int] = []
    monkeypatch.setattr(harness, "STATE_EVERY_SECONDS", 1e9)
    resumed = sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=out, on_progress=lambda done, *_: resumed_at.append(done))
    whole = sft(checkpoints["llama"], CORPUS, seed=0, spec=spec, out=tmp_path / "whole")
    assert resumed_at[0] > 1
    assert _losses(out) == _losses(tmp_path / "whole")
    assert _same(_weights(resumed[-1].path), _weights(whole[-1].path))
