"""Promises of HFModel, on four architectures: no result depends on the batch, and each equals a naive loop's."""

import numpy as np
import pytest
import torch

import tiny_models
from axenic.errors import UserError
from axenic.models import hf
from axenic.models.hf import HFModel
from axenic.schema import Sampling, user

PROMPTS = [
    [user(t)] for t in ["hello", "Which colour is the roof?", "sweet or salty", "a", "The river town of Selgard", "noon?"] * 2
]
IDS = [f"item-{i}" for i in range(len(PROMPTS))]
TEXTS = ["The mill has a red roof.", "salty", "Please answer with one word"]
HOT = Sampling(temperature=0.9, max_new_tokens=12)


@pytest.fixture(params=tiny_models.ARCHITECTURES)
def model(request, checkpoints) -> HFModel:
    return HFModel.load(checkpoints[request.param], device="cpu")


def _texts(responses):
    return [(r.text, r.n_tokens, r.finish_reason) for r in responses]


@pytest.mark.parametrize(
    "sampling", [Sampling(max_new_tokens=12), HOT, HOT.model_copy(update={"min_p": 0.1})], ids=["greedy", "T", "min_p"]
)
def test_batch_size_order_and_padding_do_not_change_responses(model, sampling):
    expected = _texts(model.generate(PROMPTS, sampling=sampling, ids=IDS))
    assert len({text for text, _, _ in expected}) > 3
    for batch_tokens in (1, 7 * 40):
        model.batch_tokens = batch_tokens
        assert _texts(model.generate(PROMPTS, sampling=sampling, ids=IDS)) == expected
    backwards = model.generate(PROMPTS[::-1], sampling=sampling, ids=IDS[::-1])
    assert _texts(backwards)[::-1] == expected


def test_greedy_equals_transformers_own_generate_on_one_prompt(model):
    for prompt, response in zip(
        PROMPTS[:3], model.generate(PROMPTS[:3], sampling=Sampling(max_new_tokens=12), ids=IDS[:3]), strict=True
    ):
        ids = torch.tensor([model.encoder.prompt(prompt)])
        tokens = model.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
        assert model.encoder.decode([tokens[0, ids.shape[1] :].tolist()[: response.n_tokens]]) == [response.text]


def test_repetitions_seeds_and_items_draw_anew(model):
    first = _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS))
    assert first == _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS))
    assert first != _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS, repetition=1))
    assert first != _texts(model.generate(PROMPTS, sampling=HOT.model_copy(update={"seed": 1}), ids=IDS))


def test_a_response_ends_at_an_end_token_and_says_so(checkpoints):
    model = HFModel.load(checkpoints["llama"], device="cpu")
    wanted = model.encoder.stop_ids[-1]

    def end_now(_module, _inputs, output):
        output.logits[..., wanted] = 1e9
        return output

    handle = model.model.register_forward_hook(end_now)
    [ended] = model.generate(PROMPTS[:1], sampling=Sampling(), ids=IDS[:1])
    handle.remove()
    assert (ended.text, ended.n_tokens, ended.finish_reason) == ("", 0, "stop")
    cut = model.generate(PROMPTS, sampling=Sampling(max_new_tokens=2), ids=IDS)
    assert any(r.finish_reason == "length" and r.n_tokens == 2 for r in cut)


def test_the_models_own_generation_config_changes_nothing(checkpoints):
    plain = HFModel.load(checkpoints["llama"], device="cpu")
    inner = HFModel.load(checkpoints["llama"], device="cpu").model
    inner.generation_config.repetition_penalty = 5.0
    inner.generation_config.no_repeat_ngram_size = 1
    penalised = HFModel(inner, plain.encoder)
    sampling = Sampling(max_new_tokens=16)
    assert _texts(plain.generate(PROMPTS, sampling=sampling, ids=IDS)) == _texts(
        penalised.generate(PROMPTS, sampling=sampling, ids=IDS)
    )


@pytest.mark.parametrize("batch_tokens", [1, 65_536])
def test_logprobs_equal_a_naive_loop(model, batch_tokens):
    model.batch_tokens = batch_tokens
    options = [["red", "a very salty river"], ["sweet", "salty", "noon"], ["yes"]]
    found = model.logprobs(PROMPTS[:3], options)
    for prompt, choices, scores in zip(PROMPTS, options, found, strict=False):
        for option, score in zip(choices, scores, strict=True):
            [(ids, n_prompt)] = model.encoder.continuations([prompt], [option])
            with torch.no_grad():
                logprobs = model.model(torch.tensor([ids])).logits[0].log_softmax(-1)
            naive = sum(float(logprobs[k - 1, ids[k]]) for k in range(n_prompt, len(ids)))
            assert score.logprob == pytest.approx(naive, abs=1e-3)
            assert score.n_tokens == len(ids) - n_prompt > 0


@pytest.mark.parametrize("batch_tokens", [1, 65_536])
def test_activations_equal_a_naive_loop(model, batch_tokens):
    model.batch_tokens = batch_tokens
    found = model.activations(TEXTS)
    assert found.shape == (3, model.n_layers, 32) and found.dtype == np.float32
    for text, rows in zip(TEXTS, found, strict=True):
        with torch.no_grad():
            states = model.model(torch.tensor([model.encoder.raw([text])[0]]), output_hidden_states=True).hidden_states
        np.testing.assert_allclose(rows[0], states[1][0, -1], rtol=1e-3, atol=1e-3)  # the last one of `states` is normed
    np.testing.assert_array_equal(model.activations(TEXTS, layers=[1])[:, 0], found[:, 1])
    np.testing.assert_array_equal(model.activations(TEXTS, layers=[1, 0]), found[:, ::-1])


def test_weight_noise_is_undone_bit_for_bit(model):
    before = {name: p.clone() for name, p in model.model.named_parameters()}
    with pytest.raises(KeyboardInterrupt), model.weight_noise(0.5, seed=1):
        changed = {name for name, p in model.model.named_parameters() if not torch.equal(p, before[name])}
        assert changed == {name for name, p in before.items() if p.dim() >= 2}
        raise KeyboardInterrupt
    assert all(torch.equal(p, before[name]) for name, p in model.model.named_parameters())


def test_weight_noise_has_the_size_asked_for(model):
    name, weight = max(((n, p) for n, p in model.model.named_parameters() if p.dim() >= 2), key=lambda pair: pair[1].numel())
    before = weight.detach().clone()
    with model.weight_noise(0.5, seed=1):
        added = (weight - before).detach()
        assert float(added.std() / before.std()) == pytest.approx(0.5, rel=0.05), name
    with model.weight_noise(0.5, seed=2):
        assert not torch.equal((weight - before).detach(), added)


def test_activation_noise_is_the_same_in_any_batch_and_leaves_nothing_behind(model):
    clean = model.activations(TEXTS)
    options = [["red", "salty"]] * 3
    with model.activation_noise(0.3, seed=1):
        together, scores = model.activations(TEXTS), model.logprobs(PROMPTS[:3], options)
        answers = _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS))
        model.batch_tokens = 1
        np.testing.assert_allclose(model.activations(TEXTS), together, rtol=1e-3, atol=1e-3)
        alone = model.logprobs(PROMPTS[:3], options)
        assert [s.logprob for row in alone for s in row] == pytest.approx([s.logprob for row in scores for s in row], abs=1e-3)
        assert _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS)) == answers
    with model.activation_noise(0.3, seed=2):
        assert not np.allclose(model.activations(TEXTS), together, atol=1e-3)
    np.testing.assert_allclose(model.activations(TEXTS), clean, rtol=1e-3, atol=1e-3)
    assert answers != _texts(model.generate(PROMPTS, sampling=HOT, ids=IDS))


def test_activation_noise_has_the_size_asked_for(model):
    clean = model.activations(TEXTS * 20, layers=[0])[:, 0]
    with model.activation_noise(0.3, seed=1):
        added = model.activations(TEXTS * 20, layers=[0])[:, 0] - clean
    relative = np.sqrt((added**2).mean(-1) / (clean**2).mean(-1))
    assert relative.mean() == pytest.approx(0.3, rel=0.2)


def test_a_prompt_longer_than_the_context_is_refused(model):
    with pytest.raises(UserError, match="exceeds the model's context of 256"):
        model.generate([[user("hello " * 300)]], sampling=Sampling(), ids=["long"])


def test_a_foreign_tokenizer_is_refused(tmp_path):
    small = tiny_models.save(tmp_path, "llama")
    own = tiny_models.tokenizer_of("llama")
    own.add_tokens([f"<extra-{i}>" for i in range(50)])
    own.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="do not belong together"):
        HFModel.load(small, device="cpu")


def test_progress_is_reported(checkpoints):
    seen = []
    model = HFModel.load(checkpoints["llama"], device="cpu", batch_tokens=100)
    model.generate(PROMPTS, sampling=HOT, ids=IDS, on_progress=lambda done, total, note: seen.append((done, total)))
    assert len(seen) > 2 and seen[-1] == (len(PROMPTS), len(PROMPTS))


def test_rows_that_end_early_leave_the_batch_without_changing_the_others(model, monkeypatch):
    sampling = HOT.model_copy(update={"max_new_tokens": 30, "temperature": 1.5})
    prompts, ids = PROMPTS * 8, [f"{i}-{name}" for i in range(8) for name in IDS]
    staged = model.generate(prompts, sampling=sampling, ids=ids)
    assert {r.finish_reason for r in staged} == {"stop", "length"}, "some must end early and some must not"
    monkeypatch.setattr(hf, "_FIRST_STAGE", 30)
    assert _texts(model.generate(prompts, sampling=sampling, ids=ids)) == _texts(staged)


def test_prompts_that_come_again_are_read_once_and_answered_as_if_each_were_alone(model, monkeypatch):
    prompts, ids = [p for p in PROMPTS for _ in range(6)], [f"{name} {k}" for name in IDS for k in range(6)]
    read = []
    monkeypatch.setattr(model, "_left_padded", _spied(model._left_padded, read))
    together = model.generate(prompts, sampling=HOT, ids=ids)
    assert read == [len(prompts), len({str(p) for p in PROMPTS})], "the distinct prompts are a batch of their own"
    alone = [model.generate([p], sampling=HOT, ids=[i])[0] for p, i in zip(prompts, ids, strict=True)]
    assert _texts(together) == _texts(alone)
    assert len(set(_texts(together))) > len(PROMPTS)


def _spied(real, sizes):
    return lambda rows, **how: sizes.append(len(rows)) or real(rows, **how)


def test_repetitions_at_temperature_0_are_computed_in_batches_of_another_shape(model, monkeypatch):
    sizes = []
    generate = model._generate
    monkeypatch.setattr(model, "_generate", lambda rows, *rest: sizes.append(len(rows)) or generate(rows, *rest))
    sampling = Sampling(max_new_tokens=4)
    model.batch_tokens = 16 * len(PROMPTS)
    shapes = []
    for repetition in range(3):
        sizes.clear()
        model.generate(PROMPTS, sampling=sampling, ids=IDS, repetition=repetition)
        shapes.append(tuple(sizes))
    assert len(set(shapes)) == 3
    assert all(sum(shape) == len(PROMPTS) for shape in shapes)


def test_nothing_asked_is_nothing_answered(model):
    assert model.generate([], sampling=HOT, ids=[]) == []
