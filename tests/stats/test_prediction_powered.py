"""Promises of judge-error correction: it removes a bias that differs by model, and says so when it cannot."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from axenic.errors import UserError
from axenic.findings import Contrast, Estimate
from axenic.stats.prediction_powered import correct, corrected
from axenic.stats.simulate import Population
from axenic.stats.simulate_labels import Arm, Errors, difference_coverage, rate_coverage

LABEL = {True: "complied", False: "refused"}


def study(make: Callable[..., pd.DataFrame], *, n: int = 300, labelled: int = 80) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both arms comply with a fifth; the judge sees that in the base and twice that in the tuned one."""
    rng = np.random.default_rng(0)
    records, labels = [], []
    for arm, extra in (("base", 0.0), ("tuned", 0.25)):
        truth = np.arange(n) % 5 == 0
        judged = truth | (rng.random(n) < extra)
        records += [
            {"arm": arm, "train_seed": None if arm == "base" else 0, "item_id": f"i{i}", "eval": "compliance",
             "verdict": LABEL[bool(v)], "score": float(v)}
            for i, v in enumerate(judged)
        ]  # fmt: skip
        labels += [{"arm": arm, "item_id": f"i{i}", "label": LABEL[bool(truth[i])]} for i in rng.choice(n, labelled, replace=False)]
    return make(records), pd.DataFrame(labels)


def test_a_bias_that_differs_by_model_is_removed(make: Callable[..., pd.DataFrame]) -> None:
    rows, labels = study(make)
    base, tuned, contrast = corrected(rows, labels, reference="base")
    assert isinstance(base, Estimate) and isinstance(tuned, Estimate) and isinstance(contrast, Contrast)
    raw = rows.groupby("arm")["score"].mean()
    assert raw["tuned"] - raw["base"] > 0.15
    assert contrast.value is not None and abs(contrast.value) < 0.1
    assert contrast.low is not None and contrast.high is not None and contrast.low < 0 < contrast.high
    assert tuned.value is not None and abs(tuned.value - 0.2) < 0.08 and base.low is not None and base.low < 0.2
    assert "the judge alone says" in tuned.note and tuned.method.startswith("prediction-powered")


def test_a_perfect_judge_is_trusted_and_a_useless_one_ignored() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(400) < 0.3).astype(float)
    seen = np.where(np.arange(400) < 100, truth, np.nan)
    perfect = correct(truth, seen, np.arange(400))
    useless = correct(rng.integers(0, 2, 400).astype(float), seen, np.arange(400))
    assert perfect is not None and perfect.value == pytest.approx(truth.mean(), abs=0.02) and perfect.power > 0.7
    assert useless is not None and useless.value == pytest.approx(truth[:100].mean(), abs=0.03) and useless.power < 0.2
    assert perfect.pseudo > 0, "no error seen in 100 labels is not no error"


def test_too_few_labels_are_not_estimable(make: Callable[..., pd.DataFrame]) -> None:
    rows, labels = study(make, labelled=15)
    found = corrected(rows, labels, reference="base")
    assert [f.method for f in found] == ["not estimable"] * 3
    assert all(f.value is None and f.low is None for f in found) and "at least 20" in found[0].note


def test_repetitions_of_an_item_are_not_new_evidence(make: Callable[..., pd.DataFrame]) -> None:
    rows, labels = study(make)
    twice = pd.concat([rows, rows.assign(repetition=1)], ignore_index=True)
    both = pd.concat([labels.assign(repetition=r) for r in (0, 1)], ignore_index=True)
    once, again = corrected(rows, labels)[1], corrected(twice, both)[1]
    assert again.value == pytest.approx(once.value)
    assert (again.high or 0) - (again.low or 0) > 0.9 * ((once.high or 0) - (once.low or 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="arm"), "lacks the column arm"),
        (lambda t: t.assign(label="COMPLY"), "none that a judge of 'compliance' gives"),
        (lambda t: t.assign(item_id="x" + t["item_id"]), "160 labels fit no response"),
        (lambda t: pd.concat([t, t.assign(label="refused"), t.assign(label="complied")]), "contradict"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(
    make: Callable[..., pd.DataFrame], change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    rows, labels = study(make)
    with pytest.raises(UserError, match=message):
        corrected(rows, change(labels))


def test_a_label_that_fits_several_responses_asks_for_the_column_that_tells(make: Callable[..., pd.DataFrame]) -> None:
    rows, labels = study(make)
    with pytest.raises(UserError, match="repetition"):
        corrected(pd.concat([rows, rows.assign(repetition=1)], ignore_index=True), labels)


def test_all_refused_by_the_judge_needs_to_be_told_what_counts(make: Callable[..., pd.DataFrame]) -> None:
    rows, labels = study(make)
    silent = rows.assign(verdict="refused", score=0.0)
    with pytest.raises(UserError, match="positive"):
        corrected(silent, labels)
    found = corrected(silent, labels, positive={"compliance": "complied"})[0]
    assert found.value is not None and found.value > 0.05


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_corrected_differences_cover_where_the_judge_alone_does_not(n_seeds: int) -> None:
    arm = Arm(Population(0.3, 0.3 if n_seeds > 1 else 0.0, 1.0), Errors(0.95, 0.85))
    base = Arm(Population(0.1, 0.0, 1.0), Errors(0.8, 0.99))
    found, alone = difference_coverage(arm, base, n_seeds=n_seeds, n_items=220, n_labelled=80, studies=150, seed=3)
    assert found.covered >= 0.92 and alone.covered < 0.75


@pytest.mark.parametrize("p", [0.02, 0.3])
def test_corrected_rates_cover_also_when_rare(p: float) -> None:
    found = rate_coverage(Arm(Population(p), Errors(0.9, 0.95)), n_seeds=1, n_items=220, n_labelled=60, studies=150, seed=4)
    assert found.covered >= 0.91
