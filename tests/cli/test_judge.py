"""`axenic judge`: what is asked for is trained and measured, JSON says the same, and every mistake is one clear message."""

import json
import sys
from typing import NamedTuple

import pytest

from axenic.cli.app import main
from evals.judges import labelled as made

FLAGS = ("--response", "answer", "--prompt", "prompt", "--label", "label")
COMPLIANCE = ("--positive", "1_full_compliance")
REFUSAL = ("--positive", "2_full_refusal", "--positive", "3_partial_refusal")


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def axenic(monkeypatch, capsys, tmp_path):
    """Runs `axenic judge` in this process."""
    monkeypatch.setenv("AXENIC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "400")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["axenic", "judge", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return Result(int(stop.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def curt(tmp_path):
    return made.write(tmp_path / "curt.csv", "curt")


@pytest.fixture
def both(tmp_path):
    return made.write(tmp_path / "both.csv", "curt", "preachy")


def test_train_then_validate_on_a_model_that_it_never_saw(axenic, tmp_path, curt, both):
    trained = axenic("train", curt, *FLAGS, *COMPLIANCE, "--out", tmp_path / "judge")
    assert trained.code == 0, trained.err
    assert "1_full_compliance: 88 answers, read as 'complied'" in trained.out and "5 folds by prompt" in trained.out
    done = axenic("validate", tmp_path / "judge", both, *FLAGS, *COMPLIANCE, "--model", "model", "--category", "topic", "--json")
    found = json.loads(done.out)
    assert done.code == 0 and {"kappa", "agreement", "confusion", "n", "by_model", "by_category"} <= set(found)
    assert found["kappa"] > 0.85 and found["n"] == 352 == sum(found["confusion"].values())
    assert [m["model"] for m in found["by_model"]] == ["curt", "preachy"] and len(found["by_category"]) == 4
    for part in (*found["by_model"], *found["by_category"]):
        assert part["bias_low"] <= part["bias"] <= part["bias_high"] and part["n"] > 0
    text = axenic("validate", tmp_path / "judge", both, *FLAGS, *COMPLIANCE, "--model", "model").out
    assert f"kappa {found['kappa']:.3f}" in text and "model preachy: kappa" in text and "read as 'complied'" in text


def test_calling_refusal_positive_gives_the_same_kappa_and_the_opposite_bias(axenic, tmp_path, curt, both):
    axenic("train", curt, *FLAGS, *REFUSAL, "--out", tmp_path / "judge")
    found = [
        json.loads(axenic("validate", tmp_path / "judge", both, *FLAGS, *side, "--json").out) for side in (COMPLIANCE, REFUSAL)
    ]
    assert found[0]["kappa"] == pytest.approx(found[1]["kappa"]) and found[0]["bias"] == pytest.approx(-found[1]["bias"])


def test_a_judge_is_validated_by_its_name(axenic, both):
    found = json.loads(axenic("validate", "refusal", both, *FLAGS, *COMPLIANCE, "--model", "model", "--json").out)
    curt, preachy = found["by_model"]
    assert found["judge"] == "refusal" and curt["kappa"] > 0.9 > preachy["kappa"] and preachy["bias_low"] > 0


def test_each_model_can_be_left_out_in_turn(axenic, tmp_path, both):
    done = axenic("train", both, *FLAGS, *COMPLIANCE, "--group", "model", "--out", tmp_path / "judge", "--json")
    found = json.loads(done.out)
    assert found["held_out"] == "each group left out" and [g["category"] for g in found["by_group"]] == ["curt", "preachy"]
    assert found["labels"]["complied"] == ["1_full_compliance"] and found["counts"]["1_full_compliance"] == 176


def test_a_missing_answer_is_counted_and_not_left_out_in_silence(axenic, tmp_path):
    file = made.write(tmp_path / "a.csv", "curt", change=lambda r: (*r[:4], "" if r[0] == "3" else r[4], r[5]))
    found = json.loads(axenic("validate", "refusal", file, *FLAGS, *COMPLIANCE, "--json").out)
    assert found["statuses"] == {"scored": 175, "unparseable": 1} and found["n"] == 175 and "1 of 176 left out" in found["note"]


def test_without_prompts_a_judge_is_trained_on_answers_alone(axenic, tmp_path, curt):
    words = ("--response", "answer", "--label", "label", *COMPLIANCE)
    done = axenic("train", curt, *words, "--out", tmp_path / "judge", "--json")
    assert done.code == 0 and json.loads(done.out)["held_out"] == "5 folds of rows"
    assert json.loads(axenic("validate", tmp_path / "judge", curt, *words, "--json").out)["kappa"] > 0.9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--response", "anwser", "--label", "label"), "Unknown column (--response) of * 'anwser'. Did you mean 'answer'?"),
        (("--response", "answer", "--label", "lable"), "Did you mean 'label'?"),
        (("--response", "answer", "--label", "label", "--prompt", "question"), "Unknown column (--prompt)"),
        (
            ("--response", "answer", "--label", "label", "--positive", "COMPLY"),
            "'COMPLY' does not occur among the labels. The column holds: 1_full",
        ),
        (("--response", "answer", "--label", "label", *REFUSAL), "with one class there is nothing to tell apart"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["train", "validate"])
def test_a_wrong_flag_is_one_message_that_lists_what_there_is(axenic, tmp_path, curt, command, words, message):
    head = ("train", curt, "--out", tmp_path / "judge") if command == "train" else ("validate", "refusal", curt)
    done = axenic(*head, *words, *COMPLIANCE)
    assert done.code == 2 and "Traceback" not in done.err
    assert all(part in " ".join(done.err.split()) for part in message.split("*")), done.err
    assert not (tmp_path / "judge").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,answer,label\nq,a,\n", "line 2: no label in the column 'label'"),
        ("prompt,answer,label\nq,a,NaN\n", "line 2: no label"),
        ("prompt,answer,label\n", "no rows"),
        ("", "no rows"),
        ("prompt,answer,label\nq,a\n", "line 2"),
        ("prompt,answer,label\n" + "q,a,1_full_compliance\n" * 30, "one class there is nothing"),
        ("prompt,answer,label\n" + "q,a,1_full_compliance\nq,b,2_full_refusal\n" * 3, "Too few labelled answers: 3"),
    ],
)
def test_a_file_that_cannot_train_a_judge_is_refused(axenic, tmp_path, text, message):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    done = axenic("train", file, *FLAGS, *COMPLIANCE, "--out", tmp_path / "judge")
    assert done.code == 2 and message in " ".join(done.err.split()) and "Traceback" not in done.err
    assert not (tmp_path / "judge").exists()


def test_what_is_not_a_judges_folder_is_not_overwritten(axenic, tmp_path, curt):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    done = axenic("train", curt, *FLAGS, *COMPLIANCE, "--out", tmp_path / "full")
    assert done.code == 2 and "is no judge's directory" in done.err
    assert axenic("train", curt, *FLAGS, *COMPLIANCE, "--out", tmp_path / "judge").code == 0
    assert axenic("train", curt, *FLAGS, *COMPLIANCE, "--out", tmp_path / "judge").code == 0, "a judge may be trained again"


@pytest.mark.parametrize(
    ("judge", "message"),
    [("refusals", "Did you mean 'refusal'"), ("trained", "trained:DIR"), ("trained:nowhere", "no trained judge")],
)
def test_an_unknown_judge_is_one_message(axenic, curt, judge, message):
    done = axenic("validate", judge, curt, *FLAGS, *COMPLIANCE)
    assert done.code == 2 and message in done.err


def test_a_judge_that_says_other_words_is_told_which_of_them_is_positive(axenic, curt):
    done = axenic("validate", "toxicity", curt, *FLAGS, *COMPLIANCE)
    assert done.code == 2 and "never says 'complied'; it says: toxic, not toxic" in " ".join(done.err.split())
    done = axenic("validate", "toxicity", curt, *FLAGS, *COMPLIANCE, "--positive-verdict", "not toxic")
    assert done.code == 0 and "1_full_compliance is read as 'not toxic'" in done.out
