"""Promises of the progress display: counts, time left, and plain lines where there is no terminal."""

import io

import pytest
from rich.console import Console

from axenic.cli.progress import Live, Plain, Tracker, display
from axenic.pipeline.events import Event, Kind


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tracker(clock: Clock, *, workers: int = 1) -> Tracker:
    return Tracker({"a": 10.0, "b": 30.0}, workers, clock)


def event(kind: Kind, name: str = "a", done: int = 0, total: int = 0, note: str = "", seconds: float = 0.0) -> Event:
    return Event(kind, f"train {name}", name, done, total, note, seconds)


def test_time_left_starts_from_the_expected_costs_and_the_workers(clock: Clock) -> None:
    assert tracker(clock).left() == 40.0
    assert tracker(clock, workers=2).left() == 20.0


def test_time_left_follows_the_pace_so_far(clock: Clock) -> None:
    t = tracker(clock)
    t.update(event("started"))
    clock.now += 20
    t.update(event("done"))
    assert t.left() == pytest.approx(60.0)  # a quarter of the work took 20 s
    t.update(event("started", "b"))
    clock.now += 30
    t.update(event("progress", "b", 1, 2))
    assert t.left() == pytest.approx(50 * 15 / 25)
    t.update(event("done", "b"))
    assert t.left() == 0.0 and (t.done, t.steps, t.ran) == (2, 2, 2)


def test_steps_that_were_there_already_are_not_counted(clock: Clock) -> None:
    t = tracker(clock)
    t.update(event("cached", "old"))
    assert t.done == 0
    t.update(event("cached", "a"))  # another process finished it meanwhile
    assert (t.done, t.ran) == (1, 0)


def test_plain_lines_tell_of_starts_ends_and_long_steps(clock: Clock) -> None:
    stream = io.StringIO()
    say = Plain(tracker(clock), stream)
    say(event("started"))
    for _ in range(12):
        clock.now += 1
        say(event("progress", done=int(clock.now) - 100, total=20, note="epoch 1"))
    say(event("done", seconds=12.0))
    say(event("started", "b"))
    say(event("failed", "b", note="out of memory"))
    assert stream.getvalue().splitlines() == [
        "[0/2] train a …",
        "[0/2] train a … 50% · 10 s · epoch 1 · about 1 min 10 s left",
        "[1/2] train a: done in 12 s · about 36 s left",
        "[1/2] train b …",
        "[1/2] train b: failed (out of memory)",
    ]


def test_the_live_display_shows_the_whole_and_every_running_step(clock: Clock) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    live = Live(tracker(clock), console)
    live(event("started"))
    live(event("started", "b"))
    clock.now += 5
    live(event("progress", "b", 3, 10, "[red]loss[/red] 0.3"))
    with console.capture() as captured:
        console.print(live._render())
    text = captured.get()
    assert "0/2" in text and "train a" in text and "30%" in text and "left" in text
    assert "[red]loss[/red] 0.3" in text  # what a step says is text, not markup


def test_quiet_shows_nothing_and_still_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with display({"a": 1.0}, workers=1, quiet=True) as silent:
        silent(event("started"))
        silent(event("done"))
    captured = capsys.readouterr()
    assert captured.out == captured.err == "" and silent.tracker.ran == 1
