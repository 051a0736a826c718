"""Files of our own on disk, written so that a reader sees the whole file or the one that was there before.

In: a path and its content. Out: a file whose bytes are on disk when the call returns. Every room writes its files through here.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from axenic.errors import EnvironmentProblem

TEMPORARY = ".axenic-tmp-"
"""How the names of unfinished files begin; the artifact store sweeps them."""


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
