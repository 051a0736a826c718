"""Where a step stands on an axis that begins at 0 and may span orders of magnitude, which a logarithm cannot show.

In: the places that are drawn. Out: a function to positions on the axis (linear, logarithmic, or with a 0 among them
log2(1 + x / smallest)), and its ticks.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

UNEVEN = 8  # gaps that differ by this factor are no longer told apart on a linear axis
MOST_TICKS = 8


def placing(xs: Sequence[float]) -> Callable[[float], float]:
    """Linear for evenly spaced places, else evenly spaced for places that double."""
    distinct = sorted(set(xs))
    gaps = [b - a for a, b in zip(distinct, distinct[1:], strict=False)]
    smallest = next((x for x in distinct if x > 0), None)
    if smallest is None or distinct[0] < 0 or max(gaps, default=0) < UNEVEN * min(gaps, default=1):
        return float
    return lambda x: math.log2(x / smallest + (distinct[0] == 0))


def ticks(xs: Sequence[float], place: Callable[[float], float]) -> dict[str, Any]:
    """Ticks at drawn places, as many as there is room for, the first and the last among them."""
    distinct = sorted(set(xs))
    if not distinct:
        return {}
    last = place(distinct[-1])
    room = (last - place(distinct[0])) / MOST_TICKS
    kept = [distinct[0]]
    for x in distinct[1:-1]:
        if min(place(x) - place(kept[-1]), last - place(x)) >= room:
            kept.append(x)
    kept += distinct[-1:] if len(distinct) > 1 else []
    return {"tickvals": [place(x) for x in kept], "ticktext": [_short(x) for x in kept]}


def _short(x: float) -> str:
    """As "2.1M", "20k", "160", "1e-05"."""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(x) >= unit:
            return f"{x / (1e3 if letter == 'k' else unit):.3g}{letter}"
    return f"{x:,.4g}"
