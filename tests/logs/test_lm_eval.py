"""Promises about lm-evaluation-harness's samples, in the forms that version 0.4.13 and its forerunners write."""

import json
from pathlib import Path
from typing import Any

import pytest

from axenic.errors import UserError
from axenic.logs.read import read

DATE = "2026-01-02T03-04-05.678901"


def generated(number: int, filter_: str = "none", score: Any = 1.0, temperature: float = 0.7) -> dict[str, Any]:
    settings = {"until": ["\n"], "do_sample": True, "temperature": temperature}
    return {
        "doc_id": number, "doc": {"q": f"Q{number}?", "subject": "chemistry"}, "target": "no",
        "arguments": {"gen_args_0": {"arg_0": f"Q{number}?", "arg_1": settings}}, "resps": [["no"]], "filtered_resps": ["no"],
        "filter": filter_, "metrics": ["exact_match"], "doc_hash": "d", "prompt_hash": "p", "exact_match": score,
    }  # fmt: skip


def choice(number: int, **metrics: Any) -> dict[str, Any]:
    """A multiple-choice row of a version that does not list its metrics."""
    arguments = [[f"Q{number}?", " yes"], [f"Q{number}?", " no"]]
    return {
        "doc_id": number, "doc": {"q": "Q?"}, "target": 1, "arguments": arguments, "resps": [[[-0.5, False]], [[-0.2, True]]],
        "filtered_resps": [[-0.5, False], [-0.2, True]], **metrics,
    }  # fmt: skip


def write(
    folder: Path, rows: list[dict[str, Any]], *, task: str = "gsm_like", seed: int | None = 7, model: str = "org/model"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"samples_{task}_{DATE}.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    if seed is not None:
        record = {"results": {}, "config": {"random_seed": seed, "model": "hf"}, "configs": {task: {}}, "model_name": model}
        (folder / f"results_{DATE}.json").write_text(json.dumps(record))
    return path


def test_model_seed_temperature_and_task_are_found(tmp_path: Path) -> None:
    write(tmp_path / "org__model", [generated(i, score=float(i % 2)) for i in range(4)])
    found = read([tmp_path])
    row = found.rows.iloc[1]
    assert found.inputs[0].kind == "lm-evaluation-harness" and len(found.inputs) == 1
    assert (row["eval"], row["arm"], row["train_seed"], row["temperature"]) == ("gsm_like", "org/model", 7, 0.7)
    assert (row["prompt"], row["response"], row["judge"], row["score"]) == ("Q1?", "no", "exact_match", 1.0)
    assert row["category"] == "chemistry"


def test_several_filters_are_several_judges_of_one_response(tmp_path: Path) -> None:
    rows = [generated(i, f, score=float(f == "loose" or i % 2)) for i in range(4) for f in ("strict", "loose")]
    found = read([write(tmp_path, rows)]).rows
    assert found.groupby("judge")["score"].mean().to_dict() == {"exact_match,loose": 1.0, "exact_match,strict": 0.5}


def test_several_metrics_of_older_versions_are_found_and_perplexity_is_left_out(tmp_path: Path) -> None:
    rows = [choice(i, acc=float(i % 2), acc_norm=1.0, perplexity=-12.5) for i in range(4)]
    found = read([write(tmp_path, rows)])
    assert set(found.rows["judge"]) == {"acc", "acc_norm"}
    assert "left out: perplexity" in found.notes[0]


def test_without_a_results_file_the_folder_names_the_model(tmp_path: Path) -> None:
    found = read([write(tmp_path / "org__model", [generated(0)], seed=None)]).rows
    assert found["arm"].iloc[0] == "org__model" and found["train_seed"].isna().all()


def test_a_failed_metric_is_a_row_without_a_verdict(tmp_path: Path) -> None:
    found = read([write(tmp_path, [generated(0), generated(1, score=None), generated(2, score=float("nan"))])]).rows
    assert len(found) == 3 and (found["status"] == "scored").sum() == 1


def test_runs_with_several_seeds_make_one_table(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        write(tmp_path / f"run{seed}", [generated(i, score=float((i + seed) % 2)) for i in range(4)], seed=seed)
    assert sorted(read([f"{tmp_path}/*"]).rows["train_seed"].unique()) == [1, 2, 3]


def test_samples_without_a_share_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no metric that lies between 0 and 1 .it has perplexity"):
        read([write(tmp_path, [choice(0, perplexity=-3.0)])])
