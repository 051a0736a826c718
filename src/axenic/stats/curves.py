"""Numbers along an axis: dose, training cost, noise level, layer; and where a curve crosses a threshold.

In: result rows with one x each. Out: `findings.Curve` points with seed x item intervals, and the definitions of the robustness
profile: retained share, first crossing, half-way point. A point at which capability fell below 90 % of its start is masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.findings import Curve, Denominator
from axenic.stats.crossed import Floats, drop_empty
from axenic.stats.intervals import two_way
from axenic.stats.tables import Table

CAPABILITY_FLOOR = 0.9
"""Share of its start below which capability is lost: "gone because the model broke" is not erasure."""


@dataclass(frozen=True)
class Crossing:
    """Where a curve first falls below a threshold. `value` is None when it never does: it is censored, and `note` says "> x"."""

    value: float | None
    note: str = ""
    censored_at: float | None = None  # the largest x tried with an unmasked score


def curve(
    rows: pd.DataFrame,
    x: Sequence[float] | Floats,
    *,
    name: str,
    x_label: str,
    measures: Mapping[str, str] | None = None,
    denominator: Denominator = "all",
    capability: str | None = None,
) -> list[Curve]:
    """One curve per arm and eval, its points in order of x.

    Args:
        rows: Result rows; those of one arm, eval and x must share judge and temperature.
        x: One number per row, in the order of the rows.
        name: e.g. "benign", "weight_noise", "dose".
        x_label: What x is, with its unit.
        measures: What a score of 1 means, by eval.
        denominator: As in `tables.matrix`.
        capability: The eval that measures capability; points at which it is below 90 % of its value at the arm's smallest x are
            masked in every curve of that arm.

    Raises:
        ValueError: `x` and `rows` differ in length, a point mixes judges or temperatures, or `capability` has no rows.
    """
    if len(x) != len(rows):
        raise ValueError(f"one x per row: got {len(x)} for {len(rows)} rows")
    table = Table.of(rows, x=x)
    broken = _broken(table, capability) if capability is not None and len(rows) else {}
    points = []
    for labels, index in table.groups(("arm", "eval", "x")):
        mixed = [c for c in ("judge", "temperature", "epoch") if len(table.values(c, index)) > 1]
        if mixed:
            raise ValueError(f"{labels}: a point of a curve cannot mix {', '.join(mixed)}")
        scores = table.scores(index, denominator)
        used, found = drop_empty(scores.matrix_S_I), two_way(scores.matrix_S_I)
        points.append(Curve(
            name=name, arm=labels["arm"], eval=labels["eval"], measure=(measures or {}).get(labels["eval"], "score"),
            x=labels["x"], x_label=x_label, value=found.value, low=found.low, high=found.high, method=found.method,
            masked=broken.get((labels["arm"], labels["x"]), False), n_items=used.shape[1],
            n_seeds=0 if scores.seeds == [None] else used.shape[0],
        ))  # fmt: skip
    return points


def capability_mask(capability: Sequence[float] | Floats) -> npt.NDArray[np.bool_]:
    """True where capability is below 90 % of its first value. An unknown value is masked: it cannot vouch for the model."""
    found = np.asarray(capability, dtype=np.float64)
    return ~(found >= CAPABILITY_FLOOR * found[0] - 1e-9) if found.size else np.zeros(0, dtype=bool)


def crossing(
    x: Sequence[float] | Floats, y: Sequence[float | None] | Floats, threshold: float, *, masked: Sequence[bool] | None = None
) -> Crossing:
    """The first x at which y falls below the threshold, by linear interpolation between the points around it.

    Masked and unknown points are left out; a curve that never falls below the threshold is censored at its largest x.

    Args:
        x: Positions in any order.
        y: Values, None or NaN where unknown.
        threshold: e.g. 0.10 for erasure of a belief.
        masked: Points to leave out, as from `capability_mask`.
    """
    px, py = _kept(x, y, masked)
    if not px.size:
        return Crossing(None, "no point to judge by")
    below = np.flatnonzero(py < threshold)
    if not below.size:
        return Crossing(None, f"> {px[-1]:g}", float(px[-1]))
    i = int(below[0])
    if i == 0:
        return Crossing(float(px[0]), "below from the start")
    share = (py[i - 1] - threshold) / (py[i - 1] - py[i])
    return Crossing(float(px[i - 1] + share * (px[i] - px[i - 1])))


def half_way(
    x: Sequence[float] | Floats, y: Sequence[float | None] | Floats, *, floor: float, masked: Sequence[bool] | None = None
) -> Crossing:
    """The x at which y has fallen half-way from its first value to the floor (the base model's value)."""
    _, py = _kept(x, y, masked)
    if py.size and py[0] <= floor:
        return Crossing(None, "starts at the floor: nothing to lose")
    return crossing(x, y, float(floor + (py[0] - floor) / 2) if py.size else floor, masked=masked)


def retained(
    x: Sequence[float] | Floats, y: Sequence[float | None] | Floats, *, masked: Sequence[bool] | None = None
) -> float | None:
    """Last value as a share of the first, over unmasked points; None if there are not two or if it starts at 0."""
    _, py = _kept(x, y, masked)
    return float(py[-1] / py[0]) if py.size > 1 and py[0] > 0 else None


def _kept(x: Sequence[float] | Floats, y: Sequence[float | None] | Floats, masked: Sequence[bool] | None) -> tuple[Floats, Floats]:
    """Known, unmasked points in order of x."""
    px, py = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    keep = ~np.isnan(py) if masked is None else ~np.isnan(py) & ~np.asarray(masked, dtype=bool)
    order = np.argsort(px[keep], kind="stable")
    return px[keep][order], py[keep][order]


def _broken(table: Table, capability: str) -> dict[tuple[str, float], bool]:
    """Whether capability was lost, per arm and x."""
    index = table.where(eval=capability)
    if not len(index):
        raise ValueError(f"no rows of the capability eval {capability!r}")
    found: dict[tuple[str, float], bool] = {}
    for labels, rows in table.groups(("arm",), index):
        points = [(g["x"], two_way(table.scores(i, "all").matrix_S_I).value) for g, i in table.groups(("x",), rows)]
        lost = capability_mask([np.nan if v is None else v for _, v in points])
        found |= {(labels["arm"], at): bool(m) for (at, _), m in zip(points, lost, strict=True)}
    return found
