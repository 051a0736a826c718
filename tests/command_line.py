"""Runs the command line in a process of its own, with a store of its own, and reads what a run left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from axenic.findings import Findings


def axenic(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """`axenic WORDS...` with artifacts under `home`; its output is captured."""
    environment = {**os.environ, "AXENIC_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "axenic", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def study(home: Path, recipe: str, *words: object, name: str = "run") -> Path:
    """The folder of a study that ran through, in two worker processes."""
    done = axenic(home, "run", recipe, *words, "--workers", 2, "--out", home / name)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return home / name


def sets(*settings: str) -> tuple[str, ...]:
    """`--set` before each."""
    return tuple(word for setting in settings for word in ("--set", setting))


def findings(out: Path) -> Findings:
    """The findings of a run."""
    return Findings.model_validate_json((out / "estimates.json").read_text())


def read(out: Path, name: str) -> Any:
    """A JSON file of a run."""
    return json.loads((out / name).read_text())
