"""One step, from its inputs' artifacts to its own; the same code in process and in a pool's worker.

In: a `Job` (a step without its ancestry, so that it travels light) and a store. Out: an artifact, and events on the way.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from axenic.errors import UserError
from axenic.pipeline.disk import machine_errors
from axenic.pipeline.events import Event, Kind, OnEvent
from axenic.pipeline.fingerprint import hash_tree
from axenic.pipeline.provenance import environment
from axenic.pipeline.record import Artifact, FileEntry, Parent, Record
from axenic.pipeline.step import Context, StepFunction, import_path, step_version
from axenic.pipeline.store import Store, Work


@dataclass(frozen=True)
class Job:
    """Everything that running one step takes."""

    fn: StepFunction
    spec: Any
    seed: int | None
    label: str
    fingerprint: str
    inputs: Mapping[str, Path | tuple[Path, ...]]
    lineage: tuple[Parent, ...]
    sources: Mapping[str, FileEntry]
    command: tuple[str, ...]

    def event(self, kind: Kind, *, note: str = "", seconds: float = 0.0) -> Event:
        """An event about this job."""
        return Event(kind, self.label, self.fingerprint, note=note, seconds=seconds)


def run_step(job: Job, store: Store, emit: OnEvent) -> Artifact:
    """Build one step, or wait for the process that is building it already.

    Raises:
        UserError: The step found a mistake of the user, or an outside file changed.
        EnvironmentProblem: Full disk, missing permission.
        Exception: Whatever else the step raised; what it had written stays for the next attempt.
    """
    with machine_errors(store.root), store.build(job.fingerprint, on_wait=lambda: emit(job.event("waiting"))) as work:
        if work.artifact is not None:
            emit(job.event("cached"))
            return work.artifact
        if work.damage:
            emit(job.event("rebuilt", note=work.damage))
        emit(job.event("started"))
        artifact = _build(job, store, work, emit)
    emit(job.event("done", seconds=artifact.record.seconds))
    return artifact


def _build(job: Job, store: Store, work: Work, emit: OnEvent) -> Artifact:
    def progress(done: int, total: int, note: str = "") -> None:
        emit(Event("progress", job.label, job.fingerprint, done, total, note))

    files = {name: Path(entry.path) for name, entry in job.sources.items()}
    started, clock = time.time(), time.perf_counter()
    _check_sources(job)
    try:
        job.fn(job.spec, Context(job.inputs, files, job.seed, work.out, progress))
    except SystemExit as error:
        raise RuntimeError(f"step {job.label!r} tried to end the process with exit code {error.code}") from error
    _check_sources(job)
    seconds = time.perf_counter() - clock
    return store.publish(_record(job, started=started, seconds=seconds, resumed=work.resumed))


def _check_sources(job: Job) -> None:
    """An outside file that changes under a running step would give it an identity that is not its own."""
    for entry in job.sources.values():
        if hash_tree(Path(entry.path)) != entry.sha256:
            raise UserError(f"{entry.path} changed while {job.label!r} was being built from it. Run the same command again.")


def _record(job: Job, *, started: float, seconds: float, resumed: bool) -> Record:
    return Record(
        fingerprint=job.fingerprint,
        label=job.label,
        function=import_path(job.fn),
        version=step_version(job.fn),
        spec=to_jsonable_python(job.spec, inf_nan_mode="strings"),
        seed=job.seed,
        lineage=job.lineage,
        sources=dict(job.sources),
        command=job.command,
        started=started,
        seconds=seconds,
        resumed=resumed,
        **environment(),
    )
