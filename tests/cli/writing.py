"""`axenic write` in a process of its own, with a model that a server on this machine stands in for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
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


def stopped(folder: Path, server: Running, words: Sequence[object], *, how: int, after: int) -> tuple[int, str]:
    """Run it until so many calls are answered, and send it a signal: its exit code, and what it said."""
    process = subprocess.Popen(command(folder, server, *words), env=environment(), stderr=subprocess.PIPE, text=True)
    while len(server.stats()["answered"]) < after and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def kept_calls(folder: Path) -> int:
    """How many answers are on disk."""
    return (folder / "out" / "calls" / "answers.jsonl").read_bytes().count(b"\n")


def goes_on_and_pays_for_nothing_twice(folder: Path, server: Running, words: Sequence[object]) -> None:
    """The same command once more: what it asks is what was not kept."""
    kept = kept_calls(folder)
    server.reset()
    done = axenic_write(folder, server, *words)
    assert done.returncode == 0, done.stderr
    stages = json.loads((folder / "out" / "ledger.json").read_text())["stages"]
    asked = sum(server.stats()["asked"].values())
    assert asked == sum(s["fresh"] for s in stages) == sum(s["calls"] for s in stages) - kept
