"""Where artifacts live: a directory in which an artifact either exists completely or not at all.

In: fingerprints and finished working directories. Out: verified artifacts. Layout under the root:
artifacts/<fingerprint>/ (finished), partial/<fingerprint>/ (being built; survives a kill), corrupt/ (set aside), locks/.
"""

import contextlib
import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from axenic.disk import TEMPORARY, atomic_write, lock, sync, unlock
from axenic.errors import UserError
from axenic.pipeline.disk import sync_tree
from axenic.pipeline.fingerprint import hash_file, relative_files
from axenic.pipeline.record import RECORD, Artifact, Damaged, FileEntry, Record, read_artifact, read_record

__all__ = ["Artifact", "Garbage", "Store", "Work"]

_DAY = 86_400.0


@dataclass(frozen=True)
class Work:
    """A step being built, under its lock."""

    out: Path
    artifact: Artifact | None  # already finished, by another process or by an attempt that was killed just before its end
    damage: str = ""  # why the artifact that was there has been set aside
    resumed: bool = False  # `out` holds what an interrupted attempt left


@dataclass(frozen=True)
class Garbage:
    """Something that `Store.gc` removes, or would remove."""

    path: Path
    kind: str  # "artifact", "partial" or "corrupt"
    label: str
    size: int  # bytes


class Store:
    """A directory of artifacts, shared safely by any number of processes of one machine."""

    def __init__(self, root: Path | None = None) -> None:
        """Open, but do not create, the store at `root` (default: $AXENIC_HOME/store, else ~/.cache/axenic/store)."""
        home = Path(os.environ.get("AXENIC_HOME") or "~/.cache/axenic")
        self.root = Path(root or home / "store").expanduser().absolute()
        self.artifacts = self.root / "artifacts"
        self.partial = self.root / "partial"
        self.corrupt = self.root / "corrupt"

    def find(self, fingerprint: str) -> Artifact | None:
        """The artifact, if it is there and every byte of it is as it was left; never writes."""
        try:
            return read_artifact(self.artifacts / fingerprint, fingerprint)
        except Damaged:
            return None

    @contextlib.contextmanager
    def build(self, fingerprint: str, *, on_wait: Callable[[], None] | None = None) -> Iterator[Work]:
        """Hold the lock of one step. The body fills `work.out` and calls `publish`, unless `work.artifact` is there already.

        Args:
            fingerprint: Identity of the step.
            on_wait: Called once if another process is building this step; then this one waits for it.
        """
        with self._locked(fingerprint, on_wait):
            damage = self._set_aside_damaged(fingerprint)
            out = self.partial / fingerprint
            artifact = self.find(fingerprint) or self._finish(fingerprint)
            resumed = out.is_dir() and any(out.iterdir())
            if artifact is None:
                out.mkdir(parents=True, exist_ok=True)
            yield Work(out, artifact, damage, resumed)

    def publish(self, record: Record) -> Artifact:
        """Turn the working directory of `record.fingerprint` into an artifact; only under its lock.

        Raises:
            ValueError: The step left nothing, or a link, or a file with the record's name.
        """
        out = self.partial / record.fingerprint
        entries = _entries(out, record.label)
        sync_tree(out)
        atomic_write(out / RECORD, record.model_copy(update={"files": entries}).to_bytes())
        return self._move_in(record.fingerprint)

    def list(self) -> list[Artifact]:
        """Every artifact with a readable record, oldest first; their files are not checked."""
        found = []
        for directory in _children(self.artifacts):
            with contextlib.suppress(Damaged):
                found.append(Artifact(directory, read_record(directory)))
        return sorted(found, key=lambda artifact: artifact.record.started)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes in finished artifacts, interrupted work, and artifacts set aside as damaged."""
        places = {"artifacts": self.artifacts, "partial": self.partial, "corrupt": self.corrupt}
        return {name: _size(path) for name, path in places.items()}

    def gc(self, keep: Iterable[str], *, older_than_days: float = 0.0, dry_run: bool = False) -> Sequence[Garbage]:
        """Remove what no kept artifact was made from, interrupted work that nobody is continuing, and damaged artifacts.

        Args:
            keep: Fingerprints whose artifacts stay, with all that they were made from.
            older_than_days: Younger things stay too.
            dry_run: Only say what would go.

        Raises:
            UserError: A run is using the store.
        """
        if dry_run or not self.root.is_dir():
            return self._garbage(set(keep), older_than_days)
        handle = lock(self.root / "locks" / "in-use", wait=False)
        if handle is None:
            raise UserError(f"A run is using the store {self.root}. Wait until it has finished, then remove artifacts.")
        try:
            return [one for one in self._garbage(set(keep), older_than_days) if self._remove(one.path)]
        finally:
            unlock(handle)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep `gc` of other processes away. A finished study can be read from a store that cannot be written."""
        handle = None
        try:
            handle = lock(self.root / "locks" / "in-use", shared=True)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT):
                raise
        try:
            yield
        finally:
            if handle is not None:
                unlock(handle)

    @contextlib.contextmanager
    def _locked(self, fingerprint: str, on_wait: Callable[[], None] | None) -> Iterator[None]:
        path = self.root / "locks" / fingerprint
        handle = lock(path, wait=False)
        if handle is None:
            if on_wait is not None:
                on_wait()
            handle = lock(path)
        assert handle is not None
        try:
            yield
        finally:
            unlock(handle)

    def _set_aside_damaged(self, fingerprint: str) -> str:
        """Move a damaged artifact out of the way; returns what was wrong with it."""
        directory = self.artifacts / fingerprint
        if not directory.exists():
            return ""
        try:
            read_artifact(directory, fingerprint)
        except Damaged as reason:
            self.corrupt.mkdir(parents=True, exist_ok=True)
            directory.rename(self.corrupt / f"{fingerprint}-{time.time_ns()}")
            return str(reason)
        return ""

    def _finish(self, fingerprint: str) -> Artifact | None:
        """Publish what an attempt that was killed between its last two instructions had finished."""
        out = self.partial / fingerprint
        try:
            read_artifact(out, fingerprint)
        except Damaged:
            (out / RECORD).unlink(missing_ok=True)
            return None
        return self._move_in(fingerprint)

    def _move_in(self, fingerprint: str) -> Artifact:
        out, home = self.partial / fingerprint, self.artifacts / fingerprint
        self.artifacts.mkdir(parents=True, exist_ok=True)
        out.rename(home)
        sync(self.artifacts)
        sync(self.partial)
        return Artifact(home, read_record(home))

    def _remove(self, directory: Path) -> bool:
        """Remove what a `Garbage` names, unless somebody is working on it."""
        path = self.root / "locks" / directory.name
        handle = lock(path, wait=False)
        if handle is None:
            return False
        try:
            (directory / RECORD).unlink(missing_ok=True)  # first: what is left after a kill must not look like an artifact
            shutil.rmtree(directory)
            path.unlink()
        finally:
            unlock(handle)
        return True

    def _garbage(self, keep: set[str], days: float) -> Sequence[Garbage]:
        known = {artifact.path.name: artifact for artifact in self.list()}
        kept, todo = set(keep), [name for name in keep if name in known]
        while todo:
            parents = {parent.fingerprint for parent in known[todo.pop()].lineage} - kept
            kept |= parents
            todo += [name for name in parents if name in known]
        places = {"artifact": self.artifacts, "partial": self.partial, "corrupt": self.corrupt}
        return [
            Garbage(path, kind, known[path.name].label if path.name in known else "", _size(path))
            for kind, place in places.items()
            for path in _children(place)
            if path.name not in kept and time.time() - _changed(path) >= days * _DAY
        ]


def _entries(out: Path, label: str) -> dict[str, FileEntry]:
    """The files that a step left, hashed; temporary files of a killed attempt are removed."""
    for leftover in list(out.rglob(f"{TEMPORARY}*")):
        leftover.unlink()
    names = sorted(relative_files(out))
    links = [name for name in names if (out / name).is_symlink()]
    if not names or links or RECORD in names:
        wrong = f"left the link {links[0]}" if links else f"wrote {RECORD} itself" if names else "left no file"
        raise ValueError(f"step {label!r} {wrong}; an artifact is a directory of ordinary files, and {RECORD} is the store's")
    return {name: FileEntry(sha256=hash_file(out / name), size=(out / name).stat().st_size) for name in names}


def _children(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _changed(directory: Path) -> float:
    """Unix time of the last change of anything in `directory`."""
    return max((info.st_mtime for info in _stats(directory)), default=0.0)


def _size(directory: Path) -> int:
    return sum(info.st_size for info in _stats(directory) if not stat.S_ISDIR(info.st_mode))


def _stats(directory: Path) -> Iterator[os.stat_result]:
    """Of everything in `directory`, itself included; what another process removes meanwhile is passed over."""
    for folder, _, names in os.walk(directory):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            with contextlib.suppress(FileNotFoundError):
                yield os.lstat(path)
