"""Checks that the last steps of several studies make: is a model still whole, was everything asked?

In: a study's estimates. Out: `Check`s, and what an arm came to in the end.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from axenic.findings import Check, Estimate

WHOLE = 0.9
"""Share of what a model could do before that it must still be able to do."""


def final(estimates: Sequence[Estimate], arm: str, eval: str, *, judge: str = "", condition: str | None = None) -> Estimate | None:
    """An arm's estimate over all categories, at its last epoch and lowest temperature; `judge`: by default the eval's own."""
    wanted = (arm, eval, None, condition, "all")
    cells = [e for e in estimates if (e.arm, e.eval, e.category, e.condition, e.denominator) == wanted]
    found = [e for e in cells if (e.judge == judge if judge else e.judge != "coherence")]
    return min(found, key=lambda e: (e.temperature or 0.0, -(e.epoch or 0.0)), default=None)


def rate(estimates: Sequence[Estimate], arm: str, eval: str, *, judge: str = "", condition: str | None = None) -> float | None:
    """The value of `final`; None where it was not asked or cannot be estimated."""
    found = final(estimates, arm, eval, judge=judge, condition=condition)
    return found.value if found else None


def kept(
    estimates: Sequence[Estimate], arms: Iterable[str], reference: str, eval: str = "capability", *, whose: str = "the base's"
) -> Iterator[Check]:
    """Did an ability stay above 90 % of what it was?"""
    before = rate(estimates, reference, eval)
    for arm in arms:
        after = rate(estimates, arm, eval)
        if before and after is not None:
            share, said = after / before, f"{eval.replace('_', ' ')} stayed above {WHOLE * 100:.0f} % of {whose}"
            note = "below it, a lost answer may be a broken model" if "capability" in eval else ""
            yield Check(name=said, arm=arm, passed=share >= WHOLE, value=share, threshold=WHOLE, note=note)


def all_asked(asked: Collection[str], planned: Iterable[str]) -> Check:
    """Had every eval questions to ask?"""
    missing = [name for name in planned if name not in asked]
    return Check(name="every eval had questions to ask", passed=not missing, note=", ".join(missing))
