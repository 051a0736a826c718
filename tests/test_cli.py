"""Promises of the command line: a frozen surface, quick answers, one clear message per mistake, and runs that continue."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from axenic.cli.app import app, main

ROOT = Path(__file__).resolve().parent.parent
TOY = f"{ROOT / 'tests' / 'recipes' / 'toy_recipe.py'}:RECIPE"
SURFACE = ROOT / "tests" / "cli_surface.txt"
HEAVY = "torch transformers trl peft datasets accelerate pandas scipy sklearn statsmodels pyarrow plotly datasketch numpy".split()


class Result(NamedTuple):
    code: int
    out: str
    err: str


Axenic = Callable[..., Result]


@pytest.fixture
def axenic(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Axenic:
    """Runs a command line in this process, with a store of the test's own."""
    monkeypatch.setenv("AXENIC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")

    def call(*words: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["axenic", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return Result(int(stop.value.code or 0), captured.out, captured.err)

    return call


def start(tmp_path: Path, *words: object, **options: Any) -> "subprocess.Popen[bytes]":
    """The command in a process of its own, to be interrupted."""
    command = [sys.executable, "-c", "from axenic.cli import main; main()", *map(str, words)]
    environment = {**os.environ, "AXENIC_HOME": str(tmp_path / "home")}
    return subprocess.Popen(command, env=environment, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# --- the surface -----------------------------------------------------------------------------------------------------------


def surface(command: Any, path: str) -> list[str]:
    if hasattr(command, "commands"):
        return [line for name, below in sorted(command.commands.items()) for line in surface(below, f"{path} {name}")]
    lines = [path]
    for parameter in command.params:
        if parameter.name == "help":
            continue
        names = " ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.metavar or parameter.name
        lines.append(f"  {names}{' (required)' if parameter.required else ''}")
    return lines


def test_commands_and_options_are_as_frozen() -> None:
    now = "\n".join(surface(typer.main.get_command(app), "axenic")) + "\n"
    assert now == SURFACE.read_text(), f"If the change is meant, put this into {SURFACE.name} and CHANGELOG.md:\n{now}"


@pytest.mark.parametrize("words", [["--help"], ["list"], ["run", "--help"]])
def test_help_and_list_import_nothing_heavy_and_answer_at_once(words: list[str]) -> None:
    code = f"import sys, axenic.cli as c\nsys.argv = ['axenic', *{words!r}]\ntry:\n    c.main()\nexcept SystemExit as stop:\n"
    code += f"    assert not stop.code\n    print([m for m in {HEAVY!r} if m in sys.modules])"
    seconds = []  # of processor time: what else the machine is doing is not ours to test
    for _ in range(3):
        before = os.times()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    assert min(seconds) < 0.5


def test_version_is_printed(axenic: Axenic) -> None:
    assert axenic("--version").out.startswith("axenic 0.")


# --- list, schema ----------------------------------------------------------------------------------------------------------


def test_list_shows_every_table_and_says_where_there_is_nothing_yet(axenic: Axenic) -> None:
    result = axenic("list")
    assert result.code == 0
    for name in ("recipes", "evals", "judges", "organisms", "defences", "writers", "sizes", "sdf", "belief", "tiny"):
        assert name in result.out
    assert axenic("list", "defences").out == "defences\n  none yet\n\n"
    assert "belief" in json.loads(axenic("list", "organisms", "--json").out)["organisms"]


def test_a_misspelt_table_recipe_or_executor_gets_the_nearest_match(axenic: Axenic, tmp_path: Path) -> None:
    assert "Did you mean 'recipes'?" in axenic("list", "recipe").err
    result = axenic("plan", "sdff")
    assert result.code == 2 and "Unknown recipe 'sdff'. Did you mean 'sdf'?" in result.err and "docs/add_a_recipe.md" in result.err
    assert "Unknown executor 'lokal'. Did you mean 'local'?" in axenic("run", TOY, "--out", tmp_path / "o", "--on", "lokal").err


def test_schema_is_json_schema_that_refuses_unknown_keys(axenic: Axenic) -> None:
    schema = json.loads(axenic("schema", TOY).out)
    assert schema["additionalProperties"] is False and schema["properties"]["throws"]["minimum"] == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone.py:RECIPE", "There is no file 'gone.py'"),
        (TOY.replace("RECIPE", "RECIPES"), "Did you mean 'RECIPE'?"),
        (TOY.removesuffix(":RECIPE"), "names a file but no recipe"),
        (TOY.replace("RECIPE", "NOT_A_RECIPE"), "is a int. It must be, or return"),
        ("broken.py:RECIPE", "'broken.py' could not be imported: ZeroDivisionError"),
        ("json.py:RECIPE", "same name as another module"),
    ],
)
def test_a_recipe_of_ones_own_that_cannot_be_had_is_explained(
    axenic: Axenic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "json.py").write_text("RECIPE = 1\n")
    result = axenic("plan", name)
    assert result.code == 2 and says in result.err and "Traceback" not in result.err


# --- plan, run -------------------------------------------------------------------------------------------------------------


def test_plan_runs_nothing_and_tells_cached_from_missing(axenic: Axenic, tmp_path: Path) -> None:
    before = json.loads(axenic("plan", TOY, "--json").out)
    assert [step["state"] for step in before["steps"]] == ["to run"] * 5
    assert not (tmp_path / "home").exists()
    axenic("run", TOY, "--out", tmp_path / "out")
    after = json.loads(axenic("plan", TOY, "--seeds", "3", "--json").out)
    states = [step["state"] for step in after["steps"]]
    assert states.count("cached") == 4 and states.count("to run") == 3
    assert "3 to run: about" in axenic("plan", TOY, "--seeds", "3").out
    assert axenic("plan", TOY).out.rstrip().endswith("5 steps, 0 to run.")


def test_a_run_leaves_results_and_ends_with_the_headline_and_the_report(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    result = axenic("run", TOY, "--out", out)
    assert result.code == 0, result.err
    files = {path.name for path in out.iterdir()}
    assert files == {
        "study.json",
        "results.parquet",
        "estimates.json",
        "corpora.json",
        "training.json",
        "manifest.json",
        "report.html",
    }
    assert "loaded − fair" in result.out and result.out.rstrip().endswith(f"Report: {out / 'report.html'}")
    assert "a library that prints" not in result.out
    assert "[5/5] results: done" in result.err and "5 steps to run" in result.err


def test_the_manifest_traces_every_artifact_to_its_parents(axenic: Axenic, tmp_path: Path) -> None:
    axenic("run", TOY, "--out", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert set(manifest) >= {
        "axenic",
        "command",
        "commit",
        "dirty",
        "started",
        "wall_seconds",
        "machine",
        "packages",
        "artifacts",
    }
    assert manifest["command"].startswith(f"axenic run {TOY}")
    *throws, last = manifest["artifacts"]
    assert last["label"] == "results" and set(last["parents"]) == {one["fingerprint"] for one in throws}
    assert all(one["bytes"] > 0 and one["seconds"] >= 0 and one["function"].startswith("toy_recipe:") for one in throws)


def test_running_a_finished_study_again_runs_nothing_and_keeps_its_provenance(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    axenic("run", TOY, "--out", out)
    manifest = (out / "manifest.json").read_text()
    (out / "estimates.json").write_text("damaged")
    result = axenic("run", TOY, "--out", out, "--json")
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert answer["steps_run"] == 0 and (out / "manifest.json").read_text() == manifest
    assert axenic("show", out).code == 0


def test_workers_config_set_and_flags_reach_the_study(axenic: Axenic, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("throws: 5\nseeds: 4\n")
    words = ["--config", tmp_path / "c.yaml", "--set", "throws=7", "--seeds", "2,4", "--workers", 2, "--quiet", "--json"]
    result = axenic("run", TOY, "--out", tmp_path / "out", *words)
    assert result.code == 0 and result.err == ""
    study = json.loads((tmp_path / "out" / "study.json").read_text())
    assert study["seeds"] == [2, 4] and study["parameters"]["throws"] == 7 and json.loads(result.out)["steps_run"] == 5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "trows=3"], "Unknown parameter 'trows'. Did you mean 'throws'?"),
        (["--set", "throws=0"], "'throws': input should be greater than or equal to 1, not 0 (from --set throws=0)"),
        (["--set", "throws"], "not of the form key=value"),
        (["--seeds", "zero"], "Seeds must be a count"),
        (["--config", "gone.yaml"], "gone.yaml cannot be read"),
        (["--belief", "b.yaml"], "takes no --belief"),
        (["--model", "m", "--size", "nano"], "'size' has no effect here: a model is given"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_a_mistake_is_one_message_and_nothing_is_written(axenic: Axenic, tmp_path: Path, words: list[str], says: str) -> None:
    result = axenic("run", TOY, "--out", tmp_path / "out", *words)
    assert result.code == 2 and says in result.err and "Traceback" not in result.err and result.out == ""
    assert not (tmp_path / "out").exists() and not (tmp_path / "home").exists()


def test_a_mistake_that_a_step_finds_is_told_without_a_traceback(axenic: Axenic, tmp_path: Path) -> None:
    result = axenic("run", TOY, "--out", tmp_path / "out", "--set", "fail=user", "--quiet")
    assert result.code == 2 and result.err.splitlines()[-1] == "Error: The die is not a cube. Give a cube."


def test_a_bug_is_a_short_message_and_a_file_with_the_traceback(
    axenic: Axenic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    result = axenic("run", TOY, "--out", tmp_path / "out", "--set", "fail=bug", "--quiet")
    assert result.code == 1 and "ZeroDivisionError: the die rolled under the table" in result.err
    assert "Traceback (most" not in result.err
    (file,) = tmp_path.glob("axenic-traceback-*.txt")
    text = file.read_text()
    assert str(file) in result.err and "Traceback (most recent call last)" in text and "in step 'results'" in text


def test_a_bug_shows_its_traceback_when_asked_to(axenic: Axenic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXENIC_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["axenic", "run", TOY, "--out", str(tmp_path / "out"), "--set", "fail=bug"])
    with pytest.raises(ZeroDivisionError):
        main()


# --- stopping and continuing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_is_stopped_continues_where_it_was(
    axenic: Axenic, tmp_path: Path, signal_: signal.Signals, code: int, workers: int
) -> None:
    words = ["run", TOY, "--out", tmp_path / "out", "--set", "wait=0.8", "--workers", workers]
    process = start(tmp_path, *words)
    artifacts = tmp_path / "home" / "store" / "artifacts"
    until(lambda: artifacts.is_dir() and any(artifacts.iterdir()))
    process.send_signal(signal_)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    if signal_ == signal.SIGINT:
        assert b"run the same command again to continue" in err and b"Traceback" not in err
    result = axenic(*words, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["steps_run"] < 5


def test_two_runs_into_one_folder_are_refused(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(tmp_path, "run", TOY, "--out", out, "--set", "wait=30")
    try:
        until(lambda: (out / "study.json").exists())
        result = axenic("run", TOY, "--out", out, "--set", "wait=30")
        assert result.code == 2 and "Another run is writing into" in result.err
    finally:
        process.kill()
        process.communicate()


def test_a_terminal_sees_a_live_display(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = start(tmp_path, "run", TOY, "--out", tmp_path / "out", "--set", "wait=0.6", stdout=child, stderr=child)
    os.close(child)
    shown = b""
    try:
        while chunk := os.read(parent, 65_536):
            shown += chunk
    except OSError:  # Linux says so when the other end closes
        pass
    os.close(parent)
    assert process.wait(timeout=30) == 0
    text = shown.decode()
    assert "all steps" in text and "throw fair seed 0" in text and "left" in text and "throwing" in text
    assert "Report:" in text


# --- the output folder -----------------------------------------------------------------------------------------------------


def test_a_folder_with_something_else_in_it_is_left_alone(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"):
        (out / name).write_text("x")
    result = axenic("run", TOY, "--out", out, "--force")
    assert result.code == 2 and "is not empty (a.jpg, b.jpg, c.jpg and 1 more)" in result.err
    assert len(list(out.iterdir())) == 4 and not (tmp_path / "home").exists()


def test_another_study_is_replaced_only_by_force_and_only_its_own_files(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    axenic("run", TOY, "--out", out)
    (out / "notes.txt").write_text("mine")
    result = axenic("run", TOY, "--out", out, "--set", "throws=9")
    assert result.code == 2 and "holds another study" in result.err and "--force" in result.err
    assert axenic("run", TOY, "--out", out, "--set", "throws=9", "--force").code == 0
    assert json.loads((out / "study.json").read_text())["parameters"]["throws"] == 9 and (out / "notes.txt").read_text() == "mine"


def test_what_a_killed_write_left_does_not_make_a_folder_foreign(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".study.json.123").write_text("{")
    assert axenic("run", TOY, "--out", out).code == 0


def test_an_output_that_is_a_file_or_cannot_be_written_is_refused_before_any_work(axenic: Axenic, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "is a file. Name a folder" in axenic("run", TOY, "--out", tmp_path / "file").err
    below = axenic("run", TOY, "--out", tmp_path / "file" / "out")
    assert below.code == 1 and "cannot be written: Not a directory" in below.err
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_a_folder_that_may_not_be_made_is_refused_before_any_work(axenic: Axenic, tmp_path: Path) -> None:
    result = axenic("run", TOY, "--out", "/proc/axenic-out")
    assert result.code == 1 and "cannot be written" in result.err and not (tmp_path / "home").exists()


# --- show, report, artifacts -----------------------------------------------------------------------------------------------


def test_show_prints_estimates_for_people_and_programs(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    axenic("run", TOY, "--out", out)
    assert json.loads(axenic("show", out, "--json").out) == json.loads((out / "estimates.json").read_text())
    assert "mean of seeds" not in axenic("show", out).out
    assert "mean of seeds" in axenic("show", out, "--all").out


def test_report_is_written_again(axenic: Axenic, tmp_path: Path) -> None:
    out = tmp_path / "out"
    axenic("run", TOY, "--out", out)
    (out / "report.html").unlink()
    assert str(out / "report.html") in axenic("report", out).out and (out / "report.html").stat().st_size > 10_000


def test_a_folder_without_a_run_says_what_it_lacks(axenic: Axenic, tmp_path: Path) -> None:
    assert "it is not a run" in axenic("show", tmp_path).err
    axenic("run", TOY, "--out", tmp_path / "out", "--set", "fail=user")
    result = axenic("show", tmp_path / "out")
    assert result.code == 2 and "has not finished" in result.err
    assert axenic("report", tmp_path).code == 2


def test_artifacts_are_listed_shown_and_removed(axenic: Axenic, tmp_path: Path) -> None:
    axenic("run", TOY, "--out", tmp_path / "out")
    listed = json.loads(axenic("artifacts", "list", "--json").out)["artifacts"]
    assert [one["label"] for one in listed].count("results") == 1 and len(listed) == 5
    last = listed[-1]["fingerprint"]
    shown = axenic("artifacts", "show", last[:10]).out
    assert "every file matches its checksum" in shown and "throw fair seed 0" in shown
    assert json.loads(axenic("artifacts", "show", last, "--json").out)["sound"] is True
    assert "begins with 'zz'" in axenic("artifacts", "show", "zz").err
    assert "5 artifacts" in axenic("artifacts", "list").out


def test_gc_spares_every_artifact_unless_told_otherwise(axenic: Axenic, tmp_path: Path) -> None:
    axenic("run", TOY, "--out", tmp_path / "out")
    axenic("run", TOY, "--out", tmp_path / "more", "--set", "throws=9")

    def gc(*words: object) -> int:
        return len(json.loads(axenic("artifacts", "gc", *words, "--json").out)["removed"])

    assert gc() == 0
    assert gc("--keep-runs", tmp_path / "out", "--dry-run") == 5
    assert gc("--keep-runs", tmp_path / "out") == 5
    assert json.loads(axenic("run", TOY, "--out", tmp_path / "out", "--json").out)["steps_run"] == 0
    assert gc("--older-than", 1) == 0
    assert gc("--all") == 5
    assert "no readable manifest.json" in axenic("artifacts", "gc", "--keep-runs", tmp_path).err


def test_a_damaged_artifact_is_rebuilt_and_said_so(axenic: Axenic, tmp_path: Path) -> None:
    axenic("run", TOY, "--out", tmp_path / "out")
    last = json.loads((tmp_path / "out" / "manifest.json").read_text())["artifacts"][-1]["fingerprint"]
    damaged = tmp_path / "home" / "store" / "artifacts" / last / "estimates.json"
    damaged.write_text("{}")
    assert "DAMAGED" in axenic("artifacts", "show", last).out
    result = axenic("run", TOY, "--out", tmp_path / "out")
    assert result.code == 0 and "results: rebuilt (estimates.json does not match its checksum)" in result.err
    assert "DAMAGED" not in axenic("artifacts", "show", last).out
