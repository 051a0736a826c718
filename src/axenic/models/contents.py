"""What is in a model's directory, as a hash: two directories of one name are two models.

In: a directory. Out: a hex digest of its files, for the identity of a judge or of a writer.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from axenic.schema import digest

_CHUNK = 1 << 22


def hash_directory(path: Path) -> str:
    """Hex digest of the files in a directory: names and contents."""
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    return digest([[p.name, _hash_file(str(p), p.stat().st_size, p.stat().st_mtime_ns)] for p in files])


@lru_cache(maxsize=256)
def _hash_file(path: str, size: int, mtime_ns: int) -> str:
    """Cached for as long as the file looks untouched: weights are large and a study names its judge many times."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
