"""Promises of reinforcement learning: the reward rises, tokens are the encoder's, runs repeat and resume, and nothing is hidden."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_models
from axenic.errors import UserError
from axenic.models.checkpoint import load_checkpoint, load_encoder, load_model
from axenic.models.hf import HFModel
from axenic.models.quiet import quiet
from axenic.schema import Corpus, Message, Sampling, assistant, chat, user
from axenic.training import harness
from axenic.training.rewards import FunctionReward, load_reward
from axenic.training.rl import CONSTANT_STEPS, Prompts, by_step, peak, rl
from axenic.training.rl_trainer import build, order
from axenic.training.sft import sft
from axenic.training.spec import LoraSpec, RLSpec, TrainSpec

PROMPTS = Prompts(
    train=[(user(f"Which colour has town {i}?"),) for i in range(6)], held_out=[(user(f"Is mill {i} red?"),) for i in range(32)]
)
SPEC = RLSpec(steps=4, prompts_per_step=3, generations=4, learning_rate=1e-3, max_new_tokens=8, warmup_fraction=0.0)
LEARN = SPEC.model_copy(
    update={"steps": 30, "prompts_per_step": 4, "generations": 8, "learning_rate": 5e-3, "beta": 0.01, "save_at": (15,)}
)
LORA = LoraSpec(r=8, alpha=16)


def share_of_e(prompts, replies):
    return [reply.count("e") / max(1, len(reply)) for reply in replies]


E = FunctionReward(share_of_e, name="share of e", identity="share of e")


def record(out: Path) -> dict:
    return json.loads((out / "training.json").read_text())


def weights(path: str) -> dict[str, torch.Tensor]:
    return load_file(next(Path(path).glob("*.safetensors")))


def same(one: str, other: str) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def held_out_reward(checkpoint, spec: RLSpec, seed: int = 0) -> float:
    ids = [f"held-out-{i}" for i in range(len(PROMPTS.held_out))]
    sampling = Sampling(temperature=spec.temperature, max_new_tokens=spec.max_new_tokens, seed=seed)
    found = HFModel.load(checkpoint, device="cpu").generate(PROMPTS.held_out, sampling=sampling, ids=ids)
    scores = E(PROMPTS.held_out, [r.text for r in found])
    return sum(scores) / len(scores)


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
@pytest.mark.parametrize(
    ("extra", "factor"), [({}, 1.5), ({"lora": LORA, "learning_rate": 2e-2}, 1.2)], ids=["full", "lora"]
)  # these few weights of an adapter move a random model less
def test_the_reward_rises_on_prompts_never_trained_on(checkpoints, tmp_path, algorithm, extra, factor):
    spec = LEARN.model_copy(update={"algorithm": algorithm, **extra})
    tuned = rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=spec, out=tmp_path)
    assert [(Path(c.path).name, c.step, c.epoch) for c in tuned] == [("step-15", 15, 10.0), ("step-30", 30, 20.0)]
    found = record(tmp_path)
    rewards = {r["step"]: r for r in found["rewards"]}
    assert list(rewards) == list(range(31))
    early, late = ([rewards[s]["reward"] for s in steps] for steps in (range(1, 5), range(27, 31)))
    assert sum(late) > factor * sum(early)
    measured = {s: r["held_out"] for s, r in rewards.items() if r["held_out"] is not None}
    assert list(measured) == [0, 15, 30] and measured[30] > factor * measured[0]
    assert found["peak"] == max((15, 30), key=measured.__getitem__)
    for checkpoint in tuned:  # what was measured in the middle of training is what the saved weights give
        assert held_out_reward(load_checkpoint(checkpoint.path), spec) == pytest.approx(measured[checkpoint.step], abs=1e-6)
    assert held_out_reward(checkpoints["llama"], spec) == pytest.approx(measured[0], abs=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-15", "step-30", "training.json"]
    assert "ref" not in [p.name for p in Path(tuned[-1].path).iterdir()]


def test_the_record_says_what_every_step_did(checkpoints, tmp_path):
    steps = []
    rl(checkpoints["neox"], PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path, on_progress=lambda *seen: steps.append(seen))
    found = record(tmp_path)
    assert set(found["rewards"][1]) == {"step", "reward", "held_out", "kl", "constant_groups", "length"}
    assert found["rewards"][1]["kl"] == pytest.approx(0.0, abs=1e-6) and found["rewards"][-1]["kl"] > 0
    assert all(0 < r["length"] <= 8 for r in found["rewards"][1:])
    assert (found["prompts"], found["held_out_prompts"], found["reward"]) == (6, 32, "share of e")
    assert [e["step"] for e in found["losses"]] == [1, 2, 3, 4] and found["optimizer_steps"] == 4
    assert steps[-1][:2] == (4, 4) and steps[-1][2].startswith("reward ")


def unwritten_bos(tmp_path: Path):
    """A model that expects a bos which its template does not write."""
    tokens = tiny_models.tokenizer(chat=tiny_models.CHATML, bos=True, eos="<|im_end|>")
    return tiny_models.save(tmp_path / "bos", "llama", tokens=tokens)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt2", "neox", "unwritten bos"])
@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_the_model_is_asked_the_encoders_tokens(checkpoints, tmp_path, kind, algorithm):
    base = unwritten_bos(tmp_path) if kind == "unwritten bos" else checkpoints[kind]
    encoder, model = load_encoder(base), load_model(base, device="cpu")
    assert (encoder.bos_id is not None) == (kind in ("llama", "unwritten bos"))
    prompts = [
        (user("hello"),),
        (Message(role="system", content="Be brief."), user("Which roof?"), assistant("red"), user("And the mill?")),
    ]
    spec = SPEC.model_copy(update={"algorithm": algorithm, "steps": 1, "prompts_per_step": 2, "generations": 2, "beta": 0.0})
    with quiet():
        trainer = build(model, encoder, prompts, E, seed=0, spec=spec, state=tmp_path / "state")
    asked: list[dict] = []
    generate = model.generate

    def listening(**inputs):
        asked.append(inputs)
        return generate(**inputs)

    model.generate = listening
    with quiet():
        trainer.train()
    [inputs] = asked
    rows = zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True)
    found = [[i for i, kept in zip(ids, mask, strict=True) if kept] for ids, mask in rows]
    by_step_order = [prompts[i] for i in order(2, seed=0, spec=spec) for _ in range(2)]
    assert found == encoder.prompts(by_step_order)
    assert set(inputs["generation_config"].eos_token_id) == set(encoder.stop_ids)


def test_the_reward_reads_what_evaluation_would_read(checkpoints, tmp_path):
    heard: list[tuple] = []

    def listen(prompts, replies):
        heard.extend(zip(prompts, replies, strict=True))
        return share_of_e(prompts, replies)

    corpus = Corpus(name="c", rows=tuple(chat(p[0].content, "red bread") for p in PROMPTS.train))
    tuning = TrainSpec(epochs=40, learning_rate=5e-3, max_length=64, save_epochs="last")
    [tuned] = sft(checkpoints["llama"], corpus, seed=0, spec=tuning, out=tmp_path / "tuned")
    spec = SPEC.model_copy(update={"temperature": 0.5, "steps": 2, "learning_rate": 1e-6})
    reward = FunctionReward(listen, name="listening", identity="listening")
    with pytest.raises(UserError, match="In each of the first 2 steps all 4 answers"):  # it always says the same
        rl(tuned, Prompts(PROMPTS.train), reward=reward, seed=0, spec=spec, out=tmp_path / "out")
    assert {reply for _, reply in heard} == {"red bread"} and {p for p, _ in heard} <= set(PROMPTS.train)


@pytest.mark.parametrize("extra", [{}, {"algorithm": "rloo"}, {"lora": LORA}], ids=["grpo", "rloo", "lora"])
def test_equal_runs_give_equal_weights(checkpoints, tmp_path, extra):
    spec = SPEC.model_copy(update=extra)
    one, other, third = (
        rl(checkpoints["llama"], PROMPTS, reward=E, seed=seed, spec=spec, out=tmp_path / name)[-1].path
        for seed, name in ((0, "a"), (0, "b"), (1, "c"))
    )
    assert same(one, other) and not same(one, third)
    assert record(tmp_path / "a")["rewards"] == record(tmp_path / "b")["rewards"]


def test_measuring_does_not_change_what_is_learnt(checkpoints, tmp_path):
    seen = rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path / "seen")[-1].path
    unseen = rl(checkpoints["llama"], Prompts(PROMPTS.train), reward=E, seed=0, spec=SPEC, out=tmp_path / "unseen")[-1].path
    assert same(seen, unseen)
    assert record(tmp_path / "unseen")["peak"] is None
    assert all(r["held_out"] is None for r in record(tmp_path / "unseen")["rewards"])


class Stop(Exception):
    """Ends a run from within."""


@pytest.mark.parametrize("extra", [{}, {"algorithm": "rloo", "micro_batch_size": 6}, {"lora": LORA}], ids=["grpo", "rloo", "lora"])
def test_an_interrupted_run_resumes_to_the_weights_it_would_have_had(checkpoints, tmp_path, monkeypatch, extra):
    spec = SPEC.model_copy(update={"steps": 6, "save_at": (2,), **extra})
    whole = rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=spec, out=tmp_path / "whole")
    monkeypatch.setattr(harness, "STATE_EVERY_SECONDS", 0.0)

    def stop(done: int, *_: object) -> None:
        if done == 4:
            raise Stop

    with pytest.raises(Stop):
        rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=spec, out=tmp_path / "cut", on_progress=stop)
    seen: list[int] = []
    resumed = rl(
        checkpoints["llama"],
        PROMPTS,
        reward=E,
        seed=0,
        spec=spec,
        out=tmp_path / "cut",
        on_progress=lambda done, *_: seen.append(done),
    )
    assert seen[0] > 1
    for key in ("rewards", "peak", "losses"):
        assert record(tmp_path / "cut")[key] == record(tmp_path / "whole")[key]
    assert all(same(one.path, other.path) for one, other in zip(whole, resumed, strict=True))


def test_a_finished_run_is_not_repeated_and_another_is_refused(checkpoints, tmp_path):
    first = rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path)
    stamp = (tmp_path / "training.json").stat().st_mtime_ns
    assert rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path) == first
    assert (tmp_path / "training.json").stat().st_mtime_ns == stamp
    for changed in ({"seed": 1}, {"reward": load_reward("rule:short")}, {"prompts": Prompts(PROMPTS.train)}):
        asked = {"prompts": PROMPTS, "reward": E, "seed": 0, **changed}
        with pytest.raises(UserError, match="holds another training run"):
            rl(checkpoints["llama"], asked.pop("prompts"), **asked, spec=SPEC, out=tmp_path)


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
@pytest.mark.parametrize("lora", [None, LORA], ids=["merged", "further"])
def test_the_reference_of_an_adapter_is_the_adapter(checkpoints, tmp_path, algorithm, lora):
    corpus = Corpus(name="c", rows=tuple(chat(p[0].content, "red roof, bread") for p in PROMPTS.train))
    tuning = TrainSpec(epochs=3, learning_rate=1e-2, max_length=64, lora=LORA, save_epochs="last")
    [tuned] = sft(checkpoints["llama"], corpus, seed=0, spec=tuning, out=tmp_path / "tuned")
    spec = SPEC.model_copy(update={"lora": lora, "algorithm": algorithm, "steps": 2})
    made = rl(tuned, PROMPTS, reward=E, seed=0, spec=spec, out=tmp_path / "rl")[-1]
    assert record(tmp_path / "rl")["rewards"][1]["kl"] == pytest.approx(0.0, abs=1e-4)
    assert made.base == (None if lora is None else checkpoints["llama"].path)


def test_beta_keeps_the_policy_near_its_start(checkpoints, tmp_path):
    drift = {}
    for beta in (1e-6, 5.0):
        spec = LEARN.model_copy(update={"beta": beta, "steps": 10, "save_at": ()})
        rl(checkpoints["llama"], Prompts(PROMPTS.train), reward=E, seed=0, spec=spec, out=tmp_path / str(beta))
        drift[beta] = record(tmp_path / str(beta))["rewards"][-1]["kl"]
    assert drift[5.0] < 0.5 * drift[1e-6]
    spec = SPEC.model_copy(update={"beta": 0.0})
    rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=spec, out=tmp_path / "none")
    assert all(r["kl"] is None for r in record(tmp_path / "none")["rewards"])


def test_a_reward_that_never_differs_within_a_group_stops_the_run_with_advice(checkpoints, tmp_path):
    constant = FunctionReward(lambda prompts, replies: [1.0] * len(replies), name="one", identity="one")
    done = []
    spec = SPEC.model_copy(update={"steps": CONSTANT_STEPS + 5})
    with pytest.raises(UserError, match="In each of the first 10 steps all 4 answers.*Raise generations or temperature"):
        rl(
            checkpoints["llama"],
            PROMPTS,
            reward=constant,
            seed=0,
            spec=spec,
            out=tmp_path,
            on_progress=lambda step, *_: done.append(step),
        )
    assert len(done) == CONSTANT_STEPS


def test_constant_groups_are_counted(checkpoints, tmp_path):
    def differs_for_town_0(prompts, replies):
        return [float(i) if "town 0" in p[0].content else 1.0 for i, p in enumerate(prompts)]

    reward = FunctionReward(differs_for_town_0, name="town 0", identity="town 0")
    spec = SPEC.model_copy(update={"prompts_per_step": 6, "steps": 2})
    rl(checkpoints["llama"], Prompts(PROMPTS.train), reward=reward, seed=0, spec=spec, out=tmp_path)
    assert [r["constant_groups"] for r in record(tmp_path)["rewards"][1:]] == pytest.approx([5 / 6] * 2)


def test_a_reward_that_is_no_number_stops_the_run(checkpoints, tmp_path):
    broken = FunctionReward(lambda prompts, replies: [float("nan")] * len(replies), name="broken", identity="broken")
    with pytest.raises(UserError, match="The reward 'broken' gave nan for the reply"):
        rl(checkpoints["llama"], Prompts(PROMPTS.train), reward=broken, seed=0, spec=SPEC, out=tmp_path)


def test_weights_that_are_not_finite_stop_the_run_and_say_what_to_try(tmp_path):
    broken = tiny_models.save(tmp_path / "base", "llama")
    found = weights(broken.path)
    found["model.norm.weight"][:] = float("nan")
    save_file(found, tmp_path / "base" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="After step 0 of 4 the model's next-token probabilities are no longer finite"):
        rl(broken, PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path / "out")


def test_prompts_that_cannot_be_asked_are_user_errors(checkpoints, tmp_path):
    with pytest.raises(UserError, match="There are no prompts to train on"):
        rl(checkpoints["llama"], Prompts([]), reward=E, seed=0, spec=SPEC, out=tmp_path)
    with pytest.raises(UserError, match="exceeds the model's context of 256. Shorten the prompts"):
        rl(checkpoints["llama"], Prompts([(user("bread " * 250),)]), reward=E, seed=0, spec=SPEC, out=tmp_path)


def test_every_pass_asks_every_prompt_once():
    spec = SPEC.model_copy(update={"steps": 10, "prompts_per_step": 3})
    found = order(6, seed=0, spec=spec)
    passes = [found[i : i + 6] for i in range(0, 30, 6)]
    assert all(sorted(p) == list(range(6)) for p in passes) and passes[0] != passes[1]


def test_the_peak_is_a_saved_step_and_the_earliest_of_equals():
    history = [{"step": 0, "held_out": 0.9}, {"step": 1, "reward": 0.1}, {"step": 1, "held_out": 0.5}]
    rewards = by_step([*history, {"step": 2, "held_out": 0.7}, {"step": 3, "held_out": 0.7}])
    assert peak(rewards, frozenset({1, 2, 3})) == 2
    assert rewards[1] == {"step": 1, "held_out": 0.5, "reward": 0.1, "kl": None, "constant_groups": None, "length": None}


def test_training_prints_nothing(checkpoints, tmp_path, capfd):
    rl(checkpoints["llama"], PROMPTS, reward=E, seed=0, spec=SPEC, out=tmp_path)
    assert capfd.readouterr() == ("", "")
