"""Inspect's container `.eval`: a zip of JSON, one file per sample.

In: an `EvalLog` with its samples. Out: the file that Inspect reads. Inspect's own writer stamps every entry with the clock and
costs a millisecond or more a sample; this one writes Inspect's own models without a clock, so that equal logs are equal files.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog
from pydantic import BaseModel
from pydantic_core import to_json

from axenic.disk import atomic_write
from axenic.errors import EnvironmentProblem

NEVER = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def write(path: Path, log: EvalLog) -> None:
    """Write a finished log.

    Raises:
        EnvironmentProblem: The disk is full or the place cannot be written; no half file is left.
    """
    samples = log.samples or []
    start = {"version": log.version, "eval": log.eval, "plan": log.plan}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        _add(container, "_journal/start.json", start)
        for sample in samples:
            _add(container, f"samples/{sample.id}_epoch_{sample.epoch}.json", sample)
        _add(container, "summaries.json", [sample.summary() for sample in samples])
        _add(container, "reductions.json", log.reductions or [])
        _add(container, "header.json", log.model_copy(update={"samples": None, "reductions": None}))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, buffer.getvalue())
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot write {path}: {error.strerror}. Free some space or name another folder with --out."
        ) from None


def _add(container: zipfile.ZipFile, name: str, content: BaseModel | dict[str, Any] | list[Any]) -> None:
    entry = zipfile.ZipInfo(name, date_time=NEVER)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    # unscored is NaN in Inspect's JSON, and None means "not there"
    container.writestr(entry, to_json(content, exclude_none=True, inf_nan_mode="constants"), compresslevel=1)
