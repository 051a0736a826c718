"""What a person sees while a study runs.

In: the pipeline's events and the expected cost of each step. Out: on a terminal a live display (all steps, those now running,
time left); elsewhere plain lines, one when a step starts or ends and one about every ten seconds in between.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live as RichLive
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from axenic.pipeline.events import Event
from axenic.pipeline.local import PlannedStep
from axenic.report import numbers

EVERY_SECONDS = 10.0
"""How often a step that runs long says so on a plain stream."""
ENOUGH = 0.02
"""Share of the work that must be done before the pace so far says more than the expected costs."""


@dataclass
class Running:
    """A step under way. `done` of `total` is its own count; 0 of 0 until it reports one."""

    label: str
    started: float
    done: int = 0
    total: int = 0
    note: str = ""
    said: float = 0.0  # when a plain line last spoke of it

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass
class Tracker:
    """What the events so far add up to.

    `costs`: expected seconds by fingerprint, of the steps that have to run. Steps that were there already do not count.
    """

    costs: dict[str, float]
    workers: int = 1
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    ran: int = 0
    started: float | None = None

    def update(self, event: Event) -> None:
        """Take one event into account."""
        key = event.fingerprint
        match event.kind:
            case "started":
                self.started = self.clock() if self.started is None else self.started
                self.running[key] = Running(event.label, self.clock(), said=self.clock())
            case "progress" if key in self.running:
                step = self.running[key]
                step.done, step.total, step.note = event.done, event.total, event.note
            case "done" | "cached":
                self.running.pop(key, None)
                self.ran += event.kind == "done"
                if key in self.costs:
                    self.finished.add(key)
            case "failed":
                self.running.pop(key, None)

    @property
    def steps(self) -> int:
        """Steps that have to run."""
        return len(self.costs)

    @property
    def done(self) -> int:
        """Steps of those that are finished."""
        return len(self.finished)

    def left(self) -> float:
        """Seconds until the whole study is done: as expected at first, at the measured pace once there is one."""
        work = sum(self.costs.values())
        achieved = sum(self.costs[key] for key in self.finished)
        achieved += sum(step.share * self.costs.get(key, 0.0) for key, step in self.running.items())
        if self.started is None or achieved < ENOUGH * work or achieved <= 0:
            return (work - achieved) / self.workers
        return (self.clock() - self.started) * (work - achieved) / achieved


class Plain:
    """One line per started and finished step, and one about every ten seconds on long ones."""

    def __init__(self, tracker: Tracker, stream: TextIO) -> None:
        self.tracker, self.stream = tracker, stream

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Print the event, if it is worth a line."""
        before = self.tracker.running.get(event.fingerprint)
        self.tracker.update(event)
        step = self.tracker.running.get(event.fingerprint)
        match event.kind:
            case "started":
                self._say(f"{event.label} …")
            case "progress" if step and self.tracker.clock() - step.said >= EVERY_SECONDS:
                step.said = self.tracker.clock()
                self._say(" · ".join([f"{event.label} … {self._how_far(step)}", *self._left()]))
            case "done":
                seconds = event.seconds or (self.tracker.clock() - before.started if before else 0.0)
                self._say(" · ".join([f"{event.label}: done in {numbers.seconds(seconds)}", *self._left()]))
            case "waiting" | "rebuilt" | "failed":
                self._say(_in_words(event))

    def _how_far(self, step: Running) -> str:
        share = [f"{step.share:.0%}"] if step.total else []
        return " · ".join([*share, numbers.seconds(self.tracker.clock() - step.started), *([step.note] if step.note else [])])

    def _left(self) -> list[str]:
        left = self.tracker.left()
        return [f"about {numbers.seconds(left)} left"] if left >= 1 else []

    def _say(self, text: str) -> None:
        print(f"[{self.tracker.done}/{self.tracker.steps}] {text}", file=self.stream, flush=True)


class Live:
    """A display that redraws itself in place: the whole study, and a line for every step now running."""

    def __init__(self, tracker: Tracker, console: Console) -> None:
        self.tracker = tracker
        self.live = RichLive(console=console, get_renderable=self._render, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Live":
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.live.stop()

    def __call__(self, event: Event) -> None:
        """Take the event into the display; leave a line behind for what should stay readable."""
        self.tracker.update(event)
        if event.kind in ("rebuilt", "failed", "waiting"):
            self.live.console.print(_in_words(event), markup=False)

    def _render(self) -> RenderableType:
        tracker, now = self.tracker, self.tracker.clock()
        table = Table.grid(padding=(0, 1))
        left = tracker.left()
        whole = f"about {numbers.seconds(left)} left" if left >= 1 else ""
        table.add_row("all steps", ProgressBar(total=max(tracker.steps, 1), completed=tracker.done, width=30),
                      f"{tracker.done}/{tracker.steps}", whole)  # fmt: skip
        for step in tracker.running.values():
            bar = ProgressBar(total=step.total or None, completed=step.done, width=30, pulse=not step.total)
            count = f"{step.share:.0%}" if step.total else ""
            note = f" · {step.note}" if step.note else ""
            table.add_row(f"  {_plain(step.label)}", bar, count, _plain(numbers.seconds(now - step.started) + note))
        return table


class Silent(Plain):
    """No display; the tracker still counts."""

    def __call__(self, event: Event) -> None:
        """Take the event into account."""
        self.tracker.update(event)


Display = Plain | Live


def costs(planned: Sequence[PlannedStep]) -> dict[str, float]:
    """Expected seconds by fingerprint, of the steps that have to run."""
    return {step.fingerprint: step.cost.seconds for step in planned if step.needed and not step.cached}


def display(costs: dict[str, float], *, workers: int, quiet: bool) -> Display:
    """The display that suits standard error: live on a terminal, plain lines elsewhere, none if `quiet`."""
    tracker = Tracker(costs, workers)
    if quiet:
        return Silent(tracker, sys.stderr)
    console = Console(stderr=True)
    return Live(tracker, console) if console.is_terminal else Plain(tracker, sys.stderr)


def _in_words(event: Event) -> str:
    """What happened to a step, on one line; the whole of an error follows when the run ends."""
    note = numbers.shorten(" ".join(event.note.split()), 90)
    return f"{event.label}: {event.kind}{f' ({note})' if note else ''}"


def _plain(text: str) -> str:
    """Text from a step, kept from being read as rich markup."""
    return escape(text)
