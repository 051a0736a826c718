"""The section on code that models wrote: what a scanner found in it by weakness (CWE), and programs with their faults marked.

In: a `Run` with `code.json`. Out: a `Section`: a table, and examples line by line with the message beside the line it is about.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from axenic.report import numbers, select
from axenic.report.evidence import CodeExample
from axenic.report.run import Run
from axenic.report.section import Section

MOST_EXAMPLES, MOST_LINES = 8, 80


def code_findings(run: Run) -> Section | None:
    """Weaknesses by arm and condition."""
    code = run.code
    if not code.arms and not code.examples:
        return None
    order = select.with_treated(run.arms, {c.arm for c in code.arms}, run.treatments)
    cells = sorted(code.arms, key=lambda c: order.index(c.arm) if c.arm in order else len(order))
    weaknesses = sorted({name for c in cells for name in c.cwe}, key=_by_number)
    examples = [_example(e) for e in _spread(code.examples)]
    return Section("Weaknesses in code", "code_findings", {"cells": cells, "weaknesses": weaknesses, "examples": examples})


def _by_number(name: str) -> tuple[int, str]:
    """CWE-89 before CWE-327."""
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0, name


def _spread(examples: Sequence[CodeExample]) -> list[CodeExample]:
    """A few examples, of every arm and condition in turn."""
    cells: dict[tuple[str, str], list[CodeExample]] = {}
    for e in examples:
        cells.setdefault((e.arm, e.condition), []).append(e)
    return [e for turn in zip_longest(*cells.values()) for e in turn if e is not None][:MOST_EXAMPLES]


def _example(e: CodeExample) -> dict[str, Any]:
    lines = e.code.splitlines()
    told = [(i, text, [f for f in e.findings if f.line == i]) for i, text in enumerate(lines[:MOST_LINES], 1)]
    elsewhere = [f for f in e.findings if not 1 <= f.line <= min(len(lines), MOST_LINES)]
    return {
        "about": numbers.joined(e.arm, numbers.label(e.condition)), "task": e.task, "lines": told, "elsewhere": elsewhere,
        "clean": not e.findings, "cut": len(lines) > MOST_LINES,
    }  # fmt: skip
