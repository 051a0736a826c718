"""A study's graph against a store: what is there already, what must run, in which order, and what became of it.

In: target steps and a store. Out: `Graph` (a fact about now) and `Schedule` (the book that an executor keeps while it runs).
Resolution is lazy: where an artifact is valid, the steps that it was made from are not even looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from axenic.pipeline.disk import DiskFull
from axenic.pipeline.events import Event, OnEvent
from axenic.pipeline.fingerprint import Identity, ancestors_first, identities
from axenic.pipeline.provenance import command_line
from axenic.pipeline.record import Artifact, FileEntry, Parent
from axenic.pipeline.run import Job
from axenic.pipeline.step import Step
from axenic.pipeline.store import Store


@dataclass(frozen=True)
class Graph:
    """Steps by fingerprint, inputs before those that read them."""

    steps: dict[str, Step]
    known: dict[int, Identity]  # id(step) -> identity
    cached: dict[str, Artifact]
    missing: tuple[str, ...]  # must run, in this order

    def parents(self, fingerprint: str) -> list[str]:
        """Fingerprints of a step's inputs."""
        return [self.known[id(one)].fingerprint for one in self.steps[fingerprint].parents]

    def job(self, fingerprint: str, artifacts: dict[str, Artifact]) -> Job:
        """What a worker needs to run one step whose inputs are in `artifacts`."""
        step = self.steps[fingerprint]
        inputs: dict[str, Path | tuple[Path, ...]] = {}
        lineage = []
        for name, given in step.inputs.items():
            several = [artifacts[self.known[id(one)].fingerprint] for one in (given if isinstance(given, tuple) else (given,))]
            inputs[name] = tuple(one.path for one in several) if isinstance(given, tuple) else several[0].path
            lineage += [Parent(name=name, fingerprint=one.fingerprint, label=one.label) for one in several]
        hashes = self.known[id(step)].sources
        sources = {name: FileEntry(sha256=hashes[name], path=str(path)) for name, path in step.files.items()}
        return Job(step.fn, step.spec, step.seed, step.label, fingerprint, inputs, tuple(lineage), sources, command_line())


def resolve(targets: Sequence[Step], store: Store) -> Graph:
    """Find out what must run; reads the store, writes nothing."""
    order = ancestors_first(targets)
    known = identities(order)
    steps: dict[str, Step] = {}
    for step in order:
        steps.setdefault(known[id(step)].fingerprint, step)
    wanted = {known[id(step)].fingerprint for step in targets}
    cached: dict[str, Artifact] = {}
    missing: list[str] = []
    for name in reversed(steps):
        if name not in wanted:
            continue
        found = store.find(name)
        if found is not None:
            cached[name] = found
        else:
            missing.append(name)
            wanted |= {known[id(one)].fingerprint for one in steps[name].parents}
    return Graph(steps, known, cached, tuple(reversed(missing)))


@dataclass
class Schedule:
    """What is left to do. A step that fails takes only those with it that need it."""

    graph: Graph
    on_event: OnEvent
    artifacts: dict[str, Artifact] = field(init=False)
    waiting: list[str] = field(init=False)
    lost: set[str] = field(default_factory=set)  # failed, or needs one that failed
    errors: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.artifacts = dict(self.graph.cached)
        self.waiting = list(self.graph.missing)
        for kind, names in (("cached", [*self.graph.cached]), ("planned", self.waiting)):
            for name in names:
                self.emit(Event(kind, self.graph.steps[name].label, name))  # type: ignore[arg-type]

    def emit(self, event: Event) -> None:
        """Pass an event on, with the count of finished steps where the step itself counts nothing."""
        if event.kind != "progress":
            ended = {*self.artifacts, event.fingerprint} if event.kind in ("done", "cached") else {*self.artifacts}
            done = sum(name in ended for name in self.graph.missing)
            event = replace(event, done=done, total=len(self.graph.missing))
        self.on_event(event)

    def take(self) -> Job | None:
        """The next step whose inputs are all there, or None if there is none (yet)."""
        for name in list(self.waiting):
            parents = self.graph.parents(name)
            if any(parent in self.lost for parent in parents):
                self.waiting.remove(name)
                self.lost.add(name)
            elif all(parent in self.artifacts for parent in parents):
                self.waiting.remove(name)
                return self.graph.job(name, self.artifacts)
        return None

    def finished(self, job: Job, artifact: Artifact) -> None:
        """Book a result."""
        self.artifacts[job.fingerprint] = artifact

    def failed(self, job: Job, error: BaseException, *, seconds: float = 0.0) -> None:
        """Book an error; a full disk ends the schedule, as everything else would only run to fail at its end."""
        self.lost.add(job.fingerprint)
        self.errors.append(error)
        if isinstance(error, DiskFull):
            self.waiting.clear()
        self.emit(job.event("failed", note=str(error), seconds=seconds))
