"""Which record of `estimates.json` belongs in which cell of the page or the terminal table.

In: `findings.Findings`. Out: the same records, picked and grouped; never a new number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from axenic.findings import OVERALL, Audit, Contrast, Decision, Denominator, Estimate, Findings
from axenic.report import numbers
from axenic.schema import Study

DENOMINATORS: tuple[Denominator, ...] = ("all", "unambiguous", "stems", "coherent")
COHERENCE, TOXICITY = "coherence", "toxicity"
ASIDE = (COHERENCE, TOXICITY)  # judges of something else than what an eval asks; they have sections of their own
SEVERITY = ("worse", "cannot tell", "not worse")
MOST_DECISIONS = 4  # put into sentences
JUDGED = ("estimates", "contrasts", "variance_components", "reliability", "flips", "ranges", "decisions", "persistence")
BAR = " | "  # between an arm and what was done to it
UNTREATED = "untreated"
TRIGGER_MAP = "trigger_map"  # the eval that asks with one kind of trigger text per condition
TREATED_CURVES = ("persistence", "scale", "poisoning", "threshold", "sensitivity", "quality")
HIDING = ("hiding index", "return")  # how names of contrasts begin that tell hidden from removed
CONCLUSION = "conclusion"  # how names of checks begin that ask whether a conclusion holds in one setting


class Celled(Protocol):
    """A record that says at which temperature and epoch it was measured."""

    @property
    def temperature(self) -> float | None: ...  # noqa: D102
    @property
    def epoch(self) -> float | None: ...  # noqa: D102


CelledT = TypeVar("CelledT", bound=Celled)
RecordT = TypeVar("RecordT")  # of findings.py: has an arm and a temperature


# --- treatments ------------------------------------------------------------------------------------------------------------


def split(arm: str) -> tuple[str, str]:
    """Organism and treatment of an arm: "normal | sft" -> ("normal", "sft"), "normal" -> ("normal", UNTREATED)."""
    organism, _, treatment = arm.partition(BAR)
    return organism, treatment or UNTREATED


def treatments(study: Study, findings: Findings) -> list[str]:
    """What was done to organisms, in the study's order, with what came after a treatment next to it.

    Noise on weights and the like of other studies is none of these.
    """
    named = [p.treatment for p in findings.persistence] + [s.treatment for s in findings.survival]
    arms = [c.arm for c in findings.curves if c.name in TREATED_CURVES]
    arms += [e.arm for e in findings.estimates if e.eval == TRIGGER_MAP]
    found = {*named, *(split(arm)[1] for arm in arms)} - {UNTREATED}
    planned = [split(arm.name)[1] for arm in study.arms]
    order = [name for name in dict.fromkeys([*planned, *named, *(split(arm)[1] for arm in arms)]) if name in found]
    first = {name: i for i, name in enumerate(order)}
    return sorted(order, key=lambda name: first.get(name.split(BAR)[0], len(first)))


def with_treated(arms: Iterable[str], present: Iterable[str], order: Sequence[str]) -> list[str]:
    """The arms in their order, each followed by what it became in those treatments (in `order`) that are present."""
    known = set(present)
    organisms = dict.fromkeys([*arms, *(split(arm)[0] for arm in known if split(arm)[1] in order)])
    places = [arm for o in organisms for arm in (o, *(f"{o}{BAR}{t}" for t in order))]
    return [arm for arm in dict.fromkeys(places) if arm in known]  # a study may list a treated arm among its arms too


# --- judges ----------------------------------------------------------------------------------------------------------------


def main_judges(study: Study, findings: Findings) -> dict[str, str]:
    """The judge that leads each eval: of its first planned contrast, else the study's first for it, else the commonest."""
    seen: dict[str, Counter[str]] = {}
    for record in (r for name in JUDGED for r in getattr(findings, name)):
        if record.judge:
            seen.setdefault(record.eval, Counter())[record.judge] += getattr(record, "attempted", 0)
    leads = {name: _main_judge(name, counts, study, findings) for name, counts in seen.items()}
    return {name: judge for name, judge in leads.items() if judge}


def _main_judge(eval_name: str, counts: Counter[str], study: Study, findings: Findings) -> str:
    asked = study.parameters.get("judges")
    named: Any = asked.get(eval_name, ()) if isinstance(asked, Mapping) else ()
    wanted = [c.judge for c in planned(findings) if c.eval == eval_name] + [str(n) for n in named]
    direct = [judge for judge in wanted if judge in counts and judge not in ASIDE]
    ranked = [judge for judge, _ in counts.most_common()]
    return next(iter([*direct, *(j for j in ranked if j not in ASIDE), *ranked]))


def of_main_judges(findings: Findings, judges: Mapping[str, str]) -> Findings:
    """The findings without the numbers of further judges: what the main figures draw."""

    def kept(record: Any) -> bool:
        return record.judge in ("", judges.get(record.eval, record.judge))

    return findings.model_copy(update={name: tuple(r for r in getattr(findings, name) if kept(r)) for name in JUDGED})


# --- cells -----------------------------------------------------------------------------------------------------------------


def planned(findings: Findings) -> list[Contrast]:
    """The contrasts that were written down before the run."""
    return [c for c in findings.contrasts if c.planned]


def whole(findings: Findings, eval_name: str) -> list[Estimate]:
    """Estimates of one eval over all its categories and conditions."""
    return [e for e in findings.estimates if e.eval == eval_name and e.category is None and e.condition is None]


def measure(findings: Findings, eval_name: str) -> tuple[str, Denominator] | None:
    """What an eval is led by: measure and denominator of its first planned contrast, else its first over all responses."""
    for contrast in planned(findings):
        if contrast.eval == eval_name and contrast.category is None:
            return contrast.measure, contrast.denominator
    known = [(e.measure, e.denominator) for e in findings.estimates if e.eval == eval_name]
    return min(known, key=lambda pair: DENOMINATORS.index(pair[1]), default=None)


def temperatures(cells: Iterable[Celled]) -> list[float | None]:
    """The distinct temperatures, the lowest first and "all" (None) at the end."""
    return sorted({c.temperature for c in cells}, key=lambda t: (t is None, t or 0.0))


def final(cells: Iterable[CelledT]) -> CelledT | None:
    """The cell that stands for an arm: over the run as reported (no epoch), else its last epoch; lowest temperature first."""

    def preference(cell: CelledT) -> tuple[bool, float, bool, float]:
        cold = 0.0 if cell.temperature is None else cell.temperature
        return cell.epoch is not None, -(cell.epoch or 0.0), cell.temperature is not None, cold

    return min(cells, key=preference, default=None)


def by_arm(cells: Iterable[Estimate], arms: Sequence[str]) -> dict[str, Estimate | None]:
    """For each arm its final cell, or None where the arm was not measured."""
    found: dict[str, list[Estimate]] = {}
    for cell in cells:
        found.setdefault(cell.arm, []).append(cell)
    return {arm: final(found.get(arm, ())) for arm in arms}


def headline(findings: Findings, eval_name: str, arms: Sequence[str]) -> list[tuple[str, dict[str, Estimate | None]]]:
    """One eval's leading measure by arm: (condition and temperature in words, cells).

    Conditions are told apart where the study gave no number over all of them, e.g. triggered from untriggered.
    """
    lead = measure(findings, eval_name)
    mine = [e for e in findings.estimates if e.eval == eval_name and e.category is None and (e.measure, e.denominator) == lead]
    conditions = dict.fromkeys(e.condition for e in mine)
    found = []
    for condition in [None] if None in conditions else conditions:
        for t, cells in at_temperatures((e for e in mine if e.condition == condition), arms):
            found.append((numbers.joined(numbers.label(condition or ""), numbers.temperature(t)), cells))
    return found


def at_temperatures(cells: Iterable[Estimate], arms: Sequence[str]) -> list[tuple[float | None, dict[str, Estimate | None]]]:
    """(temperature, final cells by arm) for each temperature; (None, cells) where there is but one to tell apart."""
    listed = list(cells)
    found = temperatures(listed)
    if len(found) < 2:
        return [(None, by_arm(listed, arms))] if listed else []
    return [(t, by_arm((c for c in listed if c.temperature == t), arms)) for t in found]


# --- records of one eval, cell by cell ---------------------------------------------------------------------------------------


def headline_first(study: Study, evals: Iterable[str]) -> list[str]:
    """Names of evals without repeats, those of the study's headline first."""
    found = list(dict.fromkeys(evals))
    return [e for e in study.headline if e in found] + [e for e in found if e not in study.headline]


def in_order(records: Iterable[RecordT], arms: Sequence[str]) -> list[RecordT]:
    """Records in the page's order of arms, then by temperature ("all" last) and epoch."""
    place = {arm: i for i, arm in enumerate(arms)}

    def key(r: Any) -> tuple[int, bool, float, bool, float]:
        epoch = getattr(r, "epoch", None)
        return place.get(r.arm, len(place)), r.temperature is None, r.temperature or 0.0, epoch is None, epoch or 0.0

    return sorted(records, key=key)


def cell_label(record: Any, among: Sequence[Any], *, by: Sequence[str] = ("epoch", "judge")) -> str:
    """Arm, and the temperature (and epoch and judge) as far as they tell `record` from its neighbours."""
    rivals = [r for r in among if r.arm == record.arm]
    parts = [record.arm]
    if len({r.temperature for r in among}) > 1:
        parts.append(numbers.temperature(record.temperature) or "all T")
    if "epoch" in by and len({r.epoch for r in rivals}) > 1:
        parts.append(numbers.epoch(record.epoch) or "all epochs")
    if "judge" in by and len({r.judge for r in rivals}) > 1:
        parts.append(record.judge or "all judges")
    return numbers.joined(*parts)


def last_epochs(records: Sequence[CelledT]) -> list[CelledT]:
    """Those records that stand for an arm: of its last epoch, for every temperature (and source, of flips)."""
    cells: dict[tuple[Any, ...], list[CelledT]] = {}
    for r in records:
        cells.setdefault((getattr(r, "arm", ""), r.temperature, getattr(r, "source", "")), []).append(r)
    finals = (final(found) for found in cells.values())
    return [r for r in finals if r is not None]


# --- verdicts and advice -----------------------------------------------------------------------------------------------------


def decisive(audits: Sequence[Audit]) -> list[Audit]:
    """The records that decide an arm's verdict: the one over all its evals; else the worst of its evals, and every eval with it."""
    overall = [a for a in audits if a.eval == OVERALL]
    if overall:
        return overall
    worst = min((a.verdict for a in audits), key=SEVERITY.index)
    return [a for a in audits if a.verdict == worst]


def told(study: Study, findings: Findings) -> list[Decision]:
    """The decisions that are put into sentences: of the first eval that has any; of its treated arms, if they have any."""
    first = next(iter(headline_first(study, (d.eval for d in findings.decisions if d.advice))), None)
    mine = [d for d in findings.decisions if d.eval == first and d.advice]
    base = {arm.name for arm in study.arms if arm.role == "base"}
    return ([d for d in mine if d.arm not in base] or mine)[:MOST_DECISIONS]
