"""The process behind `pool.py`: receives jobs, runs them one after the other, sends back events, artifacts and errors.

Started as `python -m axenic.pipeline.worker FD PARENT ROOT [MODULE ...]`, it imports the modules and stays warm, so that heavy
imports are paid once. It ends when the connection closes, and at once, with everything it started, when its parent is gone.
"""

import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from axenic.errors import EnvironmentProblem, UserError
from axenic.pipeline.events import Event
from axenic.pipeline.run import Job, run_step
from axenic.pipeline.store import Store

_PROGRESS_EVERY = 0.05  # seconds; a step may report as often as it likes
_WATCH_EVERY = 0.5  # seconds


def main(descriptor: int, parent: int, root: Path, modules: Sequence[str]) -> None:
    """Serve until the parent closes the connection; `modules` are those of the steps that may come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; two tracebacks help nobody
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    connection: Connection = Connection(descriptor)
    store = Store(root)
    _warm_up(modules)
    while True:
        try:
            payload = connection.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            artifact = run_step(_unpack(payload), store, _Sender(connection))
        except Exception as error:
            message: tuple[str, object, str] = ("failed", _portable(error), "".join(traceback.format_exception(error)))
        else:
            message = ("finished", artifact, "")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever asked was killed; nobody is left to tell
            connection.send(message)


def _warm_up(modules: Sequence[str]) -> None:
    for module in modules:
        with contextlib.suppress(Exception):  # the step that needs it says what is wrong
            import_module(module)
    gc.freeze()  # the trainers collect garbage often, and should not look through all these modules every time


def _unpack(payload: bytes) -> Job:
    try:
        job: Job = pickle.loads(payload)
    except Exception as error:
        error.add_note("A worker could not load this step: define its function and its spec in modules that can be imported.")
        raise
    return job


class _Sender:
    """Sends events, and of progress only as much as a person can follow."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.last = 0.0

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if event.kind == "progress" and event.done < event.total and now - self.last < _PROGRESS_EVERY:
            return
        self.last = now
        self.connection.send(("event", event, ""))


def _portable(error: Exception) -> Exception:
    """The error itself if it survives the journey, else the nearest kind that does."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        if isinstance(error, EnvironmentProblem):
            return EnvironmentProblem(str(error))
        return UserError(str(error)) if isinstance(error, UserError) else RuntimeError(f"{type(error).__name__}: {error}")


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_EVERY)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # the worker leads its own group, so this reaches what a step has started too


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
