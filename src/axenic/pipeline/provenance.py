"""The facts about this process that every artifact records: axenic's version and commit, packages, command line, machine."""

import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import axenic


@cache
def environment() -> dict[str, Any]:
    """The fields of `record.Record` that are the same for every step of this process."""
    commit, dirty = _checkout()
    return {
        "axenic": axenic.__version__,
        "commit": commit,
        "dirty": dirty,
        "packages": _packages(),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def command_line() -> tuple[str, ...]:
    """What the user typed."""
    return tuple(sys.argv)


def _checkout() -> tuple[str | None, bool | None]:
    """Commit and dirty flag of the checkout that axenic runs from; (None, None) when it does not run from one."""
    package = Path(axenic.__file__).resolve().parent
    root = package.parents[1]
    if package.parent.name != "src" or not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", "src")
    return commit, None if changes is None else bool(changes)


def _git(root: Path, *arguments: str) -> str | None:
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # looking must not write to the user's repository
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _packages() -> dict[str, str]:
    """Installed versions of everything that axenic depends on."""
    try:
        required = metadata.requires("axenic") or []
    except metadata.PackageNotFoundError:
        return {}
    found = {}
    for name in sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required}):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
