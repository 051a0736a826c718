"""Runs the command line in a process of its own, with a store of its own."""

import os
import subprocess
import sys
from pathlib import Path


def axenic(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """`axenic WORDS...` with artifacts under `home`; its output is captured."""
    environment = {**os.environ, "AXENIC_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "axenic", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
