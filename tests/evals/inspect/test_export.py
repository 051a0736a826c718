"""Promises of `export`: Inspect reads back every row with its status, and equal runs give equal files."""

import math
from pathlib import Path

import pandas as pd
import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from axenic.errors import UserError
from axenic.evals.inspect.export import export
from axenic.recipes.gather import write_table
from axenic.schema import RESULT_COLUMNS, Arm, Study

STUDY = Study(
    study="abc", recipe="finetune_safety", title="T", question="q", hypothesis="h", tier="lab", limits="l", model="lab nano",
    seeds=(0, 1), arms=(Arm(name="base", description="b", role="base"), Arm(name="dolly", description="d")),
)  # fmt: skip
PROMPT = "[system] Be kind.\n[user] What is it?\n[user] Are you sure?"


def rows() -> pd.DataFrame:
    """Two arms, one with two seeds; greedy once and sampled twice; two judges, of which one fails on one item."""
    cells = [("base", pd.NA, 0.0), ("dolly", 0, 1.0), ("dolly", 1, 1.0)]
    made = []
    for arm, seed, epoch in cells:
        for temperature, repetition in ((0.0, 0), (0.7, 0), (0.7, 1)):
            for i in range(4):
                for judge in ("lab", "refusal"):
                    status = "unparseable" if (judge, i) == ("refusal", 2) else "scored"
                    made.append({
                        "study": "abc", "recipe": "finetune_safety", "tier": "lab", "arm": arm, "model": "lab nano",
                        "train_seed": seed, "checkpoint": f"epoch-{epoch:g}", "epoch": epoch, "step": 10,
                        "temperature": temperature,
                        "repetition": repetition, "eval": "compliance", "item_id": f"compliance/{i // 2}@{i % 2}",
                        "category": f"c{i}", "condition": "", "prompt": PROMPT, "response": "Sure.",
                        "n_tokens": 2, "finish_reason": "stop",
                        "judge": judge, "status": status, "verdict": "complied" if status == "scored" else "",
                        "score": float(i % 2) if status == "scored" else None,
                    })  # fmt: skip
    frame = pd.DataFrame(made, columns=list(RESULT_COLUMNS))
    return frame.assign(train_seed=frame["train_seed"].astype("Int64"))


def save(folder: Path, table: pd.DataFrame) -> Path:
    folder.mkdir(exist_ok=True)
    write_table(table, folder / "results.parquet")
    (folder / "study.json").write_text(STUDY.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "run", rows())


def test_every_row_comes_back_with_its_verdict_status_and_place(folder, tmp_path) -> None:
    written = export(folder, tmp_path / "logs")
    assert len(written) == 6 and len(list_eval_logs(str(tmp_path / "logs"))) == 6
    found = []
    for log in map(read_eval_log, map(str, written)):
        about = log.eval.metadata
        assert log.status == "success" and log.eval.task == "axenic/compliance"
        for sample in log.samples:
            for judge, score in sample.scores.items():
                found.append(
                    (about["arm"], about["train_seed"], about["epoch"], about["temperature"], sample.epoch - 1, sample.id)
                    + (sample.metadata["stem"], sample.metadata["category"], sample.output.completion, judge)
                    + (score.metadata["status"], score.answer, None if math.isnan(score.value) else score.value)
                )
    expected = [
        (r.arm, None if r.train_seed is pd.NA else r.train_seed, r.epoch, r.temperature, r.repetition, r.item_id)
        + (r.item_id.split("@")[0], r.category, r.response, r.judge)
        + (r.status, r.verdict or None, None if math.isnan(r.score) else r.score)
        for r in rows().itertuples()
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_results_count_what_is_unscored_and_take_a_stem_as_one_unit(folder, tmp_path) -> None:
    log = next(log for log in map(read_eval_log, map(str, export(folder, tmp_path / "logs"))) if log.eval.config.epochs == 2)
    judges = {s.name: s for s in log.results.scores}
    assert (judges["lab"].scored_samples, judges["lab"].unscored_samples) == (4, 0)
    assert (judges["refusal"].scored_samples, judges["refusal"].unscored_samples) == (3, 1)
    assert judges["lab"].metrics["mean"].value == 0.5
    assert math.isnan(judges["lab"].metrics["stderr"].value)  # both stems are at one half: nothing varies


def test_the_model_is_named_with_its_arm_seed_and_checkpoint(folder, tmp_path) -> None:
    logs = [read_eval_log(str(p), header_only=True) for p in export(folder, tmp_path / "logs")]
    assert {log.eval.model for log in logs} == {
        "axenic/lab nano/base/epoch-0", "axenic/lab nano/dolly/seed-0/epoch-1", "axenic/lab nano/dolly/seed-1/epoch-1"
    }  # fmt: skip


def test_the_turns_of_a_prompt_are_messages(folder, tmp_path) -> None:
    sample = read_eval_log(str(export(folder, tmp_path / "logs")[0])).samples[0]
    assert [(m.role, m.text) for m in sample.messages] == [
        ("system", "Be kind."), ("user", "What is it?"), ("user", "Are you sure?"), ("assistant", "Sure.")
    ]  # fmt: skip


def test_equal_runs_give_equal_bytes(folder, tmp_path) -> None:
    one, two = export(folder, tmp_path / "one"), export(folder, tmp_path / "two")
    assert [p.name for p in one] == [p.name for p in two]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_a_failed_response_is_an_error_and_not_a_0(tmp_path) -> None:
    table = rows().assign(finish_reason="error", status="error", verdict="", score=float("nan"), response="")
    log = read_eval_log(str(export(save(tmp_path / "run", table), tmp_path / "logs")[0]))
    assert all(s.output.error and math.isnan(s.scores["lab"].value) for s in log.samples)
    assert log.results.scores[0].scored_samples == 0 and math.isnan(log.results.scores[0].metrics["mean"].value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "study.json").unlink(), "no study.json"),
        (lambda p: (p / "results.parquet").write_bytes(b"PAR1"), "is damaged"),
        (lambda p: save(p, pd.concat([rows(), rows()[:1]])), "more than one row for item 'compliance/0@0'"),
        (lambda p: save(p, rows()[:0]), "has no rows"),
    ],
)
def test_a_run_that_cannot_be_exported_says_why(folder, tmp_path, spoil, message) -> None:
    spoil(folder)
    with pytest.raises(UserError, match=message):
        export(folder, tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("prompt", ["", "How do I open a jar?"])
def test_logs_of_others_whose_prompts_have_no_roles_are_exported_too(tmp_path, prompt) -> None:
    written = list(export(save(tmp_path / "run", rows().assign(prompt=prompt)), tmp_path / "logs"))
    sample = (read_eval_log(str(written[0])).samples or [])[0]
    assert isinstance(sample.input, str) and sample.input == prompt or sample.input[0].text == prompt
