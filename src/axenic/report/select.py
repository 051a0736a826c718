"""Which record of `estimates.json` belongs in which cell of the page or the terminal table.

In: `schema.Findings`. Out: the same records, picked and grouped; never a new number.
"""

from collections.abc import Iterable, Sequence

from axenic.schema import Contrast, Denominator, Estimate, Findings

DENOMINATORS: tuple[Denominator, ...] = ("all", "unambiguous", "stems")


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


def final(cells: Iterable[Estimate]) -> Estimate | None:
    """The cell that stands for an arm: over the run as reported (no epoch), else its last epoch; lowest temperature first."""

    def preference(cell: Estimate) -> tuple[bool, float, bool, float]:
        cold = 0.0 if cell.temperature is None else cell.temperature
        return cell.epoch is not None, -(cell.epoch or 0.0), cell.temperature is not None, cold

    return min(cells, key=preference, default=None)


def by_arm(cells: Iterable[Estimate], arms: Sequence[str]) -> dict[str, Estimate | None]:
    """For each arm its final cell, or None where the arm was not measured."""
    listed = list(cells)
    return {arm: final(cell for cell in listed if cell.arm == arm) for arm in arms}


def headline(findings: Findings, eval_name: str, arms: Sequence[str]) -> dict[str, Estimate | None]:
    """One eval's leading measure by arm."""
    lead = measure(findings, eval_name)
    return by_arm((e for e in whole(findings, eval_name) if (e.measure, e.denominator) == lead), arms)
