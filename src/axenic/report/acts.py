"""The sections about agentic scenarios: misaligned acts by pressure and kind beside omitted ones, and by dose of anti-spec replies.

In: a `Run` of the study `msm_misalignment`. Out: `Section`s: heat maps, arms down and pressures and kinds of acts across; curves
along the share of anti-spec replies, a line with midtraining and one without (Li et al. 2026, headline 2; PROTOCOLS 2).
"""

from collections.abc import Sequence

from axenic.findings import Estimate
from axenic.report import curves, select
from axenic.report.run import Run
from axenic.report.section import Section, titled

EVALS = ("agentic", "agentic_near", "omission")
DOSE = "anti_spec"
ALL = "all"
Row = tuple[str, dict[str, Estimate | None]]


def acts(run: Run) -> Section | None:
    """What was done, by arm: in all, under each pressure, and by kind of act."""
    groups = [group for name in EVALS if (group := _group(run, name)) is not None]
    return Section("Acts by pressure and kind", "acts", {"groups": groups}) if groups else None


def _group(run: Run, name: str) -> tuple[str, list[str], list[Row]] | None:
    """(title, columns, rows) of one eval."""
    lead = select.measure(run.findings, name)
    cells = [e for e in run.findings.estimates if e.eval == name and (e.measure, e.denominator) == lead]
    if lead is None or not cells:
        return None
    pressures = list(dict.fromkeys(e.condition for e in cells if e.condition and not e.category))
    kinds = list(dict.fromkeys(e.category for e in cells if e.category and not e.condition))
    places = {ALL: (None, None), **{p: (None, p) for p in pressures}, **{k: (k, None) for k in kinds}}
    ladders = sorted((e.arm for e in cells), key=lambda arm: (len(arm), arm))  # 25 % before 100 %
    arms = list(dict.fromkeys([*run.arms, *ladders]))
    rows = [(arm, {label: _one(cells, arm, *at) for label, at in places.items()}) for arm in arms]
    return titled(name, *lead), list(places), [(arm, found) for arm, found in rows if any(found.values())]


def _one(cells: Sequence[Estimate], arm: str, kind: str | None, pressure: str | None) -> Estimate | None:
    return select.final(e for e in cells if (e.arm, e.category or None, e.condition or None) == (arm, kind, pressure))


def doses(run: Run) -> Section | None:
    """Misaligned acts, omissions and capability along the share of anti-spec replies, with and without midtraining."""
    return curves.along(run, "Dose of anti-spec replies", [c for c in run.findings.curves if c.name == DOSE])
