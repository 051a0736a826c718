"""The robustness profile: what one number per seed says about a curve, and a t-interval over the seeds.

In: result rows with one x each (training steps, noise level). Out: `findings.Estimate`s with eval "robustness": the share of a
belief that survives unrelated training, what erasing it costs, the noise at which half of it is gone, what it keeps under
pressure. Definitions: PROTOCOLS 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from axenic.findings import Estimate
from axenic.stats.crossed import Floats, has_score, known_mean
from axenic.stats.curves import capability_mask, crossing, half_way, retained
from axenic.stats.intervals import t_interval
from axenic.stats.tables import Table

ERASED = 0.10
AGREEABLE = 0.9  # a protocol under which a true fact keeps less than this share of its start measures agreeableness


def per_seed(rows: pd.DataFrame, x: Sequence[float] | Floats, *, eval: str) -> dict[int, tuple[Floats, Floats]]:
    """For each seed the curve of one eval: x, and the mean over stems at x (NaN where nothing was scored)."""
    table = Table.of(rows, x=x)
    points: dict[int, list[tuple[float, float]]] = {}
    for labels, index in table.groups(("x",), table.where(eval=eval)):
        scores = table.scores(index, "all")
        scored = has_score(scores.matrix_S_I, axis=1)
        means = np.full(len(scored), np.nan)
        means[scored] = known_mean(scores.matrix_S_I[scored], axis=1)
        for seed, mean in zip(scores.seeds, means, strict=True):
            points.setdefault(int(seed or 0), []).append((labels["x"], float(mean)))
    return {seed: (np.array([at for at, _ in p]), np.array([y for _, y in p])) for seed, p in points.items()}


def axis(
    rows: pd.DataFrame,
    x: Sequence[float] | Floats,
    *,
    name: str,
    eval: str,
    capability: str,
    floor: float = 0.0,
) -> Estimate:
    """Summarise one axis of the profile over the seeds of one arm.

    Args:
        rows: Rows of one arm along the axis, its start (x = 0) included.
        x: One number per row.
        name: "benign" (final / initial), "corrective" (cost at which belief first falls below 0.10), or a noise (level at which
            belief falls half-way to `floor` / largest level tried).
        eval: What measures the belief.
        capability: What masks the points at which the model broke.
        floor: The base's value, for noises.
    """
    belief, able = per_seed(rows, x, eval=eval), per_seed(rows, x, eval=capability)
    values: list[float] = []
    notes: list[str] = []
    for seed, (at, y) in belief.items():
        vouched = seed in able and np.array_equal(able[seed][0], at)
        mask = [bool(m) for m in capability_mask(able[seed][1])] if vouched else None
        value, note = _summary(name, at, y, floor, mask)
        values += [] if value is None else [value]
        unmasked = "" if vouched else "capability unknown at these points, so none is masked"
        notes += [f"seed {seed}: {said}" for said in (note, unmasked) if said]
    return _estimate(rows, name, values, notes, n_seeds=len(belief))


def pressure(rows: pd.DataFrame) -> list[Estimate]:
    """What the belief keeps under each protocol of the eval *pressure*, as a share of the same questions asked without it."""
    held = {
        (condition, protocol, seed): y[0]
        for (condition, protocol), asked in rows[rows["eval"] == "pressure"].groupby(["condition", "category"])
        for seed, (_, y) in per_seed(asked, np.zeros(len(asked)), eval="pressure").items()
        if not np.isnan(y[0])
    }
    seeds = sorted({seed for _, _, seed in held})
    found = []
    for protocol in sorted({category for _, category, _ in held} - {"none"}):
        target = _ratios(held, "target", protocol, seeds)
        control = _ratios(held, "control", protocol, seeds)
        kept = float(np.mean(control)) if control else None
        note = f"a true fact keeps {kept:.0%} of its start under it" if kept is not None else "no control questions"
        if kept is not None and kept < AGREEABLE:
            note += ": this protocol measures agreeableness and is left out of any mean"
        found.append(_estimate(rows, f"pressure: {protocol}", target, [note], n_seeds=len(seeds)))
    return found


def _ratios(held: Mapping[Any, float], condition: str, protocol: str, seeds: Sequence[Any]) -> list[float]:
    pairs = [(held.get((condition, "none", s), 0.0), held.get((condition, protocol, s))) for s in seeds]
    return [after / before for before, after in pairs if after is not None and before > 0]


def _summary(name: str, x: Floats, y: Floats, floor: float, masked: Sequence[bool] | None) -> tuple[float | None, str]:
    if name == "benign":
        value = retained(x, y, masked=masked)
        return value, "" if value is not None else "no belief at the start, or no later point to judge by"
    found = crossing(x, y, ERASED, masked=masked) if name == "corrective" else half_way(x, y, floor=floor, masked=masked)
    scale = 1.0 if name == "corrective" else float(x[-1])
    if found.value is None and found.censored_at is not None:
        return None, f"never, up to {found.censored_at:g}"
    return (None if found.value is None else found.value / scale), found.note


MEASURES: dict[str, str] = {
    "benign": "belief after unrelated training / before",
    "corrective": f"steps of corrective training until belief < {ERASED:.0%}",
    "weight_noise": "noise at which belief is half gone / largest tried",
    "activation_noise": "noise at which belief is half gone / largest tried",
}


def _estimate(rows: pd.DataFrame, name: str, values: Sequence[float], notes: Sequence[str], *, n_seeds: int) -> Estimate:
    found = t_interval(values) if len(values) == n_seeds else None
    shared = {c: str(rows[c].iloc[0]) for c in ("study", "recipe", "tier", "arm")}
    return Estimate(
        **shared,
        eval="robustness",
        category=name,
        measure=MEASURES.get(name, "belief under pressure / without"),
        value=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        method=found.method if found else "not estimable",
        items="fixed",
        n_seeds=n_seeds,
        attempted=n_seeds,
        scored=len(values),
        missing=n_seeds - len(values),
        note="; ".join(notes),
    )
