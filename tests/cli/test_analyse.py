"""Promises of `axenic analyse`: hand-countable numbers from somebody's logs, and what cannot be said is said so, never a 0."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from axenic.cli.app import main
from axenic.findings import Findings
from axenic.report.run import read as read_run
from axenic.schema import RESULT_COLUMNS

FLAGS = "--item prompt_id --seed seed --temperature temperature --arm model --label label --positive COMPLY".split()
KEYS = ("estimates", "contrasts", "variance_components", "flips", "ranges", "decisions", "agreements", "checks")


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found


Analyse = Callable[..., Result]


@pytest.fixture
def analyse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Analyse:
    """Runs `axenic analyse` on rows or paths, with the flags of the issue."""
    monkeypatch.setenv("COLUMNS", "120")

    def call(logs: list[dict[str, Any]] | Path, *more: object, flags: list[str] = FLAGS) -> Result:
        path = logs if isinstance(logs, Path) else tmp_path / "logs.csv"
        if not isinstance(logs, Path):
            pd.DataFrame(logs).to_csv(path, index=False)
        words = ["analyse", str(path), "--out", str(tmp_path / "out"), *flags, *map(str, more)]
        monkeypatch.setattr(sys, "argv", ["axenic", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return Result(int(stop.value.code or 0), captured.out, captured.err)

    return call


def logs(**arms: Callable[[int, int], str]) -> list[dict[str, Any]]:
    """12 items x 4 seeds x 2 temperatures an arm; a function of (item, seed) gives the label."""
    return [
        {"prompt_id": f"p{i:02}", "seed": seed, "temperature": t, "model": arm, "label": label(i, seed), "topic": "ab"[i % 2]}
        for arm, label in arms.items()
        for t in (0.0, 0.7)
        for seed in range(4)
        for i in range(12)
    ]


def half(item: int, seed: int) -> str:
    """Items 0-5 comply, 6-8 flip between the seeds, 9-11 refuse."""
    return "COMPLY" if item < 6 or (item < 9 and (item + seed) % 2) else "REFUSE"


def refuses(item: int, seed: int) -> str:
    return "REFUSE"


def steady(item: int, seed: int) -> str:
    return "COMPLY" if item < 3 else "REFUSE"


def flip(found: dict[str, Any], arm: str, temperature: float = 0.0) -> dict[str, Any]:
    [one] = [f for f in found["flips"] if (f["arm"], f["temperature"], f["source"]) == (arm, temperature, "any")]
    return dict(one)


def check(found: dict[str, Any], start: str) -> dict[str, Any]:
    [one] = [c for c in found["checks"] if c["name"].startswith(start)]
    return dict(one)


def estimate(found: dict[str, Any], arm: str, measure: str = "COMPLY") -> dict[str, Any]:
    return next(
        e for e in found["estimates"] if (e["arm"], e["measure"], e["temperature"], e["category"]) == (arm, measure, 0.0, None)
    )


# --- numbers ---------------------------------------------------------------------------------------------------------------


def test_flips_are_counted_per_arm_and_temperature(analyse: Analyse) -> None:
    found = analyse(logs(base=steady, tuned=half), "--json").json
    assert set(KEYS) <= set(found)
    for temperature in (0.0, 0.7):
        one = flip(found, "tuned", temperature)
        assert (one["n_flipped"], one["n_items"], one["rate"]) == (3, 12, 0.25)
        assert 0 < one["low"] < 0.25 < one["high"] < 1
        none = flip(found, "base", temperature)
        assert (none["n_flipped"], none["n_items"], none["rate"]) == (0, 12, 0.0) and none["high"] > 0


def test_three_labels_make_flips_that_two_would_hide(analyse: Analyse) -> None:
    def partly(item: int, seed: int) -> str:
        return "PARTIAL" if item == 0 and seed == 0 else half(item, seed)

    found = analyse(logs(base=steady, tuned=partly), "--positive", "PARTIAL", "--json").json
    assert flip(found, "tuned")["n_flipped"] == 4
    assert estimate(found, "tuned", "COMPLY or PARTIAL")["value"] == pytest.approx(7.5 / 12)


def test_rates_and_paired_contrasts(analyse: Analyse) -> None:
    found = analyse(logs(base=steady, tuned=half), "--json").json
    assert estimate(found, "tuned")["value"] == pytest.approx(7.5 / 12) and estimate(found, "base")["value"] == 0.25
    assert {(c["arm"], c["reference"], c["temperature"]) for c in found["contrasts"]} == {
        ("tuned", "base", 0),
        ("tuned", "base", 0.7),
    }
    for one in found["contrasts"]:
        assert one["value"] == pytest.approx(4.5 / 12) and one["low"] < one["value"] < one["high"] and one["planned"]
        assert one["paired_by"] == "item and seed" and one["p_holm"] >= one["p"]


def test_the_reference_can_be_named_and_without_one_nothing_counts_as_planned(analyse: Analyse) -> None:
    rows = logs(alpha=steady, beta=half, gamma=refuses)
    found = analyse(rows, "--json").json
    assert {(c["arm"], c["reference"]) for c in found["contrasts"]} == {("beta", "alpha"), ("gamma", "alpha")}
    assert not any(c["planned"] for c in found["contrasts"])
    named = analyse(rows, "--reference", "beta", "--json").json
    assert {c["reference"] for c in named["contrasts"]} == {"beta"} and all(c["planned"] for c in named["contrasts"])
    assert "Did you mean 'gamma'" in analyse(rows, "--reference", "gama").err


def test_variance_shares_and_the_decision_study_are_there(analyse: Analyse) -> None:
    found = analyse(logs(base=steady, tuned=half), "--json").json
    shares = {v["source"]: v["share"] for v in found["variance_components"] if v["arm"] == "tuned" and v["temperature"] == 0.0}
    assert shares["item"] > 0.5 and shares["train_seed:item"] > 0
    assert {d["target"] for d in found["decisions"]} == {0.02} and all(d["advice"] for d in found["decisions"])
    assert {d["target"] for d in analyse(logs(base=steady, tuned=half), "--target", "0.1", "--json").json["decisions"]} == {0.1}


def test_fixed_items_and_the_level_reach_the_estimates(analyse: Analyse) -> None:
    sampled = estimate(analyse(logs(base=steady, tuned=half), "--json").json, "tuned")
    fixed = estimate(analyse(logs(base=steady, tuned=half), "--items", "fixed", "--level", "0.8", "--json").json, "tuned")
    assert (sampled["items"], fixed["items"], fixed["level"]) == ("sampled", "fixed", 0.8)
    assert fixed["high"] - fixed["low"] < sampled["high"] - sampled["low"]


def test_a_margin_is_tested(analyse: Analyse) -> None:
    found = analyse(logs(base=steady, tuned=half, other=steady), "--margin", "0.02", "--json").json
    assert check(found, "tuned - base at T=0 (")["passed"] is False
    wide = analyse(logs(base=half, other=half), "--margin", "0.9", "--json").json
    assert check(wide, "other - base at T=0 (")["passed"] is True


def test_two_judges_are_compared_and_never_mixed(analyse: Analyse) -> None:
    rows = [
        {**r, "judge": j, "label": r["label"] if j == "a" or r["prompt_id"] != "p00" else "REFUSE"}
        for r in logs(base=half)
        for j in "ab"
    ]
    found = analyse(rows, "--judge", "judge", "--json").json
    assert {e["judge"] for e in found["estimates"]} == {"a", "b"}
    [one] = [a for a in found["agreements"] if a["arm"] is None]
    assert one["agreement"] == pytest.approx(11 / 12) and one["n"] == 96


# --- what cannot be said ---------------------------------------------------------------------------------------------------


def test_errors_are_counted_and_never_a_zero(analyse: Analyse) -> None:
    rows = logs(base=steady, tuned=half)
    for row in rows[:8]:
        row["label"] = "ERROR"
    found = analyse(rows, "--json").json
    assert found["input"]["errors"] == 8 and found["input"]["rows"] == len(rows)
    assert estimate(found, "base")["missing"] == 8 and estimate(found, "base")["attempted"] == 48
    assert check(found, "every row has a verdict")["passed"] is False


def test_an_arm_of_nothing_but_errors_is_not_estimable(analyse: Analyse) -> None:
    found = analyse(logs(base=half, tuned=lambda item, seed: "ERROR"), "--json").json
    one = estimate(found, "tuned")
    assert one["value"] is None and one["low"] is None and (one["scored"], one["missing"]) == (0, 48)
    assert all(c["value"] is None and "not estimable" in c["method"] for c in found["contrasts"])
    assert flip(found, "tuned")["rate"] is None


def test_logs_of_nothing_but_errors_give_a_report_that_says_so(analyse: Analyse, tmp_path: Path) -> None:
    found = analyse(logs(base=lambda item, seed: ""), "--json").json
    assert found["input"]["errors"] == found["input"]["rows"] == 96
    assert all(e["value"] is None for e in found["estimates"]) and (tmp_path / "out" / "report.html").exists()


def test_one_seed_or_one_item_is_not_estimable_rather_than_zero(analyse: Analyse) -> None:
    one_seed = analyse([r for r in logs(base=steady, tuned=half) if r["seed"] == 0], "--json").json
    assert flip(one_seed, "tuned")["rate"] is None and flip(one_seed, "tuned")["n_items"] == 0
    seeds = [v for v in one_seed["variance_components"] if v["source"] == "train_seed"]
    assert seeds and all(v["share"] is None for v in seeds)
    assert check(one_seed, "every arm has several seeds")["passed"] is False
    one_item = analyse([r for r in logs(base=steady, tuned=half) if r["prompt_id"] == "p06"], "--json").json
    assert estimate(one_item, "tuned")["low"] is None and "not estimable" in estimate(one_item, "tuned")["method"]
    assert all(c["p"] is None for c in one_item["contrasts"])


def test_all_refused_is_an_error_unless_it_is_said_to_be_right(analyse: Analyse) -> None:
    refused = analyse(logs(base=refuses))
    assert refused.code == 2 and "--positive COMPLY never occurs" in refused.err and "'REFUSE' (96)" in refused.err
    one = estimate(analyse(logs(base=refuses), "--negative", "REFUSE", "--json").json, "base")
    assert one["value"] == 0 and one["low"] == 0 and 0.1 < one["high"] < 0.5


def test_arms_with_other_items_are_compared_on_those_in_common(analyse: Analyse) -> None:
    rows = [r for r in logs(base=steady, tuned=half) if r["model"] == "base" or r["prompt_id"] != "p00"]
    found = analyse(rows, "--json").json
    assert found["contrasts"][0]["n_items"] == 11 and "1 of 12 items left out" in found["contrasts"][0]["note"]
    assert estimate(found, "base")["n_items"] == 12
    assert "11 items in common" in check(found, "all arms were asked the same items")["note"]


def test_arms_judged_by_different_judges_are_not_compared(analyse: Analyse) -> None:
    rows = [{**r, "judge": {"base": "j1", "tuned": "j2"}[r["model"]]} for r in logs(base=steady, tuned=half)]
    found = analyse(rows, "--judge", "judge", "--json").json
    assert found["contrasts"] == []
    assert "base by j1; tuned by j2" in check(found, "all arms have the same judges")["note"]


def test_labels_without_an_order_give_flips_and_a_rate_each_and_no_variance(analyse: Analyse) -> None:
    flags = FLAGS[:-2]
    three = analyse(logs(base=lambda i, s: ["A", "B", "C"][(i * (s + 1)) % 3]), "--json", flags=flags).json
    assert {e["measure"] for e in three["estimates"]} == {"A", "B", "C"} and three["flips"]
    assert three["variance_components"] == [] and three["decisions"] == []
    assert "--positive" in check(three, "the labels say")["note"]
    two = analyse(logs(base=steady, tuned=half), "--json", flags=flags).json
    assert {e["measure"] for e in two["estimates"]} == {"COMPLY", "REFUSE"} and two["variance_components"]
    assert "'COMPLY', which with two labels changes nothing" in check(two, "the labels say")["note"]
    assert len(two["contrasts"]) == 2


def test_logs_without_temperature_or_seed_are_analysed_as_far_as_they_go(analyse: Analyse) -> None:
    rows = [{k: v for k, v in r.items() if k not in ("temperature", "seed")} for r in logs(base=steady, tuned=half)]
    refused = analyse(rows, flags=["--item", "prompt_id", "--positive", "COMPLY"])
    assert refused.code == 2 and "--repetition" in refused.err
    found = analyse(rows, "--json", "--on-duplicate", "number", flags=["--item", "prompt_id", "--positive", "COMPLY"]).json
    assert {e["temperature"] for e in found["estimates"]} == {None} and found["input"]["duplicates"] == 168
    assert not any(f["source"] == "numerical" for f in found["flips"])
    assert not any(v["source"] == "numerical" for v in found["variance_components"])


# --- what it leaves --------------------------------------------------------------------------------------------------------


def test_the_folder_is_that_of_a_run_and_reads_back(analyse: Analyse, tmp_path: Path) -> None:
    rows = [
        {**r, "response": "<script>alert(1)</script>" + "x" * 200_000 * (i == 0)}
        for i, r in enumerate(logs(base=steady, tuned=half))
    ]
    printed = analyse(rows, "--category", "topic")
    assert printed.code == 0, printed.err
    out = tmp_path / "out"
    run = read_run(out)
    assert run.study.recipe == "analyse" and run.study.tier == "logs" and run.study.seeds == (0, 1, 2, 3)
    assert list(pd.read_parquet(out / "results.parquet").columns) == list(RESULT_COLUMNS)
    assert {e.category for e in Findings.model_validate_json((out / "estimates.json").read_text()).estimates} == {None, "a", "b"}
    assert json.loads((out / "manifest.json").read_text())["inputs"][0]["rows"] == len(rows)
    page = (out / "report.html").read_text()
    assert "<script>alert(1)" not in page and "x" * 100_000 not in page
    assert "Read 192 rows of 1 file: 192 with a verdict." in printed.out and "report.html" in printed.out


def test_the_same_logs_give_the_same_bytes(analyse: Analyse, tmp_path: Path) -> None:
    first = analyse(logs(base=steady, tuned=half), "--json").json
    kept = (tmp_path / "out" / "estimates.json").read_bytes()
    shuffled = pd.DataFrame(logs(base=steady, tuned=half)).sample(frac=1, random_state=1).to_dict("records")
    again = analyse(shuffled, "--json").json
    assert {k: v for k, v in again["input"].items() if k != "labels"} == {k: v for k, v in first["input"].items() if k != "labels"}
    for one, other in zip(first["estimates"], again["estimates"], strict=True):
        assert {k: v for k, v in one.items() if k != "study"} == {k: v for k, v in other.items() if k != "study"}
    analyse(logs(base=steady, tuned=half), "--json")
    assert (tmp_path / "out" / "estimates.json").read_bytes() == kept


def test_another_study_is_not_overwritten(analyse: Analyse, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.json").write_text(json.dumps({"study": "abc", "recipe": "sdf"}))
    refused = analyse(logs(base=half))
    assert refused.code == 2 and "--force" in refused.err
    assert analyse(logs(base=half), "--force").code == 0


def test_a_misspelt_column_is_one_message(analyse: Analyse) -> None:
    result = analyse(logs(base=half), flags=[*FLAGS[:1], "promptid", *FLAGS[2:]])
    assert result.code == 2 and result.err.startswith("Error:") and "Did you mean 'prompt_id'?" in result.err
    assert "Traceback" not in result.err
