"""Does code do what was asked? Runs a snippet and then a check of it, in a process that may do next to nothing.

In: pairs of a snippet and a check (Python that asserts). Out: an `Outcome` per pair, in order. The process has limits on time,
memory and files, no environment, no third-party packages, a folder of its own that is removed, and a guard that ends it when it
opens a file for writing, a socket or a program (`guard`). This stops accidents of a model's code; it is no wall against an
attacker, so code by somebody hostile belongs in a container or a virtual machine.
"""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from axenic.code.extract import parse
from axenic.errors import EnvironmentProblem

Fate = Literal["works", "fails", "hangs", "contained", "breaks"]
"""works: the check passed. fails: an assertion of the check did not hold. hangs: out of time. contained: it tried something that is
refused. breaks: it does not parse, raised something else, or ended the process."""

_GUARD = Path(__file__).with_name("guard.py")
_ANSWER_BYTES = 65_536
_PAUSE = 0.004  # seconds between two looks at a process


@dataclass(frozen=True)
class Outcome:
    """What became of a snippet, and why in a few words."""

    fate: Fate
    note: str = ""


@dataclass(frozen=True)
class Limits:
    """What a snippet may use."""

    wall: float = 10.0  # seconds, start of the interpreter included
    cpu: int = 3  # seconds
    memory: int = 512  # MiB of address space
    files: int = 32  # open at once

    def as_rlimits(self) -> dict[str, int]:
        """By the names of the module `resource`; no file may grow, no process may be started, no core is dumped."""
        return {
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_AS": self.memory * 2**20,
            "RLIMIT_NOFILE": self.files,
            "RLIMIT_FSIZE": 0,
            "RLIMIT_CORE": 0,
            "RLIMIT_NPROC": 0,
        }


def run(snippet: str, check: str = "", *, limits: Limits = Limits()) -> Outcome:
    """Run one snippet and then its check, which sees the snippet's names and may replace what it would call.

    Raises:
        EnvironmentProblem: This system cannot restrict a process (no POSIX), or none can be started.
    """
    if os.name != "posix":
        raise EnvironmentProblem("Code can only be run in a sandbox on Linux or macOS: this system cannot limit a process.")
    if parse(snippet) is None:
        return Outcome("breaks", "does not parse")
    with tempfile.TemporaryDirectory(prefix="axenic-code-", ignore_cleanup_errors=True) as folder:
        return _in_folder(folder, snippet, check, limits)


def run_all(jobs: Sequence[tuple[str, str]], *, limits: Limits = Limits(), workers: int | None = None) -> list[Outcome]:
    """Run (snippet, check) pairs, a few at once; equal pairs run once.

    Args:
        jobs: The pairs.
        limits: For each.
        workers: Processes at once; default as many as there are cores, 4 at most.

    Raises:
        EnvironmentProblem: As `run`.
    """
    distinct = list(dict.fromkeys(jobs))
    with ThreadPoolExecutor(max_workers=workers or min(4, os.cpu_count() or 1)) as pool:
        found = dict(zip(distinct, pool.map(lambda job: run(*job, limits=limits), distinct), strict=True))
    return [found[job] for job in jobs]


def _in_folder(folder: str, snippet: str, check: str, limits: Limits) -> Outcome:
    read, write = os.pipe()
    try:
        with tempfile.TemporaryFile("w+") as job:
            json.dump(
                {
                    "snippet": snippet,
                    "check": check,
                    "folder": folder,
                    "readable": sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}),
                    "limits": limits.as_rlimits(),
                    "answer": write,
                },
                job,
            )
            job.seek(0)
            process = _start(folder, job.fileno(), write)
        os.close(write)
        write = -1
        ended = _wait(process, limits.wall)
        return _outcome(ended, process.returncode, _answer(read))
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def _start(folder: str, job: int, answer: int) -> subprocess.Popen[bytes]:
    """Not by `-I`, which would ignore the fixed hash seed: the order of a set must not decide a verdict."""
    python = getattr(sys, "_base_executable", "") or sys.executable  # of a virtual environment, the interpreter under it
    try:
        return subprocess.Popen(
            [python, "-s", "-S", "-P", "-B", str(_GUARD)],
            stdin=job,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            pass_fds=(answer,),
            start_new_session=True,
        )
    except OSError as error:
        raise EnvironmentProblem(f"No process could be started to run code in: {error}.") from error


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended by itself in time. Its whole group is gone afterwards."""
    deadline = time.monotonic() + seconds
    ended = False
    try:
        while not ended and time.monotonic() < deadline:
            # looked at without being reaped, so that its number stays its own until its group is killed
            ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            if not ended:
                time.sleep(_PAUSE)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return ended


def _answer(read: int) -> dict[str, str]:
    """What the guard wrote, if it came so far. Never waits: all who could write are gone."""
    os.set_blocking(read, False)
    try:
        told = json.loads(os.read(read, _ANSWER_BYTES) or b"{}")
    except (BlockingIOError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _outcome(ended: bool, code: int, told: dict[str, str]) -> Outcome:
    if told.get("verdict") in ("works", "fails", "contained", "breaks"):
        return Outcome(cast(Fate, told["verdict"]), str(told.get("note", "")))
    if not ended or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome("hangs", "did not end in time")
    if code == -signal.SIGXFSZ:
        return Outcome("contained", "tried to write a file")
    return Outcome("breaks", f"killed by signal {-code}" if code < 0 else "ended the process")
