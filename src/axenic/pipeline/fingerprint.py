"""What makes a unit of work the same work: a step's fingerprint, and the content hashes under it.

In: a step (function, version, spec, inputs, seed, outside files). Out: a hex SHA-256. Paths, labels, costs and the order of
keys are not identity; a value that cannot be hashed stably is an error that names its field.
"""

import hashlib
import math
import os
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from axenic.errors import EnvironmentProblem, UserError
from axenic.schema import digest

if TYPE_CHECKING:
    from axenic.pipeline.step import Step

_SETTLED_NS = 50_000_000  # a file changed within the clock's grain of its last change can keep its mtime, so it is not cached
_hashes: dict[tuple[int, ...], str] = {}


@dataclass(frozen=True)
class Identity:
    """A step's fingerprint, and the content hashes of its outside files that went into it."""

    fingerprint: str
    sources: Mapping[str, str]


def fingerprint(step: "Step") -> str:
    """Hex SHA-256 that identifies the work of `step`; outside files are looked at anew on every call.

    Raises:
        UserError: An outside file of the step, or of one that it depends on, is missing.
    """
    return identities(ancestors_first([step]))[id(step)].fingerprint


def identities(steps: Iterable["Step"]) -> dict[int, Identity]:
    """`id(step)` -> identity, for steps in an order in which inputs come first."""
    known: dict[int, Identity] = {}
    for step in steps:
        inputs = {
            name: [known[id(one)].fingerprint for one in given] if isinstance(given, tuple) else known[id(given)].fingerprint
            for name, given in step.inputs.items()
        }
        files = {name: hash_tree(path) for name, path in step.files.items()}
        known[id(step)] = Identity(digest({"own": step.own_digest, "inputs": inputs, "files": files}), files)
    return known


def ancestors_first(targets: Iterable["Step"]) -> list["Step"]:
    """Every step that the targets need, themselves included, each once and after its inputs."""
    order: dict[int, Step] = {}
    stack = [(step, False) for step in reversed(list(targets))]
    while stack:
        step, inputs_are_placed = stack.pop()
        if inputs_are_placed:
            order.setdefault(id(step), step)
        elif id(step) not in order:
            stack.append((step, True))
            stack.extend((one, False) for one in reversed(step.parents))
    return list(order.values())


def canonical(value: Any, *, at: str = "spec") -> Any:
    """JSON-able form of `value` that is equal for equal values, whatever the order of keys.

    Models are taken by field, with the name of their class. A field declared with `json_schema_extra={"identity": False}`
    (batch size, device, ...) is left out.

    Args:
        value: None, bool, int, finite float, str, enum, list, tuple, dict with str keys, or pydantic model, nested at will.
        at: Field path that an error names.

    Raises:
        UserError: Anything else, naming the field.
    """
    if isinstance(value, Enum):
        return canonical(value.value, at=at)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _finite(value, at)
    if isinstance(value, str):
        return _text(value, at)
    if isinstance(value, list | tuple):
        return [canonical(one, at=f"{at}[{i}]") for i, one in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, at): canonical(one, at=f"{at}.{key}") for key, one in value.items()}
    if isinstance(value, BaseModel):
        return {"model": type(value).__qualname__, "fields": canonical(_identity_fields(value), at=at)}
    raise _not_stable(value, at)


def _identity_fields(model: BaseModel) -> dict[str, Any]:
    extras = {name: info.json_schema_extra for name, info in type(model).model_fields.items()}
    skipped = {name for name, extra in extras.items() if isinstance(extra, dict) and extra.get("identity") is False}
    return {name: value for name, value in model if name not in skipped}


def _finite(value: float, at: str) -> float:
    if not math.isfinite(value):
        raise UserError(f"{at} is {value}, which cannot be part of a step's identity. Give a finite number.")
    return value


def _text(value: str, at: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{at} holds text that is not valid Unicode (a lone surrogate): {error}. Mend the text.") from error
    return value


def _key(key: Any, at: str) -> str:
    if not isinstance(key, str):
        raise UserError(f"{at} has the key {key!r}; only text keys can be part of a step's identity.")
    return _text(key, f"a key of {at}")


def _not_stable(value: Any, at: str) -> UserError:
    hint = "Name the file in the step's `files`, where its content is hashed." if isinstance(value, Path) else (
        "Use None, bool, int, finite float, str, enum, list, tuple, dict or a pydantic model of these."
    )  # fmt: skip
    return UserError(f"{at} is a {type(value).__name__}, which cannot be hashed stably into a step's identity. {hint}")


def hash_tree(path: Path) -> str:
    """Hex SHA-256 of a file's content; of a directory, of its sorted (relative name, file hash) pairs, links followed."""
    if not path.is_dir():
        return hash_file(path)
    return digest([[name, hash_file(path / name)] for name in sorted(relative_files(path, follow=True))])


def hash_file(path: Path) -> str:
    """Hex SHA-256 of a file's content, remembered in this process for as long as the file does not change.

    Raises:
        UserError: There is no regular file at `path`.
        EnvironmentProblem: It may not be read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise UserError(f"{path} is neither a file nor a directory. Give the path of one.")
        key = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if key in _hashes:
            return _hashes[key]
        with path.open("rb") as file:
            value = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(f"There is no file or directory {path}. Check the path.") from error
    except PermissionError as error:
        raise EnvironmentProblem(f"{path} may not be read by this user. Change its permissions and run again.") from error
    if time.time_ns() - max(info.st_mtime_ns, info.st_ctime_ns) > _SETTLED_NS:
        _hashes[key] = value
    return value


def relative_files(root: Path, *, follow: bool = False) -> list[str]:
    """Names of all files under `root`, relative to it, with forward slashes.

    Args:
        root: A directory.
        follow: Descend into linked directories too (a model hub's snapshots are made of links).

    Raises:
        UserError: A link leads back into a directory that holds it.
    """
    found: list[str] = []
    for folder, folders, names in os.walk(root, followlinks=follow):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        if follow and any(here.resolve().is_relative_to((here / name).resolve()) for name in links):
            raise UserError(f"{here} holds a link to one of its own parents, so its content has no end. Remove the link.")
        # os.walk counts a link to a directory among the folders; where it is not followed, nobody else would see it
        found += [(here / name).relative_to(root).as_posix() for name in [*names, *([] if follow else links)]]
    return found
