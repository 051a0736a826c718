"""Promises of the sampler: it draws from the softmax, it is paired, and it depends on its key alone."""

import numpy as np
import pytest
import torch
from scipy import stats

from axenic.models.sampling import GumbelMax, combine, keep_mask, mix, row_key, uniform
from axenic.schema import Sampling

LOGITS = torch.tensor([2.0, 1.0, 0.5, 0.0, -0.5, -1.0, -3.0])


def _draws(logits: torch.Tensor, sampling: Sampling, n: int, *, position: int = 0, item: str = "q") -> np.ndarray:
    keys = [row_key(sampling.seed, f"{item}{i}", 0) for i in range(n)]
    draw = GumbelMax(keys, prompt_width=3, sampling=sampling)
    return draw(torch.zeros(n, 3 + position, dtype=torch.long), logits.expand(n, -1)).argmax(-1).numpy()


def test_the_hash_is_splitmix64():
    # first outputs of the reference generator started at 0 and at 1234567
    state = torch.tensor([0x9E3779B97F4A7C15 - 2**64, 1234567 + 0x9E3779B97F4A7C15 - 2**64])
    assert [int(x) % 2**64 for x in mix(state)] == [0xE220A8397B1DCDAF, 6457827717110365317]


def test_uniforms_are_uniform_and_never_0_or_1():
    drawn = uniform(combine(torch.arange(50_000), 7))
    assert stats.kstest(drawn.numpy(), "uniform").pvalue > 1e-3
    extremes = uniform(torch.tensor([0, -1]))
    assert 0 < extremes[0] < extremes[1] < 1


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("position", [0, 5])
def test_draws_follow_the_softmax(temperature, position):
    n = 20_000
    drawn = _draws(LOGITS, Sampling(temperature=temperature), n, position=position)
    expected = (LOGITS / temperature).softmax(-1).double().numpy()
    assert stats.chisquare(np.bincount(drawn, minlength=7), n * expected / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("limits", [{"min_p": 0.2}, {"top_p": 0.8}, {"min_p": 0.1, "top_p": 0.95}])
def test_draws_follow_the_softmax_of_what_survives(limits):
    n, sampling = 20_000, Sampling(temperature=1.0, **limits)
    probs = LOGITS.softmax(-1)
    kept = keep_mask(probs[None], sampling)[0]
    expected = (probs * kept).double().numpy() / float((probs * kept).double().sum())
    counts = np.bincount(_draws(LOGITS, sampling, n), minlength=7)
    assert counts[~kept.numpy()].sum() == 0
    assert stats.chisquare(counts[kept.numpy()], n * expected[kept.numpy()]).pvalue > 1e-3


def test_min_p_and_top_p_keep_what_their_definitions_say():
    probs = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
    assert keep_mask(probs, Sampling(min_p=0.31)).tolist() == [[True, True, False, False]]
    assert keep_mask(probs, Sampling(top_p=0.5)).tolist() == [[True, False, False, False]]
    assert keep_mask(probs, Sampling(top_p=0.81)).tolist() == [[True, True, True, False]]
    assert keep_mask(probs, Sampling(top_p=1e-9)).tolist() == [[True, False, False, False]]
    assert keep_mask(probs, Sampling()) is None


def test_the_same_key_draws_the_same_token_whether_or_not_others_survive():
    # one item's noise must not move when a filter removes other tokens, else arms that differ in a filter would not pair
    free, filtered = _draws(LOGITS, Sampling(temperature=1.0), 500), _draws(LOGITS, Sampling(temperature=1.0, min_p=0.01), 500)
    survivors = keep_mask(LOGITS.softmax(-1)[None], Sampling(min_p=0.01))[0].numpy()
    assert (free[survivors[free]] == filtered[survivors[free]]).all()


@pytest.mark.parametrize("changed", [(1, "q", 0), (0, "r", 0), (0, "q", 1)])
def test_seed_item_and_repetition_all_key_the_noise(changed):
    assert row_key(*changed) != row_key(0, "q", 0)


def test_positions_are_independent():
    first, second = (_draws(torch.zeros(4), Sampling(temperature=1.0), 4000, position=p) for p in (0, 1))
    table = np.histogram2d(first, second, bins=(4, 4))[0]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_two_checkpoints_share_their_noise():
    near = LOGITS + torch.tensor([0.1, -0.1, 0.05, 0.0, 0.1, -0.05, 0.0])
    one, other = _draws(LOGITS, Sampling(temperature=1.0), 5000), _draws(near, Sampling(temperature=1.0), 5000)
    alone = _draws(near, Sampling(temperature=1.0), 5000, item="another")
    paired = np.var((one == 0).astype(float) - (other == 0))
    independent = np.var((one == 0).astype(float) - (alone == 0))
    assert paired < independent / 5
