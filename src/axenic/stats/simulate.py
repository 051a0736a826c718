"""How often intervals cover what they should: scores drawn from a known population of seeds and items.

In: a method (`simulate_methods.METHODS`) and designs: seeds, items, rates, spreads on the logit scale, missing cells. Out: the
share of simulated studies whose interval holds the truth. `axenic stats simulate` prints it; docs/statistics.md says where it
fails.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from axenic.schema import OnProgress, no_progress
from axenic.stats.crossed import Floats

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Population:
    """0/1 scores with rate expit(mean + seed + item), seed and item normal on the logit scale."""

    p: float  # rate over all seeds and items
    seed_sd: float = 0.0
    item_sd: float = 0.0

    def draw(self, rng: np.random.Generator, n_seeds: int, items_I: Floats, *, repetitions: int = 1) -> Floats:
        """Scores_S_I of new seeds on items of the given standard-normal difficulty; scores_S_R_I for repetitions > 1."""
        logit = self._mean + self.seed_sd * rng.normal(size=(n_seeds, 1)) + self.item_sd * items_I
        shape = (n_seeds, repetitions, len(items_I)) if repetitions > 1 else (n_seeds, len(items_I))
        chance = special.expit(logit if repetitions == 1 else logit[:, None, :])
        return np.asarray(rng.random(shape) < chance, dtype=np.float64)

    def on(self, items_I: Floats) -> tuple[float, float, float]:
        """For these items: mean over seeds of a run's mean score, its variance between seeds, and within a seed."""
        chance_N_I = special.expit(self._mean + self.seed_sd * NODES[:, None] + self.item_sd * items_I)
        mean_N = chance_N_I.mean(axis=1)
        mean = float(WEIGHTS @ mean_N)
        within = float(WEIGHTS @ (chance_N_I * (1 - chance_N_I)).mean(axis=1)) / len(items_I)
        return mean, float(WEIGHTS @ (mean_N - mean) ** 2), within

    @cached_property
    def _mean(self) -> float:
        """The mean logit at which the rate over the population is `p`."""
        sd = float(np.hypot(self.seed_sd, self.item_sd))
        return float(optimize.brentq(lambda m: WEIGHTS @ special.expit(m + sd * NODES) - self.p, -40, 40))


@dataclass(frozen=True, kw_only=True)
class Design:
    """A study to simulate. Methods that compare take `reference` for the other arm's rate; None = the same rate."""

    n_seeds: int = 5
    n_items: int = 100
    p: float = 0.5
    reference: float | None = None
    seed_sd: float = 0.3
    item_sd: float = 1.0
    missing: float = 0.0  # share of cells lost at random; twice that in the last seed, so that the table is unbalanced too

    def population(self, p: float | None = None, *, seeds: bool = True) -> Population:
        """Of the arm, or with another rate; without spread between seeds."""
        return Population(self.p if p is None else p, self.seed_sd if seeds else 0.0, self.item_sd)

    def lose(self, rng: np.random.Generator, scores_S_I: Floats) -> Floats:
        """The scores with NaN for what is missing."""
        if not self.missing:
            return scores_S_I
        share = np.full((len(scores_S_I), 1), self.missing)
        share[-1] = min(2 * self.missing, 0.9)
        return np.where(rng.random(scores_S_I.shape) < share, np.nan, scores_S_I)


Limits = tuple[float | None, float | None, float]
"""Lower limit, upper limit and truth of one simulated study; None where the method says "not estimable"."""
Simulate = Callable[[np.random.Generator, Design], Limits]


class Method(NamedTuple):
    """A method whose coverage can be simulated."""

    simulate: Simulate  # draws one study, applies the method
    axes: tuple[str, ...]  # the fields of `Design` that it depends on
    about: str


@dataclass(frozen=True)
class Coverage:
    """Share of simulated studies whose interval holds the truth, and the shares that lie wholly above and below it."""

    covered: float  # NaN: no study gave an interval
    above: float
    below: float
    width: float | None  # mean; None for tests
    studies: int
    not_estimable: int = 0


class Cell(NamedTuple):
    """One entry of the table."""

    method: str
    design: Design
    coverage: Coverage


def coverage(method: Method, design: Design, *, replications: int, seed: int = 0) -> Coverage:
    """Simulate one method on one design."""
    rng = np.random.default_rng(seed)
    drawn = [method.simulate(rng, design) for _ in range(replications)]
    known = np.array([d for d in drawn if d[0] is not None and d[1] is not None], dtype=np.float64).reshape(-1, 3)
    if not len(known):
        return Coverage(np.nan, 0.0, 0.0, None, replications, replications)
    low, high, truth = known.T
    above, below = float((low > truth + 1e-12).mean()), float((high < truth - 1e-12).mean())
    finite = np.isfinite(low) & np.isfinite(high)
    width = float((high - low)[finite].mean()) if finite.all() else None
    return Coverage(1 - above - below, above, below, width, replications, replications - len(known))


def designs(**values: Sequence[float | None]) -> list[Design]:
    """Every combination of the given values of the fields of `Design`."""
    return [Design(**dict(zip(values, combination, strict=True))) for combination in itertools.product(*values.values())]  # type: ignore[arg-type]


def simulate(
    methods: Mapping[str, Method],
    grid: Iterable[Design],
    *,
    replications: int,
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> list[Cell]:
    """Coverage of every method on every design; designs that differ only in what a method ignores count once."""
    plain, every = Design(), list(grid)
    planned: dict[tuple[str, Design], None] = {}
    for name, method in methods.items():
        for design in every:
            ignored = {f.name: getattr(plain, f.name) for f in fields(Design) if f.name not in method.axes}
            planned[name, replace(design, **ignored)] = None
    found = []
    for done, (name, design) in enumerate(planned):
        on_progress(done, len(planned), name)
        found.append(Cell(name, design, coverage(methods[name], design, replications=replications, seed=seed)))
    on_progress(len(planned), len(planned), "")
    return found
