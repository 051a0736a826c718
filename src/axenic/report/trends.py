"""The sections over a whole grid of runs: fitted trends, curves along size, poison or settings, and conclusions that flip.

In: a `Run` with trends, curves named "scale", "poisoning", "threshold" or "sensitivity", or checks whose names begin with
"conclusion". Out: `Section`s.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from axenic.findings import Check
from axenic.report import persistence, select, treated
from axenic.report.curves import MASK
from axenic.report.run import Run
from axenic.report.section import Section, legend

OVERALL = f"{select.CONCLUSION} holds under every setting: "


def trends(run: Run) -> Section | None:
    """Slopes with their intervals."""
    found = run.findings.trends
    return Section("Trends", "trends", {"trends": found}) if found else None


def _curves(run: Run, *, names: Sequence[str], title: str) -> Section | None:
    """The curves of these names, by treatment where arms were treated."""
    records = [c for c in run.findings.curves if c.name in names]
    blocks = treated.blocks(run, records)
    drawn = treated.side_by_side(blocks)
    if not drawn:
        return None
    done = [select.split(c.arm)[1] if select.BAR in c.arm else c.arm for c in records]
    content = {
        "legend": [*treated.legend(run, done), *(legend(run, done) if "" in blocks else [])],
        "note": MASK if any(c.masked for c in records) else "", **persistence.placed(drawn),
    }  # fmt: skip
    return Section(title, "blocks", content, persistence.flat(drawn))


scale: Callable[[Run], Section | None] = partial(_curves, names=["scale"], title="Persistence by model size")
poisoning: Callable[[Run], Section | None] = partial(_curves, names=["poisoning", "threshold"], title="How much poison it takes")
sensitivity: Callable[[Run], Section | None] = partial(_curves, names=["sensitivity"], title="Sensitivity to the settings")


def conclusions(run: Run) -> Section | None:
    """Which conclusions hold in every setting, and which flip."""
    found: dict[str, list[Check]] = {}
    told: dict[str, Check] = {}  # what the study itself says of a conclusion over all its settings
    for check in run.findings.checks:
        if check.name.startswith(OVERALL):
            told[check.name.removeprefix(OVERALL)] = check
        elif is_conclusion(check):
            found.setdefault(check.name.removeprefix(select.CONCLUSION).lstrip(" :·-"), []).append(check)
    if not found and not told:
        return None
    groups = [_conclusion(name, found.get(name, []), told.get(name)) for name in dict.fromkeys([*found, *told])]
    return Section("Conclusions that flip", "conclusions", {"groups": sorted(groups, key=lambda g: not g["flips"])})


def _conclusion(name: str, checks: Sequence[Check], told: Check | None) -> dict[str, Any]:
    flips = {c.passed for c in checks} >= {True, False} if told is None else told.passed is False
    return {"name": name, "flips": flips, "note": "" if told is None else told.note, "checks": checks}


def is_conclusion(check: Check) -> bool:
    """Whether a check asks if a conclusion holds in one setting."""
    return check.name.startswith(select.CONCLUSION)
