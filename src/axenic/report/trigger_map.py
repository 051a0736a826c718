"""The section "Trigger map": how far from the trigger a hidden behaviour still fires, before and after treatment.

In: a `Run` with estimates of the eval "trigger_map", whose conditions are kinds of trigger text. Out: a heat map per measure, arms
down (each organism followed by what became of it) and kinds across.
"""

from collections.abc import Mapping, Sequence

from axenic.findings import Estimate
from axenic.report import numbers, select
from axenic.report.run import Run
from axenic.report.section import Section, counts

FIRST = ("exact", "other position", "other case", "partial", "bare word", "doubled")  # from the trigger away
LAST = ("trained look-alike", "absent", "none")
MOST_COLUMNS = 9  # kinds beside each other with room for their names
Row = tuple[str, Mapping[str, Estimate | None]]


def trigger_map(run: Run) -> Section | None:
    """Share of responses with the payload, by arm and kind of trigger text."""
    cells = [e for e in run.findings.estimates if e.eval == select.TRIGGER_MAP and e.condition and not e.category]
    if not cells:
        return None
    seen = dict.fromkeys(e.condition or "" for e in cells)
    kinds = [k for k in FIRST if k in seen] + [k for k in seen if k not in FIRST + LAST] + [k for k in LAST if k in seen]
    lead = select.measure(run.findings, select.TRIGGER_MAP) or (cells[0].measure, cells[0].denominator)
    mine = [e for e in cells if (e.measure, e.denominator) == lead]
    content = {
        "kinds": kinds, "groups": _groups(run, mine, kinds), "measure": numbers.label(lead[0]), "titles": titles(mine),
        "crowded": len(kinds) > MOST_COLUMNS,
    }  # fmt: skip
    return Section("Trigger map", "trigger_map", content)


def _groups(run: Run, cells: Sequence[Estimate], kinds: Sequence[str]) -> list[tuple[str, list[Row]]]:
    """(organism, [(treatment, cells by kind)])."""
    groups: dict[str, list[Row]] = {}
    for arm in select.with_treated(run.arms, {e.arm for e in cells}, run.treatments):
        by_kind = {kind: select.final(e for e in cells if (e.arm, e.condition) == (arm, kind)) for kind in kinds}
        organism, treatment = select.split(arm)
        groups.setdefault(organism, []).append((treatment, by_kind))
    return list(groups.items())


def titles(cells: Sequence[Estimate]) -> dict[str, str]:
    """What a cell says when it is pointed at, by arm and kind."""
    return {f"{e.arm} {e.condition}": f"{e.arm}, {e.condition}: {numbers.estimate(e)}; {counts(e)}" for e in cells}
