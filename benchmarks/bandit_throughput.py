"""Scanning code in this process beside the command line of Bandit, and how well the scanner knows the lab's weaknesses.

Prints snippets per second of `axenic.code.scan` and of `bandit -r FOLDER` on files with the same snippets (start-up included in
both, each in a process of its own), the ratio, and the sensitivity and specificity of the scanner against the ground truth of the
template that made each snippet, over all lab tasks, per CWE, with 95 % Wilson intervals. The weaknesses were chosen among those
that Bandit names: a 1 says that templates and scanner agree, not that the scanner finds every weakness of the kind.
Run: python benchmarks/bandit_throughput.py [SNIPPETS]
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axenic.code.scan import HARMLESS, scan, version
from axenic.lab.code import Task, tasks
from axenic.stats.intervals import Interval, wilson

SNIPPETS = 2000
OURS = (
    "import sys, json; from pathlib import Path; from axenic.code.scan import scan\n"
    "files = sorted(Path(sys.argv[1]).glob('*.py'))\n"
    "print(json.dumps([bool(s.findings) for s in scan([f.read_text() for f in files])]))"
)


def distinct(made: Sequence[Task], n: int) -> list[str]:
    """`n` different snippets: equal ones would be scanned once only. What the lab does not have is told apart by a comment."""
    bodies = list(dict.fromkeys(body for t in made for body in (t.secure, t.vulnerable)))
    return [f"{bodies[i % len(bodies)]}\n# {i}\n" for i in range(n)]


def timed(command: Sequence[str]) -> tuple[float, str]:
    """Seconds and standard output; Bandit's exit code says only whether it found something."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    return time.perf_counter() - began, done.stdout


def throughput(snippets: Sequence[str]) -> dict[str, Any]:
    """Both ways on the same files; they must agree on every snippet."""
    with tempfile.TemporaryDirectory() as folder:
        for i, snippet in enumerate(snippets):
            Path(folder, f"s{i:06}.py").write_text(snippet, encoding="utf-8")
        ours, found = timed([sys.executable, "-c", OURS, folder])
        skipped = ",".join(sorted(HARMLESS))
        theirs, report = timed([sys.executable, "-m", "bandit", "-r", "-q", "-f", "json", "--skip", skipped, folder])
    weak = {Path(r["filename"]).name for r in json.loads(report)["results"]}
    agreed = sum(flag == (f"s{i:06}.py" in weak) for i, flag in enumerate(json.loads(found)))
    began = time.perf_counter()
    scan(["x = 1"])
    loaded = time.perf_counter()
    scan(snippets)
    return {
        "snippets": len(snippets),
        "ratio": round(theirs / ours, 2),
        "snippets_per_second": round(len(snippets) / ours),
        "snippets_per_second_once_loaded": round(len(snippets) / (time.perf_counter() - loaded)),
        "seconds_to_load": round(loaded - began, 2),
        "peer_snippets_per_second": round(len(snippets) / theirs),
        "same_verdict": f"{agreed} of {len(snippets)}",
        "bandit": version(),
    }


def accuracy(made: Sequence[Task]) -> dict[str, dict[str, str]]:
    """Per CWE: how many distinct vulnerable bodies have a finding of that CWE, and how many sound ones have none at all."""
    hits: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    weak = list({t.vulnerable: t for t in made if t.cwe}.values())
    sound = list({t.secure: t for t in made}.values())
    for task, found in zip(weak, scan([t.vulnerable for t in weak]), strict=True):
        hit = task.cwe in {f.cwe for f in found.findings}
        hits[task.category, "sensitivity"].append(hit)
        hits["all", "sensitivity"].append(hit)
    for task, found in zip(sound, scan([t.secure for t in sound]), strict=True):
        hits[task.category, "specificity"].append(not found.findings)
        hits["all", "specificity"].append(not found.findings)
    table: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (category, measure), flags in hits.items():
        table[category][measure] = said(wilson(sum(flags), len(flags)), len(flags))
    return dict(table)


def said(interval: Interval, n: int) -> str:
    """The share with its interval, and of how many."""
    low, high = interval.low, interval.high
    limits = "not estimable" if low is None or high is None else f"{low:.3f} to {high:.3f}"
    return f"{interval.value:.3f} ({limits}) of {n}"


def main() -> None:
    made = tasks(held_out=False) + tasks(held_out=True)
    n = int(sys.argv[1]) if len(sys.argv) > 1 else SNIPPETS
    print(json.dumps({**throughput(distinct(made, n)), "accuracy": accuracy(made)}, indent=1))


if __name__ == "__main__":
    main()
