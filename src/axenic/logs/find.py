"""Which files a command line means: files, folders (searched below) and glob patterns.

In: words of the command line. Out: paths in a stable order, each once. What another tool keeps beside its logs (results, settings,
what axenic itself wrote) is no log and is passed over when a folder is searched.
"""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from axenic.errors import UserError

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
SUFFIXES = (*TEXT_SUFFIXES, *(s + ".gz" for s in TEXT_SUFFIXES), ".parquet", ".eval")
BESIDE = ("study.json", "manifest.json", "estimates.json", "corpora.json", "training.json", "config.json", "logs.json")
"""Files that lie beside logs: axenic's own, a model's configuration, Inspect's index of a log folder."""


def find(words: Sequence[str | Path], *, leave_out: Path | None = None) -> list[Path]:
    """The files that the words name.

    Args:
        words: Files, folders or glob patterns (`**` reaches into folders).
        leave_out: A folder whose files are not logs, e.g. the one that the report goes into.

    Raises:
        UserError: A word names nothing, or a file whose name ends in nothing that is known.
    """
    found: dict[Path, Path] = {}
    for word in words:
        for path in _named(str(word), leave_out):
            found.setdefault(path.resolve(), path)
    if not found:
        raise UserError(f"No log files were named. Name files, folders or patterns that end in {', '.join(SUFFIXES)}.")
    return list(found.values())


def suffix(path: Path) -> str:
    """The known ending of a file's name, without ".gz"; "" for any other."""
    name = path.name.lower()
    return next((s.removesuffix(".gz") for s in SUFFIXES if name.endswith(s)), "")


def _named(word: str, leave_out: Path | None) -> list[Path]:
    path = Path(word).expanduser()
    try:
        there = path.exists()
    except OSError as error:
        raise UserError(f"'{word}' cannot be read: {error.strerror}.") from None
    if not there and any(c in word for c in "*?["):
        matches = [p for m in sorted(glob.glob(str(path), recursive=True)) if (p := Path(m)).is_dir() or suffix(p)]
        files = [f for m in matches for f in (_below(m, leave_out) if m.is_dir() else [m])]
        if not files:
            raise UserError(f"No file matches '{word}'. Patterns are read as by the shell; '**' reaches into folders.")
        return files
    if not there:
        raise UserError(f"There is no file or folder '{word}'. Name log files, folders that hold some, or a pattern in quotes.")
    if path.is_dir():
        files = list(_below(path, leave_out))
        if not files:
            raise UserError(f"The folder '{word}' holds no logs: nothing in it ends in {', '.join(SUFFIXES)}.")
        return files
    if not suffix(path):
        raise UserError(f"'{word}' is not a log that axenic knows: its name ends in none of {', '.join(SUFFIXES)}.")
    return [path]


def _below(folder: Path, leave_out: Path | None) -> Iterator[Path]:
    out = leave_out.resolve() if leave_out else None
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not suffix(path) or not path.is_file() or path.name in BESIDE or _is_summary(path):
            continue
        if out is None or not path.resolve().is_relative_to(out):
            yield path


def _is_summary(path: Path) -> bool:
    """lm-evaluation-harness keeps `results_DATE.json` beside its `samples_TASK_DATE.jsonl`."""
    return path.name.startswith("results") and path.suffix == ".json"
