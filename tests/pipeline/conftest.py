"""A store of its own for every test, and a way to run a snippet in a process that can be killed."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from axenic.pipeline.store import Store

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # workers must find `example_steps` by its import path, as they find any step


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STEP_LOG", str(tmp_path / "log.txt"))
    monkeypatch.setenv("STEP_STORE", str(tmp_path / "store"))
    return Store(tmp_path / "store")


@pytest.fixture
def spawn(store: Store):
    """Start a Python process with the store as `store` and everything of `example_steps` at hand."""
    started: list[subprocess.Popen[str]] = []

    def start(body: str) -> subprocess.Popen[str]:
        head = """
        import os
        from example_steps import *
        from axenic.pipeline.local import execute
        from axenic.pipeline.store import Store
        store = Store(os.environ["STEP_STORE"])
        """
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(body)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    def wait_until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.02)

    return wait_until
