"""The folder that a run leaves behind: who may write it, and how files get into it.

In: `--out DIR` and the study. Out: a folder that belongs to this one study and this one process until the run ends. Files arrive
whole (written beside, then renamed), so a run that is killed leaves the previous file or the new one.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axenic.errors import EnvironmentProblem, UserError

if TYPE_CHECKING:
    from axenic.schema import Study

STEP_FILES = ("study.json", "results.parquet", "estimates.json", "corpora.json", "training.json", "redteam.json", "code.json")
"""What the last step of a study may leave in its artifact: of the last four, those that it has something to put into."""
FILES = (*STEP_FILES, "manifest.json", "report.html")
"""Everything in OUT."""


@contextmanager
def claim(out: Path, study: "Study", *, force: bool = False) -> Iterator[None]:
    """Hold `out` for one study and one process; writes `study.json` before any work.

    Args:
        out: The folder; made if it is missing.
        study: What is about to run.
        force: Replace what another study left (only the files that axenic writes).

    Raises:
        UserError: It is a file, holds something else, is in use, or cannot be written.
    """
    _refuse_foreign(out, study, force=force)
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise _unwritable(out, error) from None
    try:
        _lock(handle, out)
        if _found(out) not in (None, study.study):
            _refuse_foreign(out, study, force=force)
            for name in FILES:
                (out / name).unlink(missing_ok=True)
        write_text(out / "study.json", study.model_dump_json(indent=2) + "\n")
        yield
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a whole file or none of it."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def copy(source: Path, out: Path) -> None:
    """Copy the last step's files into `out`."""
    for name in STEP_FILES:
        if (source / name).exists():
            with _replacing(out / name) as temporary:
                shutil.copyfile(source / name, temporary)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place once the block ends well."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(out: Path, error: OSError) -> UserError:
    return EnvironmentProblem(f"'{out}' cannot be written: {error.strerror}. Name another folder with --out, or make room there.")


def _lock(handle: int, out: Path) -> None:
    """Lock the folder itself, so that no lock file outlives a killed run."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"Another run is writing into '{out}'. Wait for it, stop it, or name another --out.") from None
    except OSError:  # a file system without locks: the store is safe without, and OUT's files are replaced whole
        pass


def _found(out: Path) -> str | None:
    """The identity of the study in `out`; "" for something that is not a study, None for nothing.

    Hidden files are nothing: what a killed write left, and what file managers leave.
    """
    if not out.is_dir() or not _visible(out):
        return None
    try:
        return str(json.loads((out / "study.json").read_text(encoding="utf-8"))["study"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _visible(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


def _refuse_foreign(out: Path, study: "Study", *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"--out '{out}' is a file. Name a folder.")
    try:
        found = _found(out)
    except OSError as error:
        raise _unwritable(out, error) from None
    if found is None or found == study.study or (found and force):
        return
    if found:
        raise UserError(
            f"'{out}' holds another study ({found[:12]}; this one is {study.study[:12]}: other parameters are another study). "
            "Name another folder with --out, or replace that study with --force."
        )
    names = _visible(out)
    listing = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    raise UserError(f"'{out}' is not empty ({listing}) and holds no study. Name a new or empty folder with --out.")
