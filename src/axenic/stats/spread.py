"""Does one arm vary more from run to run than another? The standard deviation of a run's mean score, arm - reference.

In: result rows and a planned comparison. Out: a `findings.Contrast` with measure "sd between runs". A run is one training seed and
one repetition, on the same items: an arm with several seeds varies by seed and by sampling, a base by sampling alone.
Limits of a sum of mean squares: Graybill & Wang (1980); of a difference from those of its parts: Zou & Donner (2008).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from axenic.findings import SPREAD, Contrast
from axenic.stats.contrasts import Planned, named, sides
from axenic.stats.crossed import Floats, Term
from axenic.stats.intervals import LEAST_P
from axenic.stats.tables import Codes, Table


@dataclass(frozen=True)
class Spread:
    """The variance of one run's mean score: a sum of terms, each a mean square times a constant."""

    terms: tuple[Term, ...]
    n_seeds: int
    n_runs: int

    @property
    def sd(self) -> float:
        """In units of the score."""
        return float(np.sqrt(sum(v for v, _ in self.terms)))

    @property
    def problem(self) -> str:
        """Why no interval can be had, or ""."""
        if self.n_runs < 2:
            return "one run"
        return "" if self.sd > 1e-10 else "its runs do not vary"

    def limits(self, tail: float) -> tuple[float, float]:
        """Limits of the sd, each with the given chance of missing; for a single term the chi-squared ones."""
        down = [v * (1 - df / float(special.chdtri(df, tail))) for v, df in self.terms]
        up = [v * (df / (2 * float(special.gammaincinv(df / 2, tail))) - 1) for v, df in self.terms]
        return max(self.sd**2 - math.hypot(*down), 0.0) ** 0.5, (self.sd**2 + math.hypot(*up)) ** 0.5

    def __str__(self) -> str:
        sd = f"{self.sd:.4f}" if self.n_runs > 1 else "unknown"
        return f"{sd} ({self.n_seeds} seeds, {self.n_runs} runs)" if self.n_seeds > 1 else f"{sd} (one seed, {self.n_runs} runs)"


def spread(rows: pd.DataFrame, planned: Planned, *, level: float = 0.95) -> Contrast:
    """Compare the run-to-run standard deviation of two arms.

    Args:
        rows: The result table of one study.
        planned: Which arms, at which epoch and temperature. At temperature 0 a single model has one run, or numerical noise.
        level: Confidence level.

    Returns:
        sd(arm) - sd(reference), with p for "they are equal" at which the interval reaches 0. "not estimable" where an arm has one
        run, or runs that do not vary at all.

    Raises:
        ValueError: As `contrasts.contrast`.
    """
    table = Table.of(rows)
    table.require_same_items()
    chosen = sides(table, planned)
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level, "paired_by": ""}
    fields = shared | named(table, planned, chosen) | {"measure": SPREAD}
    if chosen.problem:
        return Contrast(**fields, method="not estimable", note=chosen.problem)
    a, b = (of_runs(run_means(table, i, planned)) for i in (chosen.arm, chosen.reference))
    what = f"sd of the mean score of one run: {planned.arm} {a}, {planned.reference} {b}"
    problems = [f"{name}: {side.problem}" for name, side in ((planned.arm, a), (planned.reference, b)) if side.problem]
    value = a.sd - b.sd if min(a.n_runs, b.n_runs) > 1 else None
    if problems:
        return Contrast(**fields, value=value, method="not estimable", note="; ".join([*problems, what]))
    low, high = limits(a, b, (1 - level) / 2)
    n_items = len(np.unique(table.stem_of_item[table.codes["item_id"][chosen.arm]]))
    return Contrast(
        **fields, value=value, low=low, high=high, p=p_equal(a, b), method="difference of two sds, chi-squared limits",
        n_seeds=max(a.n_seeds, b.n_seeds), n_items=n_items, note=what,
    )  # fmt: skip


def run_means(table: Table, index: Codes, plan: Planned) -> list[Floats]:
    """For each seed the mean scores of its repetitions, over items."""
    found = []
    for _, part in table.groups(("train_seed",), index):
        scores_R_I = table.scores(part, plan.denominator, runs="repetition").matrix_S_I
        scored = ~np.isnan(scores_R_I)
        n_R = scored.sum(axis=1)
        found.append((np.where(scored, scores_R_I, 0.0).sum(axis=1) / np.maximum(n_R, 1))[n_R > 0])
    return [means for means in found if len(means)]


def of_runs(means: list[Floats]) -> Spread:
    """The variance of one run, seeds + repetitions, by the method of moments. Exact for equal numbers of repetitions."""
    n_S = np.array([len(m) for m in means], dtype=np.float64)
    n_seeds, n_runs = len(means), sum(len(m) for m in means)
    within_df = float(n_runs - n_seeds)
    within = sum(float(((m - m.mean()) ** 2).sum()) for m in means) / within_df if within_df else 0.0
    if n_seeds < 2:
        return Spread(((within, within_df),) if within_df else (), n_seeds, n_runs)
    # Variance of the seeds' means = seed variance + within / (harmonic mean of the repetitions).
    of_means, share = float(np.var([m.mean() for m in means], ddof=1)), float((1 / n_S).mean())
    terms = [(of_means, n_seeds - 1.0), ((1 - share) * within, within_df)]
    return Spread(tuple(t for t in terms if t[1] > 0), n_seeds, n_runs)


def limits(a: Spread, b: Spread, tail: float) -> tuple[float, float]:
    """Limits of sd(a) - sd(b), each with the given chance of missing."""
    (al, au), (bl, bu), d = a.limits(tail), b.limits(tail), a.sd - b.sd
    return float(d - np.hypot(a.sd - al, bu - b.sd)), float(d + np.hypot(au - a.sd, b.sd - bl))


def p_equal(a: Spread, b: Spread) -> float:
    """Two-sided p: the level at which the limits reach 0."""

    def beyond(log_p: float) -> float:
        low, high = limits(a, b, float(np.exp(log_p)) / 2)
        return low if a.sd > b.sd else -high

    if a.sd == b.sd or beyond(-1e-9) <= 0:
        return 1.0
    least = float(np.log(LEAST_P))
    if beyond(least) >= 0:
        return LEAST_P
    return float(np.exp(optimize.brentq(beyond, least, -1e-9, xtol=1e-10)))
