"""A pool of warm worker processes. One that dies takes only its own step with it; none outlives this process.

In: a schedule of steps. Out: the same schedule with every step booked as finished or failed.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from axenic.errors import EnvironmentProblem, UserError
from axenic.pipeline.graph import Schedule
from axenic.pipeline.run import Job
from axenic.pipeline.step import Later
from axenic.pipeline.store import Store

_LOOK_EVERY = 1.0  # seconds; a dead worker whose child still holds the connection open shows only when looked at
_FAREWELL = 3.0  # seconds that an idle worker has to end by itself


def run_in_pool(schedule: Schedule, store: Store, *, workers: int) -> None:
    """Run every step of the schedule in one of `workers` processes."""
    pool = _Pool(schedule, store, workers)
    try:
        pool.run()
    except BaseException:
        for worker in pool.members:
            worker.kill()  # what it was doing stays in its working directory
        raise
    pool.close()


class _Worker:
    """One process and, while it is busy, its job."""

    def __init__(self, store: Store, threads: int, modules: Sequence[str]) -> None:
        self.connection, theirs = Pipe()
        about = (str(theirs.fileno()), str(os.getpid()), str(store.root), *modules)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "axenic.pipeline.worker", *about],
            env=_environment(threads),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=2,  # standard output belongs to the result of the command
            start_new_session=True,  # Ctrl-C reaches the parent alone, and a group can be killed as one
        )
        theirs.close()
        self.job: Job | None = None
        self.since = 0.0

    def start(self, job: Job, payload: bytes) -> None:
        """Hand it a job, pickled."""
        self.job, self.since = job, time.perf_counter()
        with contextlib.suppress(OSError):  # dead already: the next look at it says so, and why
            self.connection.send_bytes(payload)

    def receive(self) -> tuple[str, Any, str] | None:
        """Its next message, or None if it is gone."""
        try:
            message: tuple[str, Any, str] = self.connection.recv()
        except (EOFError, OSError):
            return None
        return message

    def kill(self) -> None:
        """End it and whatever it has started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()


class _Pool:
    """As many workers as there is work for, up to a limit."""

    def __init__(self, schedule: Schedule, store: Store, limit: int) -> None:
        self.schedule, self.store, self.limit = schedule, store, limit
        self.threads = max(1, _cores() // limit)
        functions = {step.fn for step in schedule.graph.steps.values() if isinstance(step.fn, Later)}
        self.modules = sorted({function.path.partition(":")[0] for function in functions})
        self.members = [self._hired() for _ in range(min(limit, len(schedule.waiting)))]  # they warm up while the first works

    def run(self) -> None:
        """Hand out work and book results until nothing is left that can run."""
        while self._hand_out():
            busy = {worker.connection: worker for worker in self.members if worker.job is not None}
            for connection in wait(list(busy), timeout=_LOOK_EVERY):
                self._hear(busy[connection])  # type: ignore[index]
            for worker in busy.values():
                if worker.job is not None and worker.process.poll() is not None and not worker.connection.poll():
                    self._bury(worker)

    def _hired(self) -> _Worker:
        return _Worker(self.store, self.threads, self.modules)

    def close(self) -> None:
        """Let idle workers end by themselves."""
        for worker in self.members:
            worker.connection.close()
        deadline = time.monotonic() + _FAREWELL
        for worker in self.members:
            try:
                worker.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()

    def _hand_out(self) -> bool:
        """Give every idle worker a step; returns whether any worker is busy."""
        while sum(worker.job is not None for worker in self.members) < self.limit:
            job = self.schedule.take()
            if job is None:
                break
            try:
                payload = pickle.dumps(job)
            except Exception as error:  # whatever a spec's own pickling raises
                self.schedule.failed(job, error)
                continue
            idle = next((worker for worker in self.members if worker.job is None), None)
            if idle is None:
                idle = self._hired()
                self.members.append(idle)
            idle.start(job, payload)
        return any(worker.job is not None for worker in self.members)

    def _hear(self, worker: _Worker) -> None:
        message = worker.receive()
        assert worker.job is not None
        if message is None:
            self._bury(worker)
            return
        kind, content, text = message
        if kind == "event":
            self.schedule.emit(content)
            return
        job, worker.job = worker.job, None
        if kind == "finished":
            self.schedule.finished(job, content)
            return
        if not isinstance(content, UserError):
            content.add_note(f"(in step {job.label!r}, {job.fingerprint}; in its worker:)\n{text}")
        self.schedule.failed(job, content, seconds=time.perf_counter() - worker.since)

    def _bury(self, worker: _Worker) -> None:
        """A worker died in the middle of a step."""
        job, worker.job = worker.job, None
        assert job is not None
        worker.kill()
        self.members.remove(worker)
        self.schedule.failed(job, _obituary(job, worker.process.returncode), seconds=time.perf_counter() - worker.since)


def _obituary(job: Job, code: int) -> EnvironmentProblem:
    if code == -signal.SIGKILL:
        how = "was killed. Most likely the machine ran out of memory: use fewer workers, or a smaller model or batch size."
    elif code < 0:
        how = f"was ended by the signal {signal.Signals(-code).name}. If it happens again, look for its last words above."
    else:
        how = f"ended by itself with exit code {code}. If it happens again, look for its last words above."
    return EnvironmentProblem(f"The worker process that ran step {job.label!r} {how} Everything finished is kept: run again.")


def _environment(threads: int) -> dict[str, str]:
    """Environment of a worker: our import path, and a fair share of the cores unless the user has set one."""
    shares = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**shares, **os.environ, "PYTHONPATH": path}


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
