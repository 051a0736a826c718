"""How often the intervals cover what they should: scores drawn from a known population of seeds and items.

In: a population (rates, spread between seeds and between items on the logit scale) and the size of a study. Out: coverage and
mean width. `python -m axenic.stats.simulate [STUDIES]` prints the tables of docs/statistics.md.
"""

import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from axenic.stats.crossed import Floats, crossed_mean
from axenic.stats.intervals import difference_limits, two_way


@dataclass(frozen=True)
class Population:
    """0/1 scores with rate expit(mean + seed + item), seed and item normal on the logit scale."""

    p: float  # rate over all seeds and items
    seed_sd: float = 0.0
    item_sd: float = 0.0

    def draw(self, rng: np.random.Generator, n_seeds: int, items_I: Floats) -> Floats:
        """Scores_S_I of new seeds on items of the given standard-normal difficulty."""
        logit = self._mean + self.seed_sd * rng.normal(size=(n_seeds, 1)) + self.item_sd * items_I
        return np.asarray(rng.random((n_seeds, len(items_I))) < special.expit(logit), dtype=np.float64)

    @cached_property
    def _mean(self) -> float:
        """The mean logit at which the rate over the population is `p`."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        sd = float(np.hypot(self.seed_sd, self.item_sd))
        return float(optimize.brentq(lambda m: weights @ special.expit(m + sd * nodes) / weights.sum() - self.p, -40, 40))


@dataclass(frozen=True)
class Coverage:
    """Share of simulated studies whose interval holds the truth, with the shares that lie wholly above and below it."""

    covered: float
    above: float
    below: float
    width: float
    studies: int


def coverage(population: Population, *, n_seeds: int, n_items: int, studies: int, seed: int, missing: float = 0.0) -> Coverage:
    """Coverage of `two_way`. `missing`: share of cells without a score, at random."""
    rng = np.random.default_rng(seed)

    def limits() -> Iterator[tuple[float, float]]:
        for _ in range(studies):
            y = population.draw(rng, n_seeds, rng.normal(size=n_items))
            found = two_way(np.where(rng.random(y.shape) < missing, np.nan, y) if missing else y)
            yield (0.0 if found.low is None else found.low), (1.0 if found.high is None else found.high)

    return _summary(limits(), population.p)


def contrast_coverage(
    arm: Population, reference: Population, *, n_seeds: int, n_items: int, studies: int, seed: int, base: bool = False
) -> Coverage:
    """Coverage of a contrast on shared items; where the rates are equal, 1 - covered is the rate of false alarms.

    Args:
        arm: Population of the arm.
        reference: Population of the reference.
        n_seeds: Seeds of both arms, drawn anew for each.
        n_items: Items, the same for both.
        studies: Number of simulated studies.
        seed: Of the simulation.
        base: The reference is one run without seed effect.
    """
    rng = np.random.default_rng(seed)

    def limits() -> Iterator[tuple[float, float]]:
        for _ in range(studies):
            items = rng.normal(size=n_items)
            found = crossed_mean(arm.draw(rng, n_seeds, items) - reference.draw(rng, 1 if base else n_seeds, items))
            assert found is not None
            yield difference_limits(found)[:2]

    return _summary(limits(), arm.p - reference.p)


def _summary(limits: Iterable[tuple[float, float]], truth: float) -> Coverage:
    found: npt.NDArray[np.float64] = np.array(list(limits))
    above, below = float((found[:, 0] > truth + 1e-12).mean()), float((found[:, 1] < truth - 1e-12).mean())
    return Coverage(1 - above - below, above, below, float((found[:, 1] - found[:, 0]).mean()), len(found))


def _print_two_way(studies: int) -> None:
    print("| seed sd | item sd | p | " + " | ".join(f"S={s} I={i}" for s in (3, 5) for i in (20, 100, 400)) + " |")
    print("|" + "---|" * 9)
    for seed_sd, item_sd, p in itertools.product((0.0, 0.3, 1.0), (0.0, 1.0, 2.0), (0.02, 0.1, 0.5, 0.9)):
        sizes = itertools.product((3, 5), (20, 100, 400))
        row = [coverage(Population(p, seed_sd, item_sd), n_seeds=s, n_items=i, studies=studies, seed=1) for s, i in sizes]
        print(f"| {seed_sd:g} | {item_sd:g} | {p:g} | " + " | ".join(f"{100 * c.covered:.1f}" for c in row) + " |", flush=True)


def _print_contrasts(studies: int) -> None:
    print("| arm | reference | seed sd | " + " | ".join(f"S={s} I={i}" for s in (3, 5) for i in (20, 100)) + " | base S=3 I=100 |")
    print("|" + "---|" * 8)
    rates = ((0.5, 0.5), (0.9, 0.9), (0.02, 0.02), (0.7, 0.5), (0.3, 0.02), (0.9, 0.1), (0.98, 0.02))
    for (p, q), seed_sd in itertools.product(rates, (0.0, 0.3, 1.0)):
        arm, reference = Population(p, seed_sd, 1.0), Population(q, seed_sd, 1.0)
        row = [contrast_coverage(arm, reference, n_seeds=s, n_items=i, studies=studies, seed=1) for s in (3, 5) for i in (20, 100)]
        still = Population(q, 0.0, 1.0)
        row.append(contrast_coverage(arm, still, n_seeds=3, n_items=100, studies=studies, seed=1, base=True))
        print(f"| {p:g} | {q:g} | {seed_sd:g} | " + " | ".join(f"{100 * c.covered:.1f}" for c in row) + " |", flush=True)


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    _print_two_way(n)
    _print_contrasts(n)
