"""What runs inside the sandbox's process: limits, a guard on what the interpreter does, then the snippet and its check.

In: a job as JSON on standard input (snippet, check, folder, readable folders, limits, number of the pipe to answer on). Out: JSON
on that pipe. Runs as a script of its own, without axenic and without third-party packages; `sandbox` starts it.
"""

import builtins
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ON_PATHS = {"open", "os.listdir", "os.scandir"}
_ALLOWED = {"os.walk", "os.fwalk", "os.putenv", "os.unsetenv"}
_REFUSED = (
    "os.", "subprocess.", "socket.", "ctypes.", "shutil.", "fcntl.", "mmap.", "pty.", "resource.", "signal.", "syslog.", "ftplib.",
    "imaplib.", "nntplib.", "poplib.", "smtplib.", "telnetlib.", "urllib.", "http.client.", "webbrowser.", "ensurepip.",
    "sqlite3.enable_load_extension", "sqlite3.load_extension",
)  # fmt: skip
_UNAUDITED = ("mkfifo", "mknod", "chroot", "setpriority", "pidfd_open", "memfd_create", "copy_file_range", "sendfile", "splice")
"""Functions of `os` that leave something behind and tell no audit hook."""


def _limit(limits: dict[str, int]) -> None:
    import resource

    for name, most in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            try:
                resource.setrlimit(kind, (most, most))
            except (ValueError, OSError):
                continue  # not every system knows every limit; the guard and the wall clock hold there


def _answering(fd: int) -> Callable[[str, str], NoReturn]:
    write, leave, dump = os.write, os._exit, json.dumps

    def answer(verdict: str, note: str) -> NoReturn:
        try:
            write(fd, dump({"verdict": verdict, "note": note[:300]}).encode())
        finally:
            leave(0)

    return answer


def _guard(folders: list[str], refuse: Callable[[str], NoReturn]) -> Callable[[str, tuple[Any, ...]], None]:
    """The audit hook. A refusal ends the process at once, so that no `except` of the snippet's can hide it."""
    real, decode = os.path.realpath, os.fsdecode
    inside = tuple(real(folder) for folder in folders)

    def readable(path: Any) -> bool:
        if isinstance(path, int):
            return True
        place = real("." if path is None else decode(path))
        return any(place == folder or place.startswith(folder + "/") for folder in inside)

    def hook(event: str, given: tuple[Any, ...]) -> None:
        note = _on_path(event, given, readable) if event in _ON_PATHS else _on_event(event, given)
        if note:
            refuse(note)

    return hook


def _on_path(event: str, given: tuple[Any, ...], readable: Callable[[Any], bool]) -> str | None:
    if event == "open" and given[2] & _WRITES:
        return f"tried to write the file {given[0]!r}"
    return None if readable(given[0]) else f"tried to read {given[0]!r}"


def _on_event(event: str, given: tuple[Any, ...]) -> str | None:
    if event == "sqlite3.connect":
        return None if given[0] in (":memory:", b":memory:") else f"tried to open the database {given[0]!r}"
    if event == "import":
        return "tried to import ctypes" if given[0].partition(".")[0] in ("ctypes", "_ctypes") else None
    return f"tried {event}" if event.startswith(_REFUSED) and event not in _ALLOWED else None


def _close(refuse: Callable[[str], NoReturn]) -> None:
    """Take away what no audit hook would see."""
    import _posixsubprocess
    import posix

    def refused(name: str) -> Callable[..., NoReturn]:
        return lambda *given, **named: refuse(f"tried {name}")

    for name in _UNAUDITED:
        for module in (os, posix):
            if hasattr(module, name):
                setattr(module, name, refused(f"os.{name}"))
    _posixsubprocess.fork_exec = refused("to start a program")


def _execute(snippet: str, check: str, answer: Callable[[str, str], NoReturn]) -> NoReturn:
    scope: dict[str, Any] = {"__name__": "snippet", "__builtins__": builtins}
    for what, source in (("code", snippet), ("check", check)):
        try:
            exec(compile(source, f"<{what}>", "exec"), scope)
        except MemoryError:
            answer("contained", "needed more memory than it may have")
        except AssertionError as error:
            answer("fails" if what == "check" else "breaks", f"AssertionError: {error}".rstrip(": "))
        except BaseException as error:  # SystemExit as well: a snippet that ends the program is broken
            answer("breaks", f"{type(error).__name__}: {error}")
    answer("works", "")


def main() -> None:
    """Run the job that stands on standard input."""
    job = json.loads(sys.stdin.read())
    answer = _answering(job["answer"])
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.environ.clear()
    sys.argv[:] = [""]
    _limit(job["limits"])

    def refuse(note: str) -> NoReturn:
        answer("contained", note)

    hook = _guard([job["folder"], *job["readable"]], refuse)
    _close(refuse)
    sys.addaudithook(hook)
    _execute(job["snippet"], job["check"], answer)


if __name__ == "__main__":
    main()
