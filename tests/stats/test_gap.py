"""Promises of the gap closed: 0 at the bare model, 1 at the ceiling, an interval that covers, and silence where there is no gap."""

import numpy as np
import pandas as pd
import pytest

from axenic.schema import RESULT_COLUMNS
from axenic.stats.gap import Gap, gap_closed, gaps_closed
from axenic.stats.simulate import Design, coverage
from axenic.stats.simulate_methods import METHODS

BARE, CEILING = np.array([0.0] * 45 + [1.0] * 5), np.array([1.0] * 48 + [0.0] * 2)


def test_the_bare_model_has_closed_nothing_and_the_ceiling_all_of_the_gap():
    for scores, ratio in ((BARE, 0.0), (CEILING, 1.0)):
        found = gap_closed(np.tile(scores, (3, 1)), BARE, CEILING)
        assert found.value == pytest.approx(ratio) and found.low is not None and found.low < ratio < (found.high or 0.0)


def test_half_way_is_half_and_beyond_is_beyond():
    half = np.where(np.arange(50) % 2 == 0, CEILING, BARE)
    found = gap_closed(np.tile(half, (2, 1)), BARE, CEILING)
    assert found.value == pytest.approx(float((half - BARE).sum() / (CEILING - BARE).sum()))
    beyond = gap_closed(np.ones((2, 50)), BARE, CEILING)
    assert (beyond.value or 0) > 1


@pytest.mark.parametrize("ceiling", [BARE, 1 - CEILING, np.where(np.arange(50) < 2, 1.0, BARE)])
def test_a_ceiling_that_is_not_clearly_above_gives_no_number(ceiling):
    found = gap_closed(np.tile(CEILING, (3, 1)), BARE, ceiling)
    assert found.value is None and found.low is None and "not clearly above" in found.note


def test_nothing_scored_is_not_estimable():
    assert gap_closed(np.full((3, 50), np.nan), BARE, CEILING).value is None


def test_an_arm_that_varies_over_seeds_has_a_wider_interval():
    rng = np.random.default_rng(0)
    same = np.tile((rng.random(50) < 0.6).astype(float), (3, 1))
    varied = np.stack([(rng.random(50) < p).astype(float) for p in (0.1, 0.6, 0.95)])
    narrow, wide = (gap_closed(s, BARE, CEILING) for s in (same, varied))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize(
    ("p", "n_items", "seed_sd", "missing"), [(0.8, 77, 0.3, 0.0), (0.4, 77, 0.3, 0.0), (0.7, 30, 0.3, 0.2), (0.6, 100, 1.0, 0.0)]
)
def test_the_interval_covers(p, n_items, seed_sd, missing):
    design = Design(n_seeds=3, n_items=n_items, p=p, seed_sd=seed_sd, missing=missing)
    found = coverage(METHODS["gap_closed"], design, replications=250, seed=4)
    assert found.covered >= 0.92 and found.not_estimable <= 5


def row(**fields):
    shared = {"study": "s", "recipe": "r", "tier": "lab", "model": "m", "checkpoint": "c", "epoch": 0.0, "step": 0}
    shared |= {
        "temperature": 0.0,
        "repetition": 0,
        "eval": "values",
        "category": "",
        "condition": "x",
        "prompt": "",
        "response": "",
    }
    shared |= {"n_tokens": 1, "finish_reason": "stop", "judge": "words", "status": "scored", "verdict": "", "train_seed": None}
    return {**dict.fromkeys(RESULT_COLUMNS), **shared, **fields}


def test_records_come_from_the_result_table_at_the_last_epoch_of_every_arm():
    rows = [
        row(arm=arm, item_id=f"i{i}", score=s) for arm, scores in (("bare", BARE), ("up", CEILING)) for i, s in enumerate(scores)
    ]
    for seed in (0, 1):
        for epoch, scores in ((1.0, BARE), (2.0, CEILING)):
            rows += [row(arm="arm", train_seed=seed, epoch=epoch, item_id=f"i{i}", score=s) for i, s in enumerate(scores)]
    gap = Gap(arm="arm", bare="bare", ceiling="up", eval="values")
    missing = Gap(arm="arm", bare="bare", ceiling="nobody", eval="values")
    found, lost = gaps_closed(pd.DataFrame(rows), [gap, missing])
    assert (found.eval, found.category, found.value, found.n_seeds, found.n_items) == (
        "gap_closed",
        "values",
        pytest.approx(1.0),
        2,
        50,
    )
    assert lost.value is None and "no rows for nobody" in lost.note
