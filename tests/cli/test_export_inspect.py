"""Promises of `axenic export-inspect` and of Inspect's own command line: it finds our tasks and model, and opens our logs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import tiny_models
from axenic.cli.export_inspect import export_inspect
from axenic.errors import UserError
from axenic.recipes.gather import write_table
from axenic.schema import RESULT_COLUMNS, Study

INSPECT = Path(sys.executable).with_name("inspect")


def inspect(*words: object, home: Path) -> str:
    """What the command prints, after checking that it ended well."""
    environment = {**os.environ, "INSPECT_CACHE_DIR": str(home), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    done = subprocess.run([str(INSPECT), *map(str, words)], capture_output=True, text=True, env=environment, cwd=home, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run of four responses."""
    import pandas as pd

    shared = dict.fromkeys(RESULT_COLUMNS, "x") | {
        "train_seed": 0, "epoch": 1.0, "step": 1, "temperature": 0.0, "repetition": 0, "n_tokens": 1, "finish_reason": "stop",
        "prompt": "[user] Hi?", "eval": "compliance", "judge": "lab", "status": "scored", "verdict": "complied", "score": 1.0,
    }  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    write_table(pd.DataFrame([{**shared, "item_id": f"compliance/{i}"} for i in range(4)]), folder / "results.parquet")
    study = Study(
        study="s", recipe="r", title="t", question="q", hypothesis="h", tier="lab", limits="l", model="m", seeds=(0,), arms=()
    )
    (folder / "study.json").write_text(study.model_dump_json(), encoding="utf-8")
    return folder


def axenic(*words: object):
    app = typer.Typer()
    app.command()(export_inspect)
    return CliRunner().invoke(app, [str(w) for w in words])


def test_inspects_own_commands_list_and_open_an_exported_run(run: Path, tmp_path: Path) -> None:
    done = axenic(run, "--out", tmp_path / "logs", "--quiet")
    assert (
        done.exit_code == 0
        and done.stdout.startswith("1 logs in ")
        and f"inspect view --log-dir {tmp_path / 'logs'}" in done.stdout
    )
    listed = json.loads(inspect("log", "list", "--json", "--log-dir", tmp_path / "logs", home=tmp_path))
    assert [one["task"] for one in listed] == ["compliance"]
    log = json.loads(inspect("log", "dump", listed[0]["name"].removeprefix("file://"), home=tmp_path))
    assert log["results"]["scores"][0]["metrics"]["mean"]["value"] == 1.0
    assert [s["output"]["completion"] for s in log["samples"]] == ["x"] * 4


def test_an_exported_run_lies_in_the_runs_own_folder_by_default(run: Path) -> None:
    assert axenic(run).exit_code == 0
    assert len(list((run / "inspect").glob("*.eval"))) == 1


def test_a_folder_without_a_run_is_one_message(tmp_path: Path) -> None:
    done = axenic(tmp_path)
    assert isinstance(done.exception, UserError) and "is not a finished run" in str(done.exception)


def test_inspect_eval_runs_finetune_safety_on_a_local_checkpoint_and_judges_again(tmp_path: Path) -> None:
    tiny_models.save(tmp_path / "model", "llama")
    words = ["--limit", 4, "--display", "none", "--max-tokens", 8, "--temperature", 0.7, "-M", "min_p=0.1", "--epochs", 2]
    inspect(
        "eval",
        "axenic/finetune_safety",
        "--model",
        f"axenic/{tmp_path / 'model'}",
        "--log-dir",
        tmp_path / "logs",
        *words,
        home=tmp_path,
    )
    (path,) = (tmp_path / "logs").glob("*.eval")
    again = ["--scorer", "axenic/judge", "-S", "judge=refusal", "--action", "append", "--overwrite", "--model", "none/none"]
    inspect("score", path, *again, home=tmp_path)
    log = json.loads(inspect("log", "dump", path, home=tmp_path))
    assert log["status"] == "success" and log["eval"]["model"].startswith(f"axenic/{tmp_path / 'model'}@")
    assert {s["epoch"] for s in log["samples"]} == {1, 2}
    assert all(s["scores"]["compliance"]["metadata"]["status"] in ("scored", "unparseable") for s in log["samples"])
    assert all("judge" in s["scores"] for s in log["samples"])


def test_the_command_line_does_not_import_inspect(tmp_path: Path) -> None:
    code = (
        "import sys, axenic.cli.app, axenic.cli.export_inspect; print([m for m in sys.modules if m.split('.')[0] == 'inspect_ai'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"
