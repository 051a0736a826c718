"""Finished calls on disk: one line per answer, in the order in which they came.

In: answers. Out: the same answers, after a kill too. Layout of the folder: answers.jsonl (append-only), lock. A line counts once it
is written whole; what a kill left of a last line is cut off.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axenic.corpora.writers.calls.nouns import Answer
from axenic.disk import lock, unlock
from axenic.errors import EnvironmentProblem, UserError

_ROOM = 16 * 2**20  # bytes that must be free before a call is paid for
_LOOK_EVERY = 0.25  # seconds: looking costs as much as a call, and answers do not come by the megabyte
_PERHAPS = "perhaps"  # kind of a line: a call that may have been charged although no reply came


class Folder:
    """The answers of one folder, held by one process. Texts stay on disk; only their places are kept in memory."""

    def __init__(self, path: Path) -> None:
        """Lock the folder and index what is in it.

        Raises:
            UserError: Another process is writing into it.
            EnvironmentProblem: It cannot be written.
        """
        self.path = path
        try:
            handle = lock(path / "lock", wait=False)
            if handle is None:
                raise UserError(f"Another run is writing into '{path}'. Wait for it, stop it, or name another folder.")
            self._lock = handle
            self._file = os.open(path / "answers.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise _unwritable(path, error) from None
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._room_until = 0.0
        self.dirty = False

    def load(self) -> Iterator[tuple[Answer | None, float]]:
        """Every line so far: an answer, or None and the USD of a call that was perhaps charged."""
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                yield from self._index(raw)
                self._end += len(raw)
        os.ftruncate(self._file, self._end)

    def _index(self, raw: bytes) -> Iterator[tuple[Answer | None, float]]:
        try:
            data = json.loads(raw)
            if data.get("kind") == _PERHAPS:
                yield None, float(data["cost"])
                return
            answer = Answer.model_validate(data)
        except (ValueError, TypeError, AttributeError, KeyError):
            return  # a damaged line holds no answer: the call is made again
        self._places[answer.key] = (self._end, len(raw))
        yield answer, 0.0

    def get(self, key: str) -> Answer | None:
        """The answer with this key, if it is there."""
        place = self._places.get(key)
        if place is None:
            return None
        return Answer.model_validate_json(os.pread(self._file, place[1], place[0]))

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def add(self, answer: Answer) -> None:
        """Keep an answer: it survives the death of this process from here on, and of the machine after `sync`."""
        self._append(answer.model_dump(exclude={"cached"}, exclude_none=True), answer.key)

    def perhaps(self, stage: str, cost: float) -> None:
        """Remember a call that was sent and never answered: the provider may charge for it."""
        self._append({"kind": _PERHAPS, "stage": stage, "cost": cost}, None)

    def require_room(self) -> None:
        """Raise unless there is room for answers: none is paid for that could not be kept.

        Raises:
            EnvironmentProblem: The disk is nearly full.
        """
        if time.monotonic() < self._room_until:
            return
        try:
            if shutil.disk_usage(self.path).free >= _ROOM:
                self._room_until = time.monotonic() + _LOOK_EVERY
                return
        except OSError as error:
            raise _unwritable(self.path, error) from None
        raise EnvironmentProblem(f"The disk is full ('{self.path}'). {_CONTINUE}")

    def sync(self) -> None:
        """Force what was added to the disk itself."""
        self.dirty = False
        os.fsync(self._file)

    def close(self) -> None:
        """Sync and give the folder back."""
        try:
            self.sync()
        finally:
            os.close(self._file)
            unlock(self._lock)

    def _append(self, line: dict[str, Any], key: str | None) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        try:
            written = os.write(self._file, data)
            if written < len(data):
                os.write(self._file, data[written:])  # says why the rest does not fit
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise _unwritable(self.path, error) from None
        if key is not None:
            self._places[key] = (self._end, len(data))
        self._end += len(data)
        self.dirty = True


_CONTINUE = "Make room there and run the same command again: nothing that was paid for is lost."


def _unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(f"'{path}' cannot be written: {error.strerror}. {_CONTINUE}")
