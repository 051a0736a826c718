"""A step: one unit of work with an identity. Building steps runs nothing; it yields the graph that executors walk.

In: a module-level function decorated with `@step(version=...)`, a frozen pydantic spec, input steps, outside files, a seed.
Out: a `Step`, and for the function the `Context` that it finds its inputs in.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from axenic.errors import UserError
from axenic.pipeline.fingerprint import canonical, fingerprint
from axenic.schema import OnProgress, digest
from axenic.tables import Entry, load

StepFunction = Callable[[Any, "Context"], None]
F = TypeVar("F", bound=StepFunction)


@dataclass(frozen=True)
class Context:
    """What a step function works with."""

    inputs: Mapping[str, Path | tuple[Path, ...]]
    """Artifact directories of the inputs; read-only by convention, as other steps read them too."""
    files: Mapping[str, Path]
    """Outside files and directories; their content is part of the step's identity."""
    seed: int | None
    out: Path
    """Working directory. It survives a kill, so a step may resume from what it finds there (write with
    `disk.atomic_write`). It is renamed when the step is done, so its path must not be written into any file."""
    progress: OnProgress

    def input(self, name: str) -> Path:
        """Directory of the input `name`, which is a single artifact."""
        found = self.inputs[name]
        if not isinstance(found, Path):
            raise ValueError(f"input {name!r} holds {len(found)} artifacts; use `many`")
        return found

    def many(self, name: str) -> tuple[Path, ...]:
        """Directories of the input `name`, be it one artifact or several."""
        found = self.inputs[name]
        return (found,) if isinstance(found, Path) else found


def step(*, version: int) -> Callable[[F], F]:
    """Mark a module-level function `(spec, context) -> None` as a step.

    Args:
        version: Part of the identity; raise it when the function's result changes for the same spec and inputs.
    """

    def mark(function: F) -> F:
        function.step_version = version  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Later:
    """A step function by name, imported when it runs: laying a study out then costs no heavy import.

    The version stands here as well, because it is identity; running checks that the function says the same.
    """

    path: str
    version: int

    @property
    def __name__(self) -> str:
        return self.path.rpartition(":")[2]

    def __call__(self, spec: Any, context: Context) -> None:
        """Import the function and run it."""
        function = load(Entry(self.path, ""))
        if import_path(function) != self.path or step_version(function) != self.version:
            raise ValueError(f"{self.path} is at version {step_version(function)}, but the study was laid out for {self.version}")
        function(spec, context)


@dataclass(frozen=True)
class Cost:
    """What a step is expected to take. Never identity."""

    seconds: float = 1.0
    tokens: int = 0
    responses: int = 0
    bytes: int = 0  # that its artifact takes on disk


@dataclass(frozen=True, eq=False)
class Step:
    """One unit of work. Equal when the work is the same, whatever its label and expected cost.

    Raises:
        UserError: The function has no stable import path or version, or a value of the spec cannot be hashed stably.
    """

    fn: StepFunction
    spec: BaseModel | None = None
    inputs: Mapping[str, "Step | Sequence[Step]"] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    seed: int | None = None
    label: str = ""
    cost: Cost = Cost()
    own_digest: str = field(init=False, repr=False)  # identity without inputs and files, fixed when the step is built

    def __post_init__(self) -> None:
        if self.spec is not None and not isinstance(self.spec, BaseModel):
            raise TypeError(f"a step's spec must be a pydantic model, not {type(self.spec).__name__}")
        own = [import_path(self.fn), step_version(self.fn), canonical(self.spec), canonical(self.seed, at="seed")]
        spec = self.spec.model_copy(deep=True) if self.spec is not None else None  # later changes must not part it from its digest
        fixed = {
            "own_digest": digest(own),
            "spec": spec,
            "inputs": {name: _as_input(name, given) for name, given in self.inputs.items()},
            "files": {name: Path(path).expanduser().absolute() for name, path in self.files.items()},
            "label": self.label or self.fn.__name__,
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)

    @property
    def parents(self) -> list["Step"]:
        """The steps that this one reads, in the order given."""
        return [one for given in self.inputs.values() for one in (given if isinstance(given, tuple) else [given])]  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            return NotImplemented
        return self is other or (self.own_digest == other.own_digest and fingerprint(self) == fingerprint(other))

    def __hash__(self) -> int:
        return hash(self.own_digest)  # coarser than equality, so that it neither reads files nor changes with them


def _as_input(name: str, given: "Step | Sequence[Step]") -> "Step | tuple[Step, ...]":
    if isinstance(given, Step):
        return given
    several = tuple(given)
    if not all(isinstance(one, Step) for one in several):
        raise TypeError(f"input {name!r} must be a Step or a sequence of Steps, not {given!r}")
    return several


def import_path(function: StepFunction) -> str:
    """`module:name`, checked to lead back to the function.

    Raises:
        UserError: It does not, or the module is a script, whose functions have another path in every other script.
    """
    if isinstance(function, Later):
        return function.path
    path = f"{function.__module__}:{function.__qualname__}"
    found = getattr(sys.modules.get(function.__module__), function.__qualname__, None)
    if function.__module__ == "__main__" or found is not function:
        raise UserError(
            f"The step function {path} cannot be found again by its import path. "
            "Define it at the top level of a module that can be imported, not in a script, a class or a function."
        )
    return path


def step_version(function: StepFunction) -> int:
    """The version given to `@step`."""
    version = function.version if isinstance(function, Later) else getattr(function, "step_version", None)
    if not isinstance(version, int):
        raise UserError(f"{import_path(function)} is not a step. Decorate it with @step(version=1).")
    return version
