"""What an executor tells its caller while it runs: one `Event` per thing that happened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["planned", "waiting", "started", "progress", "done", "cached", "rebuilt", "failed"]


@dataclass(frozen=True)
class Event:
    """One thing that happened to one step.

    planned: it is missing and will run. cached: its artifact is valid already. waiting: another process is building it.
    rebuilt: its artifact was damaged, has been set aside and will be built again; `note` says what was wrong.
    """

    kind: Kind
    label: str
    fingerprint: str
    done: int = 0  # progress: units of this step. Otherwise: steps of this run that are finished
    total: int = 0
    note: str = ""
    seconds: float = 0.0  # done, failed: wall time of the step


OnEvent = Callable[[Event], None]


def no_events(event: Event) -> None:
    """The default `OnEvent`: silence."""
