"""A tiny random model behind Inspect's interface, and a run of a task without display that leaves its log in a test's folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog

import tiny_models


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's directory."""
    path = tmp_path_factory.mktemp("inspect") / "llama"
    tiny_models.save(path, "llama")
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EvalLog]:
    """`run(task, model=..., **options)` -> the log."""
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))

    def call(task, **options) -> EvalLog:
        return inspect_eval(task, display="none", log_dir=str(tmp_path / "logs"), **options)[0]

    return call
