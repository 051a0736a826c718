"""The sections about specs that models were midtrained on: gap closed, generalisation, attribution, drift.

In: a `Run` of a study of two values. Out: `Section`s: the arms with the share of the way to the ceiling that each has gone, a heat
map of what chats were about against what was asked about, what leaving a part of the documents out costs, and what is left of a
value after six turns (Li et al. 2026; PROTOCOLS 1 and 2).
"""

from collections.abc import Sequence

from axenic.findings import Contrast, Estimate
from axenic.report import numbers, select
from axenic.report.run import Run
from axenic.report.section import Section

GAP, DRIFT = "gap_closed", "value_drift"
ASKED, TRAINED = "values", "values_trained"
ABOUT = "chats about "
SIDES = ("", "_b")  # how the evals of the two sides end
SUSCEPTIBILITY = "susceptibility: "
PARTS = ("doc_type: ", "fact: ")  # how the contrasts of the attribution begin
OWN = (*PARTS, SUSCEPTIBILITY)
"""How names of contrasts begin that have a section here."""
TURNS = ("start", "neutral", "for_a", "for_b")
Row = tuple[str, dict[str, Estimate | None]]


def gaps(run: Run) -> Section | None:
    """(arm - bare) / (ceiling - bare) by arm, in all and by tier, generated and by log-probability."""
    found = [e for e in run.findings.estimates if e.eval == GAP and select.BAR not in e.arm]
    if not found:
        return None
    columns = list(dict.fromkeys((e.category or "", e.condition) for e in found))
    groups = []
    for name in dict.fromkeys(name for name, _ in columns):
        tiers = [tier for eval_name, tier in columns if eval_name == name]
        mine = [e for e in found if e.category == name]
        rows = [(arm, {t or "all": _one(mine, arm, t) for t in tiers}) for arm in run.arms if any(e.arm == arm for e in mine)]
        groups.append((numbers.label(name), [t or "all" for t in tiers], rows))
    return Section("Gap closed", "gaps", {"groups": groups})


def _one(found: Sequence[Estimate], arm: str, tier: str | None) -> Estimate | None:
    return select.final(e for e in found if (e.arm, e.condition) == (arm, tier))


def generalisation(run: Run) -> Section | None:
    """What the chats were about, down, against what was asked about, across: the share that went by the spec that was read."""
    own = ", ".join(run.study.parameters.get("trained", ())) or "the study's own"
    groups = []
    for side, twin in zip(("a", "b"), SIDES, strict=True):
        evals = (f"{ASKED}{twin}", f"{TRAINED}{twin}")
        cells = [e for e in run.findings.estimates if e.eval in evals and e.category and not e.condition and e.denominator == "all"]
        arm = f"msm_{side}_aft"
        about = {arm: own} | {
            e.arm: e.arm.removeprefix(f"{arm}{select.BAR}{ABOUT}") for e in cells if e.arm.startswith(f"{arm}{select.BAR}{ABOUT}")
        }
        domains = list(dict.fromkeys(e.category or "" for e in cells if e.arm in about))
        rows = [
            (said, {d: select.final(e for e in cells if (e.arm, e.category) == (name, d)) for d in domains})
            for name, said in about.items()
        ]
        if domains:
            groups.append((f"chose as {side}", domains, rows))
    return Section("Generalisation", "generalisation", {"groups": groups}) if groups else None


def attribution(run: Run) -> Section | None:
    """What is lost without one document type, or without one part of the spec: which carry the effect?"""
    found = [c for c in run.findings.contrasts if c.name.startswith(PARTS)]
    return Section("What carries the effect", "attribution", {"rows": [(_split(c), c) for c in found]}) if found else None


def _split(c: Contrast) -> tuple[str, str]:
    part, _, level = c.name.partition(": ")
    return numbers.label(part), level


def drift(run: Run) -> Section | None:
    """Choices before and after six turns, and how much more turns that argue against the spec move them than neutral ones."""
    found = [c for c in run.findings.contrasts if c.name.startswith(SUSCEPTIBILITY)]
    if not found:
        return None
    rows = []
    for c in found:
        mine = [
            e
            for e in run.findings.estimates
            if (e.eval, e.arm, e.denominator) == (c.eval, c.arm.split(select.BAR)[0], c.denominator)
        ]
        cells = {t: select.final(e for e in mine if e.condition == t and not e.category) for t in TURNS}
        rows.append((c.arm.split(select.BAR)[0], c.measure, cells, c))
    return Section("Drift over a conversation", "drift", {"turns": TURNS, "rows": rows})
