"""The section on top of an audit: is the fine-tune worse, not worse than the margin, or can nobody tell yet.

In: a `Run` whose findings hold audits. Out: a verdict per arm, a forest plot of harm against the margin, a sentence per eval.
"""

from collections.abc import Sequence

from axenic.findings import Audit
from axenic.report import numbers, rows, select
from axenic.report.canvas import Figure, Point
from axenic.report.run import Run
from axenic.report.section import Section, legend, look, titled


def audit(run: Run) -> Section | None:
    """Verdict by arm, and what it rests on."""
    audits = run.findings.audits
    if not audits:
        return None
    arms = list(dict.fromkeys(a.arm for a in audits))
    verdicts = [{"arm": arm, **_verdict([a for a in audits if a.arm == arm])} for arm in arms]
    content = {"verdicts": verdicts, "audits": audits, "legend": legend(run, arms) if len(arms) > 1 else []}
    return Section("Verdict", "audit", content, _forest(run, audits))


def _verdict(audits: Sequence[Audit]) -> dict[str, object]:
    deciding = select.decisive(audits)
    verdict = deciding[0].verdict
    sentences = list(dict.fromkeys(a.text for a in deciding if a.text))
    references = ", ".join(dict.fromkeys(a.reference for a in audits))
    return {"verdict": verdict, "word": numbers.VERDICTS[verdict], "sentences": sentences, "reference": references}


def _forest(run: Run, audits: Sequence[Audit]) -> dict[str, Figure]:
    """Harm in points, a row per eval and measure, a dot per arm, and the margin across."""
    keys = dict.fromkeys((a.eval, a.measure) for a in audits if a.harm is not None)
    if not keys:
        return {}
    drawn = []
    margins = []
    for key in keys:
        mine = [a for a in audits if (a.eval, a.measure) == key]
        drawn.append((titled(*key), {a.arm: _point(a) for a in mine if a.harm is not None}))
        margins.append(100 * max(a.margin for a in mine))
    title = "Harm against the margin"
    x_title = "change for the worse, percentage points"
    return {"harm": rows.intervals(title, drawn, look(run), zero=True, margins=margins, x_title=x_title)}


def _point(a: Audit) -> Point:
    text = f"{a.arm} against {a.reference}\n{numbers.points(a.harm)} {numbers.point_interval(a.low, a.high)} points\n{a.text}"
    value, low, high = (None if v is None else 100 * v for v in (a.harm, a.low, a.high))
    return Point(0.0, value, low, high, text)
