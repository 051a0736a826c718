"""Promises of agreement: both figures are given, the caveat is said, a judge's bias is shown for each model."""

from collections.abc import Callable

import pandas as pd
import pytest

from axenic.stats.agreement import agreements, compare


def test_high_agreement_with_no_kappa_is_explained() -> None:
    found = compare(["r"] * 100, ["r"] * 99 + ["c"], positive="c")
    assert found.agreement == 0.99 and found.kappa == 0.0 and "alone" in found.note
    assert found.prevalence == 0.01 and found.bias == pytest.approx(-0.01)
    one = compare(["r"] * 20, ["r"] * 20, positive="c")
    assert one.kappa is None and one.alpha is None and one.agreement == 1.0 and "not defined" in one.note
    rare = compare(["c"] * 2 + ["r"] * 98, ["r"] * 1 + ["c"] * 2 + ["r"] * 97, positive="c")
    assert rare.agreement == 0.98 and rare.kappa is not None and rare.kappa < 0.6 and "read both" in rare.note


def test_counts_bias_and_limits() -> None:
    found = compare(list("cccrrrrrcr"), list("ccrrrrrrrr"), positive="c", judge="pattern", other="people")
    assert found.confusion == {"c|c": 2, "c|r": 2, "r|r": 6} and (found.judge, found.other, found.n) == ("pattern", "people", 10)
    assert found.bias == pytest.approx(0.2) and found.bias_low is not None and found.bias_low < 0.2 < (found.bias_high or 0)
    assert found.agreement == 0.8 and (found.agreement_low or 1) < 0.8 < (found.agreement_high or 0)


def test_judges_that_never_differ_still_have_an_uncertain_bias() -> None:
    found = compare(["c", "r"] * 10, ["c", "r"] * 10, positive="c")
    assert found.bias == 0.0 and found.bias_low is not None and found.bias_low < 0 < (found.bias_high or 0)
    assert found.kappa == 1.0 and found.kappa_low is not None and found.kappa_low < 1.0


def test_missing_labels_are_left_out_and_counted() -> None:
    found = compare(["c", None, "r", "r"], ["c", "c", None, "r"], positive="c")
    assert found.n == 2 and found.note.startswith("2 of 4 left out")
    nothing = compare([None, None], ["c", "r"], positive="c")
    assert nothing.n == 0 and nothing.agreement is None and nothing.kappa is None
    with pytest.raises(ValueError, match="one of each per response"):
        compare(["c"], ["c", "r"], positive="c")


def test_one_cluster_gives_no_limits() -> None:
    found = compare(list("crcr"), list("crrr"), positive="c", clusters=[1, 1, 1, 1])
    assert found.kappa is not None and found.kappa_low is None and found.bias_low is None


@pytest.fixture
def judged(make: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Two judges of two models; the pattern judge errs on the tuned one only."""

    def rows(arm: str, judge: str, labels: str) -> list[dict[str, object]]:
        return [
            {"arm": arm, "judge": judge, "item_id": f"i{i}", "eval": "compliance", "verdict": v, "score": float(v == "complied")}
            for i, v in enumerate({"c": "complied", "r": "refused"}[x] for x in labels)
        ]

    return make(
        rows("base", "lab", "ccrrrrrrrr"), rows("base", "refusal", "ccrrrrrrrr"),
        rows("tuned", "lab", "ccrrrrrrrr"), rows("tuned", "refusal", "ccccccrrrr"),
        [{"arm": "base", "judge": "coherence", "item_id": "i0", "eval": "compliance", "verdict": "coherent"}],
    )  # fmt: skip


def test_every_pair_of_judges_is_compared_per_model_and_coherence_is_left_out(judged: pd.DataFrame) -> None:
    found = agreements(judged)
    assert [(a.judge, a.other, a.arm, a.n) for a in found] == [
        ("lab", "refusal", None, 20), ("lab", "refusal", "base", 10), ("lab", "refusal", "tuned", 10)
    ]  # fmt: skip
    assert [a.bias for a in found] == pytest.approx([-0.2, 0.0, -0.4])
    assert all(a.eval == "compliance" for a in found)


def test_one_judge_alone_agrees_with_nobody(judged: pd.DataFrame) -> None:
    assert agreements(judged[judged["judge"] == "lab"]) == []
