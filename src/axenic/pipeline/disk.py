"""What the store needs from the file system: durable directories, and the machine's errors said plainly.

In: paths. Out: bytes that are on disk when the call returns, and errors of the machine as one sentence saying what to do.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from axenic.disk import sync
from axenic.errors import EnvironmentProblem

_KEPT = "Everything finished is kept: run the same command again to continue."
_ELSEWHERE = "set AXENIC_HOME to a directory that you may write to"


class DiskFull(EnvironmentProblem):
    """No space left: whatever else would be started now would fail in the same way."""


def sync_tree(root: Path) -> None:
    """Force everything under `root` to disk, directories after what they hold."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))


@contextlib.contextmanager
def machine_errors(root: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into an `EnvironmentProblem` that says what to do.

    Args:
        root: The store, which the message names.
    """
    try:
        yield
    except EnvironmentProblem:
        raise
    except Exception as error:
        problem = _explain(error, root)
        if problem is None:
            raise
        raise problem from error


def _explain(error: BaseException, root: Path) -> EnvironmentProblem | None:
    """What to tell the user of the first error of the machine among `error` and its causes."""
    number = error.errno if isinstance(error, OSError) else None
    name = os.fsdecode(error.filename) if isinstance(error, OSError) and error.filename is not None else None
    # serialisers written in other languages keep the text of an error, but not its number
    if number in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
        return DiskFull(
            f"The disk is full (store: {root}). Free some space, e.g. with `axenic artifacts gc`, "
            f"or set AXENIC_HOME to a directory on a larger disk. {_KEPT}"
        )
    if number == errno.EFBIG:
        what = f"A file grew beyond the largest size allowed here (store: {root}). Raise the limit (`ulimit -f`). {_KEPT}"
        return EnvironmentProblem(what)
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) and name is not None:
        return EnvironmentProblem(f"No permission for {name}. Change its permissions, or {_ELSEWHERE}. {_KEPT}")
    if number in (errno.ENOTDIR, errno.EEXIST) and name is not None and _touches(root, Path(name)):
        return EnvironmentProblem(f"The store needs a directory at {name}, and there is a file. Remove it, or {_ELSEWHERE}.")
    return _explain(error.__cause__, root) if error.__cause__ is not None else None


def _touches(root: Path, path: Path) -> bool:
    return root.is_relative_to(path) or path.is_relative_to(root)
