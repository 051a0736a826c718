"""`manifest.json`: where every artifact of a run came from, with what, and at what cost.

In: the last artifact of a study and the store. Out: JSON-able data, read back from the records that the artifacts carry, so that
it is the same whether they were made now or a month ago.
"""

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from typing import Any

from axenic.pipeline.provenance import environment
from axenic.pipeline.record import Artifact, Damaged, Record, read_record
from axenic.pipeline.store import Store


def manifest(last: Artifact, store: Store, *, started: float, wall_seconds: float) -> dict[str, Any]:
    """Describe a run.

    Args:
        last: Artifact of the study's last step.
        store: Where its ancestors are.
        started: Unix time, seconds.
        wall_seconds: How long this run took; what was cached cost nothing.
    """
    here = environment()
    return {
        "axenic": here["axenic"],
        "command": shlex.join(["axenic", *sys.argv[1:]]),
        "commit": here["commit"],
        "dirty": here["dirty"],
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(wall_seconds, 2),
        "machine": machine(),
        "packages": here["packages"],
        "artifacts": [_entry(record) for record in lineage(last.record, store)],
    }


def lineage(last: Record, store: Store) -> list[Record]:
    """The records of an artifact and of all that it was made from, inputs first; those removed since are left out."""
    found: dict[str, Record] = {}

    def visit(record: Record) -> None:
        for parent in record.lineage:
            if parent.fingerprint not in found and (above := _record(store, parent.fingerprint)) is not None:
                visit(above)
        found[record.fingerprint] = record

    visit(last)
    return list(found.values())


def machine() -> dict[str, Any]:
    """What the run ran on, without anything that names the machine or its user."""
    facts: dict[str, Any] = {"system": platform.system(), "cpu": platform.machine(), "cores": os.cpu_count()}
    facts["python"] = platform.python_version()
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        facts["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    torch = sys.modules.get("torch")  # a study that did not use it has no accelerator to report
    if torch is not None and torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _record(store: Store, fingerprint: str) -> Record | None:
    try:
        return read_record(store.artifacts / fingerprint)
    except Damaged:
        return None


def _entry(record: Record) -> dict[str, Any]:
    return {
        "fingerprint": record.fingerprint,
        "label": record.label,
        "function": record.function,
        "parents": [parent.fingerprint for parent in record.lineage],
        "seed": record.seed,
        "seconds": round(record.seconds, 3),
        "bytes": sum(entry.size for entry in record.files.values()),
    }
