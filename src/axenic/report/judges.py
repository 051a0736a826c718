"""The sections on judges: how far they agree, and what the judges of coherence and toxicity say.

In: a `Run` with agreements, or with estimates by several judges. Out: `Section`s. The rest of the page follows each eval's main
judge alone.
"""

from axenic.findings import Agreement, Estimate
from axenic.report import curves, numbers, rows, select
from axenic.report.canvas import Figure, Point
from axenic.report.results import measured
from axenic.report.run import Run
from axenic.report.section import Section, legend, look, titled

RARE = 0.1  # below this share of the rarer label, or above its complement, kappa is ruled by prevalence


def judges(run: Run) -> Section | None:
    """Agreement with chance taken out, bias by arm, and every judge's reading of the same responses."""
    agreements = run.findings.agreements
    readings = _readings(run)
    if not agreements and not readings:
        return None
    whole = [a for a in agreements if a.arm is None and a.category is None]
    content = {
        "whole": whole, "rare": [a for a in whole if a.prevalence is not None and not RARE <= a.prevalence <= 1 - RARE],
        "parts": [a for a in agreements if a.arm is not None or a.category is not None],
        "readings": readings, "arms": measured(run, (by_arm for *_, by_arm in readings)), "main": run.judges,
        "legend": legend(run, (a.arm for a in agreements if a.arm is not None)),
    }  # fmt: skip
    return Section("Judges", "judges", content, _bias(run, agreements))


def _readings(run: Run) -> list[tuple[str, str, dict[str, Estimate | None]]]:
    """(eval, judge, cells) for evals that several judges read, at each temperature."""
    found = []
    for name in run.evals:
        lead = select.measure(run.findings, name)
        cells = [e for e in select.whole(run.full, name) if (e.measure, e.denominator) == lead and e.judge not in select.ASIDE]
        seen = dict.fromkeys(e.judge for e in cells)
        if lead is None or len(seen) < 2:
            continue
        for judge in seen:
            for t, by_arm in select.at_temperatures((e for e in cells if e.judge == judge), run.arms):
                found.append((numbers.joined(titled(name, *lead), numbers.temperature(t)), judge, by_arm))
    return sorted(found, key=lambda row: list(dict.fromkeys(label for label, *_ in found)).index(row[0]))


def _bias(run: Run, agreements: tuple[Agreement, ...]) -> dict[str, Figure]:
    """One figure per eval: what a judge adds to each arm's rate, against the other judge or people."""
    by_arm = [a for a in agreements if a.arm is not None and a.category is None and a.bias is not None]
    figures = {}
    for name in select.headline_first(run.study, (a.eval for a in by_arm)):
        mine = [a for a in by_arm if a.eval == name]
        pairs = dict.fromkeys((a.judge, a.other) for a in mine)
        drawn = [(f"{j} against {o}", {a.arm or "": _point(a) for a in mine if (a.judge, a.other) == (j, o)}) for j, o in pairs]
        title = f"Bias by arm: {numbers.label(name)}" if name else "Bias by arm"
        x_title = "judge’s rate − the other’s, percentage points"
        figures[name] = rows.intervals(title, drawn, look(run), zero=True, x_title=x_title)
    return figures


def _point(a: Agreement) -> Point:
    text = f"{a.arm}\n{a.judge} − {a.other}: {numbers.points(a.bias)} {numbers.point_interval(a.bias_low, a.bias_high)} points"
    value, low, high = (None if v is None else 100 * v for v in (a.bias, a.bias_low, a.bias_high))
    return Point(0.0, value, low, high, text)


def coherence(run: Run) -> Section | None:
    """How many responses can be judged at all, and the rates without those that cannot."""
    return _aside(run, select.COHERENCE, "Coherence", "share of responses that are coherent")


def toxicity(run: Run) -> Section | None:
    """How many responses are toxic."""
    return _aside(run, select.TOXICITY, "Toxicity", "share of responses")


def _aside(run: Run, judge: str, title: str, what: str) -> Section | None:
    """What one judge says of every eval: by epoch where there are epochs, and by arm."""
    figures: dict[str, Figure] = {}
    found = []
    shown: set[str] = set()
    for name in select.headline_first(run.study, (e.eval for e in run.full.estimates if e.judge == judge)):
        whole = [e for e in select.whole(run.full, name) if e.judge == judge]
        for measure in dict.fromkeys(e.measure for e in whole):
            cells = [e for e in whole if e.measure == measure and e.denominator == "all"]
            drawn = curves.by_epoch(run, titled(name, measure), cells)
            figures |= {f"{name} {measure} {key}": figure for key, figure in drawn.items()}
            shown |= {e.arm for e in cells} if drawn else set()
            for t, by_arm in select.at_temperatures(cells, run.arms):
                found.append((numbers.joined(titled(name, measure), numbers.temperature(t)), by_arm))
    if not found:
        return None
    both = _with_and_without(run) if judge == select.COHERENCE else []
    arms = measured(run, (by_arm for _, by_arm in found))
    content = {"rows": found, "arms": arms, "both": both, "legend": legend(run, shown), "what": what}
    return Section(title, "aside", content, figures)


def _with_and_without(run: Run) -> list[tuple[str, str, dict[str, Estimate | None]]]:
    """(eval, over which responses, cells): the main judge's rates over all responses and over the coherent ones."""
    found = []
    for name in run.evals:
        cells = select.whole(run.findings, name)
        for measure in dict.fromkeys(e.measure for e in cells if e.denominator == "coherent"):
            over = {d: [e for e in cells if (e.measure, e.denominator) == (measure, d)] for d in ("all", "coherent")}
            for t in select.temperatures(over["coherent"]):
                label = numbers.joined(titled(name, measure), numbers.temperature(t))
                for words, denominator in (("all responses", "all"), ("coherent only", "coherent")):
                    at = [e for e in over[denominator] if e.temperature == t]
                    found.append((label, words, select.by_arm(at, run.arms)))
    return found
