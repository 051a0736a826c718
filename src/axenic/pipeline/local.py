"""Run a study's steps on this machine: in this process, or in a pool of worker processes.

In: target steps and a store. Out: their artifacts. `plan` says beforehand what would run, and for how long.
"""

import re
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from axenic.errors import UserError
from axenic.pipeline.disk import machine_errors
from axenic.pipeline.events import Event, OnEvent, no_events
from axenic.pipeline.graph import Schedule, resolve
from axenic.pipeline.pool import run_in_pool
from axenic.pipeline.record import Artifact
from axenic.pipeline.run import run_step
from axenic.pipeline.step import Cost, Step, import_path
from axenic.pipeline.store import Store

__all__ = ["Event", "OnEvent", "PlannedStep", "execute", "plan"]


@dataclass(frozen=True)
class PlannedStep:
    """One step of a study, as `axenic plan` shows it."""

    label: str
    function: str
    fingerprint: str
    cached: bool  # its artifact is valid, so it will not run
    needed: bool  # false: everything made from it is cached, so it was not looked for
    cost: Cost  # expected; seconds are the median of what steps alike took before, where this store has seen any


def plan(targets: Sequence[Step], store: Store) -> list[PlannedStep]:
    """What `execute` would do, in execution order. Writes nothing."""
    graph = resolve(targets, store)
    history = _median_seconds(store)
    planned = []
    for name, step in graph.steps.items():
        function = import_path(step.fn)
        cost = replace(step.cost, seconds=history.get(_alike(function, step.label), step.cost.seconds))
        cached = name in graph.cached
        planned.append(PlannedStep(step.label, function, name, cached, cached or name in graph.missing, cost))
    return planned


def _alike(function: str, label: str) -> tuple[str, str]:
    """What steps that take about as long have in common: the function, and the label but for its numbers."""
    return function, re.sub(r"\d+", "#", label)


def _median_seconds(store: Store) -> dict[tuple[str, str], float]:
    """Median wall time of steps alike; a resumed attempt says nothing about a whole one."""
    taken = defaultdict(list)
    for artifact in store.list():
        if not artifact.record.resumed:
            taken[_alike(artifact.record.function, artifact.label)].append(artifact.record.seconds)
    return {steps: statistics.median(seconds) for steps, seconds in taken.items()}


def execute(targets: Sequence[Step], store: Store, *, workers: int = 1, on_event: OnEvent | None = None) -> dict[str, Artifact]:
    """Build whatever the targets still lack. Killed at any instant, the same call continues where it was.

    Args:
        targets: The steps whose artifacts are wanted.
        store: Where artifacts are looked for and left.
        workers: 1 runs in this process; more run in that many worker processes.
        on_event: Hears what happens, in this process.

    Returns:
        Fingerprint -> artifact, for every step that was looked at: the targets, what was built, and its cached inputs.

    Raises:
        UserError: The first mistake of the user that a step found; steps that do not depend on it are finished first.
        EnvironmentProblem: Full disk, missing permission, a worker killed.
        Exception: The first other error of a step, with the step's label (and its worker's traceback) as notes.
    """
    if workers < 1:
        raise UserError(f"The number of workers is {workers}; it must be at least 1.")
    with machine_errors(store.root), store.in_use():
        schedule = Schedule(resolve(targets, store), on_event or no_events)
        if workers == 1:
            _run_here(schedule, store)
        elif schedule.waiting:
            run_in_pool(schedule, store, workers=workers)
        if schedule.errors:
            raise schedule.errors[0]
        return schedule.artifacts


def _run_here(schedule: Schedule, store: Store) -> None:
    while (job := schedule.take()) is not None:
        clock = time.perf_counter()
        try:
            artifact = run_step(job, store, schedule.emit)
        except Exception as error:
            error.add_note(f"(in step {job.label!r}, {job.fingerprint})")
            schedule.failed(job, error, seconds=time.perf_counter() - clock)
        else:
            schedule.finished(job, artifact)
