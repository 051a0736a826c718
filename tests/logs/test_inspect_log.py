"""Promises about Inspect's logs, as Inspect itself writes them: every sample and scorer is a row, failures included."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSample, EvalSpec, write_eval_log
from inspect_ai.model import GenerateConfig, ModelOutput
from inspect_ai.scorer import Score

from axenic.errors import UserError
from axenic.logs.inspect_log import read_eval
from axenic.logs.labels import Rules
from axenic.logs.read import read


def sample(number: int, epoch: int, scores: dict[str, Any], *, failed: bool = False) -> EvalSample:
    error = EvalError(message="boom", traceback="t" * 1000, traceback_ansi="") if failed else None
    return EvalSample(
        id=f"q{number}", epoch=epoch, input=f"Question {number}?", target="yes", metadata={"category": "ab"[number % 2]},
        scores={name: Score(value=value) for name, value in scores.items()}, error=error,
        output=ModelOutput.from_content("mockllm/model", f"Answer {number} of epoch {epoch}."),
    )  # fmt: skip


def write(path: Path, samples: list[EvalSample], *, status: Any = "success", seed: int = 3) -> Path:
    spec = EvalSpec(
        created="2026-01-01T00:00:00+00:00", task="suite/refusals", dataset=EvalDataset(samples=3), model="mockllm/model",
        config=EvalConfig(epochs=2), model_generate_config=GenerateConfig(temperature=0.7), metadata={"train_seed": seed},
    )  # fmt: skip
    write_eval_log(EvalLog(status=status, eval=spec, samples=samples), str(path))
    return path


def samples() -> list[EvalSample]:
    found = [
        sample(i, epoch, {"includes": "CI"[i % 2], "graded": {"tone": 0.25, "harm": i % 2}}) for i in range(2) for epoch in (1, 2)
    ]
    return [*found, sample(2, 1, {}, failed=True)]


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_both_formats_of_a_log_become_rows(tmp_path: Path, ending: str) -> None:
    found = read([write(tmp_path / f"log.{ending}", samples())])
    rows = found.rows
    assert found.inputs[0].kind == "Inspect"
    one = rows[(rows["judge"] == "includes") & (rows["item_id"] == "q1") & (rows["repetition"] == 1)].iloc[0]
    assert (one["eval"], one["arm"], one["train_seed"], one["temperature"]) == ("refusals", "mockllm/model", 3, 0.7)
    assert (one["verdict"], one["score"], one["category"]) == ("I", 0.0, "b")
    assert (one["prompt"], one["response"]) == ("Question 1?", "Answer 1 of epoch 2.")
    assert set(rows["judge"]) == {"includes", "graded/tone", "graded/harm"}


def test_a_sample_that_failed_is_a_row_without_a_verdict(tmp_path: Path) -> None:
    rows = read([write(tmp_path / "log.eval", samples())]).rows
    failed = rows[rows["item_id"] == "q2"]
    assert len(failed) == 3 and set(failed["status"]) == {"error"} and failed["score"].isna().all()


def test_labels_of_a_judge_can_be_mapped_and_other_scorers_keep_theirs(tmp_path: Path) -> None:
    log = write(tmp_path / "log.eval", [sample(i, 1, {"judge": ["harmful", "safe"][i % 2], "match": "C"}) for i in range(4)])
    found = read([log], rules=Rules(positive=("harmful",)))
    assert found.scoring == {"judge": "positive", "match": "score"}
    assert found.rows.groupby("judge")["score"].mean().to_dict() == {"judge": 0.5, "match": 1.0}


def test_seeds_of_several_logs_are_told_apart_by_their_metadata(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(tmp_path / f"log{seed}.eval", [sample(i, 1, {"match": "CI"[(i + seed) % 2]}) for i in range(4)], seed=seed)
    assert set(read([tmp_path]).rows["train_seed"]) == {1, 2}


def test_a_run_that_stopped_early_is_said_to_have(tmp_path: Path) -> None:
    found = read([write(tmp_path / "log.eval", samples(), status="cancelled")])
    assert "ended with status 'cancelled' after 5 of 6 samples" in found.notes[0]


def test_large_events_are_never_parsed(tmp_path: Path) -> None:
    log = write(tmp_path / "log.eval", samples())
    with zipfile.ZipFile(log) as whole:
        kept = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(tmp_path / "cut.eval", "w") as cut:
        for name, data in kept.items():
            at = data.find(b'"events":')
            cut.writestr(name, data[:at] + b'"events": not even JSON' if name.startswith("samples/") and at > 0 else data)
    assert read_eval(tmp_path / "cut.eval")[0].equals(read_eval(log)[0])


def test_a_killed_run_without_a_header_is_still_read(tmp_path: Path) -> None:
    log = write(tmp_path / "log.eval", samples())
    with zipfile.ZipFile(log) as whole:
        kept = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(tmp_path / "killed.eval", "w") as cut:
        for name, data in kept.items():
            if name == "header.json":
                cut.writestr("_journal/start.json", json.dumps({k: json.loads(data)[k] for k in ("version", "eval")}))
            elif name.startswith("samples/"):
                cut.writestr(name, data)
    assert "'started'" in read([tmp_path / "killed.eval"]).notes[0]


def test_a_log_without_samples_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="without samples .status 'error'"):
        read([write(tmp_path / "log.eval", [], status="error")])
