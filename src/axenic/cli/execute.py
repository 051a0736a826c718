"""Carrying out a study: run what is missing, put its files into a folder, write the page.

In: a study and its last step. Out: a folder as `axenic run` leaves it. Shared by all commands that run a recipe.
"""

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from axenic.cli import output
from axenic.errors import UserError

if TYPE_CHECKING:
    from axenic.pipeline.local import PlannedStep
    from axenic.pipeline.record import Artifact
    from axenic.pipeline.step import Step
    from axenic.pipeline.store import Store
    from axenic.schema import Study


@dataclass(frozen=True)
class Execution:
    """How a study is run; none of it is part of what the study is."""

    store: Path | None = None
    workers: int = 1
    quiet: bool = False
    force: bool = False  # replace what another study left in the folder


class Done(NamedTuple):
    """The page, and how many steps had to run for it."""

    report: Path
    ran: int


def carry_out(study: "Study", last: "Step", out: Path, *, execution: Execution) -> Done:
    """Run the study into `out`. After a stop, the same call continues where it was.

    Raises:
        UserError: The folder cannot be used (see `output.claim`), or a step fails on what the user gave.
    """
    started, clock = time.time(), time.monotonic()
    with output.claim(out, study, force=execution.force):
        from axenic.cli.manifest import manifest
        from axenic.pipeline.store import Store
        from axenic.report import page

        home = Store(execution.store)
        artifact, ran = _execute(last, home, workers=execution.workers, quiet=execution.quiet)
        output.copy(artifact.path, out)
        if ran or not (out / "manifest.json").exists():
            seconds = time.monotonic() - clock
            output.write_json(out / "manifest.json", manifest(artifact, home, started=started, wall_seconds=seconds))
        return Done(page.write(out), ran)


def _execute(last: "Step", store: "Store", *, workers: int, quiet: bool) -> "tuple[Artifact, int]":
    """Run what is missing. Returns the last step's artifact and how many steps ran."""
    from axenic.cli import progress
    from axenic.pipeline import local
    from axenic.pipeline.fingerprint import fingerprint

    planned = local.plan([last], store)
    costs = progress.costs(planned)
    if costs and not quiet:
        typer.echo(_announcement(planned, workers), err=True)
    # what libraries print must not end up in the result that --json promises
    with contextlib.redirect_stdout(sys.stderr), progress.display(costs, workers=workers, quiet=quiet) as display:
        artifacts = local.execute([last], store, workers=workers, on_event=display)
    artifact = artifacts.get(fingerprint(last))
    if artifact is None:
        raise UserError("A file that the study reads changed while it ran. Run the same command again.")
    return artifact, display.tracker.ran


def _announcement(planned: "list[PlannedStep]", workers: int) -> str:
    from axenic.report import numbers

    todo = [step for step in planned if step.needed and not step.cached]
    cached = sum(step.cached for step in planned)
    there = f", {cached} there already" if cached else ""
    expected = numbers.seconds(sum(step.cost.seconds for step in todo) / workers)
    steps = f"{len(todo)} step{'s' * (len(todo) != 1)} to run{there}"
    return f"{steps}; expected to take about {expected}. Ctrl-C is safe: run again to continue."
