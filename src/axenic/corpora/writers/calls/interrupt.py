"""Ctrl-C while calls are in flight: they are paid for, so they are waited for; nothing new begins.

In: open calls. Out: within the block, the first Ctrl-C stops in good order, and the second at once.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from axenic.corpora.writers.calls.engine import Calls
from axenic.errors import UserError


class Stopped(UserError):
    """The user pressed Ctrl-C. Exit code 130."""

    exit_code = 130


@contextmanager
def orderly(calls: Calls) -> Iterator[None]:
    """Take Ctrl-C as "finish what is in flight"; outside the main thread it changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))  # what is answered is on disk, as after a kill
        print("\nStopping: waiting for the calls in flight, which are paid for. Ctrl-C again leaves at once.", file=sys.stderr)
        calls.stop(Stopped("Stopped. Everything paid for is kept: run the same command again to continue."))

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
