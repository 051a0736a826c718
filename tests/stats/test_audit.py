"""Promises of a verdict: no "not worse" without evidence, no harm missed for lack of answers, one rule for many harms."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from axenic.errors import UserError
from axenic.findings import OVERALL, Audit
from axenic.stats.audit import Harm, Terms, audit, overall

UP = Harm("e", "complied", "up")


@pytest.fixture
def judge(make: Callable[..., pd.DataFrame], cells_of: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[Audit]]:
    """`judge(base_I, tuned_S_I)`: the audits of one eval."""

    def run(base: Any, tuned: Any, *, harms: tuple[Harm, ...] = (UP,), **terms: Any) -> list[Audit]:
        rows = make(
            cells_of(np.atleast_2d(base).tolist(), arm="base", seeds=[None]), cells_of(np.atleast_2d(tuned).tolist(), arm="tuned")
        )
        return audit(rows, base="base", tuned=["tuned"], harms=harms, terms=Terms(**terms))

    return run


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize(("n", "verdict", "more"), [(100, "cannot tell", 83), (182, "cannot tell", 1), (183, "not worse", None)])
def test_no_difference_at_all_is_not_worse_only_with_enough_items(
    judge: Callable[..., list[Audit]], value: float, n: int, verdict: str, more: int | None
) -> None:
    one, all_ = judge([value] * n, [value] * n)
    assert one.harm == 0.0 and one.low is not None and one.high is not None and one.low < 0 < one.high
    assert one.verdict == all_.verdict == verdict and one.needed_items == more
    assert "conditional on one run" in one.method


def test_a_clear_harm_is_worse_in_either_direction(judge: Callable[..., list[Audit]]) -> None:
    base, tuned = np.zeros(60), np.ones(60)
    assert judge(base, tuned)[0].verdict == "worse" and "by more than the margin" in judge(base, tuned)[0].text
    good = judge(base, tuned, harms=(Harm("e", "correct", "down"),))[0]
    assert good.verdict == "not worse" and good.harm == -1.0
    lost = judge(tuned, base, harms=(Harm("e", "correct", "down"),))[0]
    assert lost.verdict == "worse" and lost.harm == 1.0 and "changed by -100.0 points" in lost.text


def test_a_small_but_certain_harm_is_worse_and_said_to_be_within_the_margin(judge: Callable[..., list[Audit]]) -> None:
    tuned = np.arange(2000) % 100 == 0
    one = judge(np.zeros(2000), tuned.astype(float), margin=0.1)[0]
    assert one.verdict == "worse" and "but by less than the margin of 10 points" in one.text


def test_what_is_open_says_how_much_more_would_settle_it(judge: Callable[..., list[Audit]]) -> None:
    rng = np.random.default_rng(0)
    base = rng.random(100) < 0.3
    one = judge(base.astype(float), np.where(rng.random(100) < 0.2, ~base, base).astype(float))[0]
    assert one.verdict == "cannot tell" and one.needed_items and one.needed_items > 100 and one.needed_seeds is None
    assert f"about {one.needed_items:,} more items" in one.text
    several = judge(base.astype(float), [np.where(rng.random(100) < p, ~base, base) for p in (0.02, 0.2, 0.3)])[0]
    assert several.arm == "tuned" and "runs" in several.text


def test_several_runs_are_judged_together_and_each_alone(judge: Callable[..., list[Audit]]) -> None:
    found = judge(np.zeros(200), [np.zeros(200), np.arange(200) % 2, np.zeros(200)])
    assert list(dict.fromkeys(a.arm for a in found)) == ["tuned", "tuned (run 1)", "tuned (run 2)", "tuned (run 3)"]
    verdicts = {a.arm: a.verdict for a in found if a.eval == OVERALL}
    assert verdicts == {
        "tuned": "cannot tell", "tuned (run 1)": "not worse", "tuned (run 2)": "worse", "tuned (run 3)": "not worse"
    }  # fmt: skip


def test_runs_named_as_arms_are_pooled_like_seeds(make: Callable[..., pd.DataFrame], cells_of: Callable[..., Any]) -> None:
    rng = np.random.default_rng(1)
    runs = (rng.random((2, 80)) < 0.3).astype(float).tolist()
    base = cells_of([[0.0] * 80], arm="base", seeds=[None])
    as_seeds = make(base, cells_of(runs, arm="tuned"))
    as_arms = make(base, *(cells_of([run], arm=f"m{i}", seeds=[None]) for i, run in enumerate(runs)))
    one = audit(as_seeds, base="base", tuned=["tuned"], harms=[UP])
    two = audit(as_arms, base="base", tuned=["m0", "m1"], harms=[UP])
    assert [(a.harm, a.low, a.high) for a in one] == [(a.harm, a.low, a.high) for a in two]


def test_missing_answers_of_the_fine_tune_do_not_make_it_safe(judge: Callable[..., list[Audit]]) -> None:
    tuned: list[float | None] = [0.0] * 300
    whole, holes = judge(np.zeros(300), tuned)[0], judge(np.zeros(300), [[None] * 20 + tuned[20:]])[0]
    assert whole.verdict == "not worse" and holes.verdict == "cannot tell"
    assert "missing" in holes.text and "missing rows: 20" in holes.note


def test_nothing_scored_is_cannot_tell(judge: Callable[..., list[Audit]]) -> None:
    one, all_ = judge(np.zeros(30), [[None] * 30])
    assert one.verdict == all_.verdict == "cannot tell" and one.harm is None and one.low is None and one.p_not_worse is None


def test_fixed_items_and_one_run_leave_nothing_to_generalise_over(judge: Callable[..., list[Audit]]) -> None:
    one = judge(np.zeros(400), np.zeros(400), items="fixed")[0]
    assert one.verdict == "cannot tell" and one.low is None and "several fine-tunes" in one.text
    three = judge(np.zeros(400), np.zeros((3, 400)), items="fixed")[0]
    assert three.verdict == "cannot tell" and three.high is not None and three.high > 0.5, "three equal runs prove little"
    assert three.needed_seeds == 180 and three.needed_items is None


def record(eval: str, p: float, verdict: str) -> Audit:
    return Audit(
        arm="tuned", reference="base", eval=eval, measure="m", verdict=verdict, margin=0.02, p_worse=p, p_not_worse=1 - p,
        text=f"{eval} text.",
    )  # fmt: skip


def test_worse_overall_allows_for_the_number_of_harms() -> None:
    alone = overall([record("a", 0.02, "worse"), record("b", 0.6, "not worse"), record("c", 0.7, "not worse")])
    assert alone.verdict == "cannot tell" and "worse taken alone" in alone.text
    sure = overall([record("a", 0.001, "worse"), record("b", 0.6, "cannot tell")])
    assert sure.verdict == "worse" and sure.text == "a text." and sure.eval == OVERALL
    assert overall([record("a", 0.5, "not worse"), record("b", 0.6, "cannot tell")]).verdict == "cannot tell"
    assert overall([record("a", 0.5, "not worse"), record("b", 0.6, "not worse")]).verdict == "not worse"


@pytest.mark.parametrize(("p", "verdict"), [(0.0049, "worse"), (0.0051, "cannot tell")])
def test_each_of_five_harms_has_a_fifth_of_the_error_rate(p: float, verdict: str) -> None:
    assert overall([record(name, p, "worse") for name in "abcde"]).verdict == verdict


def test_every_temperature_has_its_own_verdict(make: Callable[..., pd.DataFrame], cells_of: Callable[..., Any]) -> None:
    parts = [
        cells_of([[bad] * 200], arm=arm, seeds=[seed], temperature=t)
        for arm, seed in (("base", None), ("tuned", 0))
        for t, bad in ((0.0, 0.0), (0.7, float(arm == "tuned")))
    ]
    found = audit(make(*parts), base="base", tuned=["tuned"], harms=[UP])
    assert [(a.eval, a.verdict) for a in found] == [("e (T=0)", "not worse"), ("e (T=0.7)", "worse"), (OVERALL, "worse")]


def test_several_judges_of_an_eval_are_told_apart(make: Callable[..., pd.DataFrame], cells_of: Callable[..., Any]) -> None:
    parts = [
        cells_of([[float(judge == "lax" and arm == "tuned")] * 200], arm=arm, seeds=[seed], judge=judge)
        for arm, seed in (("base", None), ("tuned", 0))
        for judge in ("strict", "lax")
    ]
    harms = [UP._replace(judge=judge) for judge in ("strict", "lax")]
    found = audit(make(*parts), base="base", tuned=["tuned"], harms=harms)
    assert [(a.eval, a.verdict) for a in found[:2]] == [("e (strict)", "not worse"), ("e (lax)", "worse")]


def test_wrong_use_is_said(make: Callable[..., pd.DataFrame], cells_of: Callable[..., Any]) -> None:
    rows = make(cells_of([[0.0] * 9], arm="base", seeds=[None]), cells_of([[0.0] * 9], arm="tuned"))
    with pytest.raises(UserError, match="between 0 and 1"):
        audit(rows, base="base", tuned=["tuned"], harms=[UP], terms=Terms(margin=2.0))
    with pytest.raises(UserError, match="no arm 'other'"):
        audit(rows, base="base", tuned=["other"], harms=[UP])
    with pytest.raises(UserError, match="Nothing was asked of 'x'"):
        audit(rows, base="base", tuned=["tuned"], harms=[Harm("x", "m", "up")])
