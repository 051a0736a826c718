"""`artifact.json`: what makes an artifact exist, and what it is checked against before it is served.

In: a directory. Out: an `Artifact` whose files are byte for byte what the step left behind, or `Damaged` with the reason.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axenic.pipeline.fingerprint import hash_file, relative_files
from axenic.schema import Noun, digest

RECORD = "artifact.json"


class Damaged(Exception):
    """An artifact is not what its record says, or has no readable record."""


class FileEntry(Noun):
    """One file of an artifact, or one outside file that a step read."""

    sha256: str
    size: int = 0  # bytes
    path: str = ""  # outside files only: where it was read from


class Parent(Noun):
    """One input of a step."""

    name: str
    fingerprint: str
    label: str


class Record(Noun):
    """Where an artifact came from."""

    fingerprint: str
    label: str
    function: str  # import path
    version: int
    spec: Any
    seed: int | None
    lineage: tuple[Parent, ...]
    sources: dict[str, FileEntry]  # outside files read
    axenic: str
    commit: str | None  # of the axenic checkout; None when installed from a package
    dirty: bool | None
    packages: dict[str, str]
    command: tuple[str, ...]
    python: str
    platform: str
    started: float  # Unix time, seconds
    seconds: float = 0.0  # wall time of the attempt that finished
    resumed: bool = False  # it continued from what an interrupted attempt had left
    files: dict[str, FileEntry] = {}

    def to_bytes(self) -> bytes:
        """JSON with a checksum of its own content."""
        data = self.model_dump(mode="json")
        return json.dumps({**data, "checksum": digest(data)}, indent=1, ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True)
class Artifact:
    """What a step left behind: a directory and its record."""

    path: Path
    record: Record

    @property
    def fingerprint(self) -> str:
        """Identity of the step that made it."""
        return self.record.fingerprint

    @property
    def label(self) -> str:
        """Name of the step that made it."""
        return self.record.label

    @property
    def lineage(self) -> tuple[Parent, ...]:
        """The artifacts that it was made from."""
        return self.record.lineage

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(entry.size for entry in self.record.files.values())

    @property
    def age_days(self) -> float:
        """Days since it was finished."""
        return (time.time() - self.record.started - self.record.seconds) / 86_400


def read_record(directory: Path) -> Record:
    """The record of the artifact in `directory`; its files are not looked at.

    Raises:
        Damaged: The record is missing, incomplete or altered.
    """
    try:
        data = json.loads((directory / RECORD).read_bytes())
        checksum = data.pop("checksum", None)
        if checksum != digest(data):
            raise Damaged(f"{RECORD} does not match its own checksum")
        return Record.model_validate(data)
    except FileNotFoundError as error:
        raise Damaged(f"{RECORD} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Damaged(f"{RECORD} is not readable") from error


def read_artifact(directory: Path, fingerprint: str) -> Artifact:
    """The artifact in `directory`, with every file checked against its checksum (once per process, unless it changes).

    Raises:
        Damaged: Anything in it is not as the step left it. Hidden files that others put there are tolerated.
    """
    record = read_record(directory)
    if record.fingerprint != fingerprint:
        raise Damaged(f"it holds {record.fingerprint}")
    for name, entry in record.files.items():
        path = directory / name
        if not path.is_file():
            raise Damaged(f"{name} is missing")
        if path.stat().st_size != entry.size or hash_file(path) != entry.sha256:
            raise Damaged(f"{name} does not match its checksum")
    strangers = {name for name in relative_files(directory) if not name.rpartition("/")[2].startswith(".")}
    strangers -= {RECORD, *record.files}
    if strangers:
        raise Damaged(f"{min(strangers)} was added to it")
    return Artifact(directory, record)
