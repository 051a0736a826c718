"""Files of our own on disk, written so that a reader sees the whole file or the one that was there before; and locks.

In: a path and its content. Out: a file whose bytes are on disk when the call returns. Every room writes its files through here.
A lock dies with the process that holds it, however it ends.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from axenic.errors import EnvironmentProblem

TEMPORARY = ".axenic-tmp-"
"""How the names of unfinished files begin; the artifact store sweeps them."""
_held: set[int] = set()


def atomic_write(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write so that after a kill at any instant `path` holds either its old content or all of `data`."""
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_text(path: str | Path, chunks: Iterable[str]) -> None:
    """`atomic_write` of text, creating the folder where it is missing.

    Raises:
        EnvironmentProblem: if the disk is full or the place cannot be written; the old file is untouched.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(target, (chunk.encode("utf-8") for chunk in chunks))
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot write {target}: {error.strerror}. Free some space or choose another place; nothing was changed there."
        ) from None


def sync(path: Path) -> None:
    """Force a file, or the entries of a directory, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(path: Path, *, shared: bool = False, wait: bool = True) -> int | None:
    """Take the lock at `path`; the operating system releases it when this process ends, however it ends.

    Returns:
        A handle for `unlock`, or None if somebody else holds the lock and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, mode)
            # whoever held it may have removed the file while we waited: then this is a lock on nothing
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                _held.add(handle)
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def unlock(handle: int) -> None:
    """Give back a lock taken with `lock`."""
    _held.discard(handle)
    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def _forget_locks() -> None:
    for handle in _held:
        os.close(handle)
    _held.clear()


# a forked child (a data loader's worker) would otherwise keep the lock for as long as it outlives its killed parent
os.register_at_fork(after_in_child=_forget_locks)
