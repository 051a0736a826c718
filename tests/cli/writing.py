"""`axenic write` in a process of its own, with a model that a server on this machine stands in for."""

import os
import subprocess
import sys
from pathlib import Path

from chat_server import Running


def command(folder: Path, server: Running, *words: object) -> list[str]:
    """The command line for the belief or the spec that the folder holds, into its folder `out`."""
    belief, spec = folder / "belief.yaml", folder / "small.md"
    about = ("--belief", belief) if belief.exists() else ("--spec", spec)
    where = [*about, "--out", folder / "out", "--model-base-url", server.base_url]
    return [sys.executable, "-m", "axenic", "write", *map(str, [*where, *words])]


def environment() -> dict[str, str]:
    return {**os.environ, "LOCAL_API_KEY": "not-a-key", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


def axenic_write(folder: Path, server: Running, *words: object) -> subprocess.CompletedProcess[str]:
    """Run it to its end; the model is the server's unless the words name one."""
    model = () if "--model" in words else ("--model", "openai-api/local/m")
    return subprocess.run(command(folder, server, *model, *words), capture_output=True, text=True, env=environment(), timeout=300)
