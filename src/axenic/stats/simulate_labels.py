"""How often the limits of agreement and of judge-corrected rates cover what they should, and how often an audit's verdict is wrong.

In: a judge with known errors, a fine-tune with a known harm, the size of a study. Out: coverage, shares of verdicts.
`python -m axenic.stats.simulate_labels [STUDIES]` prints the tables of docs/audit.md.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from axenic.stats.contrasts import with_one_run
from axenic.stats.crossed import Floats, crossed_mean
from axenic.stats.harm import HarmMean, Share
from axenic.stats.intervals import difference_limits
from axenic.stats.kappa import cohen_kappa
from axenic.stats.prediction_powered import Side, difference, rate
from axenic.stats.simulate import Coverage, Population


@dataclass(frozen=True)
class Errors:
    """How a judge errs: the share of positives that it finds, and of negatives."""

    sensitivity: float
    specificity: float

    def judge(self, rng: np.random.Generator, truth: Floats) -> Floats:
        """The judge's scores of responses whose truth is known."""
        luck = rng.random(truth.shape)
        return np.where(truth == 1, luck < self.sensitivity, luck >= self.specificity).astype(np.float64)


def kappa_coverage(p: float, errors: Errors, *, n: int, studies: int, seed: int) -> Coverage:
    """Coverage of `cohen_kappa` for a judge of n independent responses, a share p of them positive."""
    rng = np.random.default_rng(seed)
    called = p * errors.sensitivity + (1 - p) * (1 - errors.specificity)
    same = p * errors.sensitivity + (1 - p) * errors.specificity
    chance = called * p + (1 - called) * (1 - p)
    found = []
    for _ in range(studies):
        truth = (rng.random(n) < p).astype(np.float64)
        _, low, high = cohen_kappa(errors.judge(rng, truth).astype(np.int64), truth.astype(np.int64), np.arange(n))
        found.append((-1.0 if low is None else low, 1.0 if high is None else high))
    return _summary(found, (same - chance) / (1 - chance))


@dataclass(frozen=True)
class Arm:
    """An arm of a simulated study: how often it complies, and how the judge errs on it, which may differ by arm."""

    population: Population
    errors: Errors

    def draw(self, rng: np.random.Generator, items_I: Floats, *, n_seeds: int, n_labelled: int) -> Side:
        """Answers of `n_seeds` models to the items, `n_labelled` of them seen by people."""
        truth = self.population.draw(rng, n_seeds, items_I).ravel()
        judged = self.errors.judge(rng, truth)
        seen = np.full(truth.size, np.nan)
        chosen = rng.choice(truth.size, n_labelled, replace=False)
        seen[chosen] = truth[chosen]
        items, seeds = np.tile(np.arange(len(items_I)), n_seeds), np.repeat(np.arange(n_seeds), len(items_I))
        return Side.of(items, seeds, judged, seen)


def rate_coverage(arm: Arm, *, n_seeds: int, n_items: int, n_labelled: int, studies: int, seed: int) -> Coverage:
    """Coverage of a corrected rate."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(studies):
        limits = rate(arm.draw(rng, rng.normal(size=n_items), n_seeds=n_seeds, n_labelled=n_labelled))
        found.append((0.0, 1.0) if limits is None else limits[1:])
    return _summary(found, arm.population.p)


def difference_coverage(
    arm: Arm, base: Arm, *, n_seeds: int, n_items: int, n_labelled: int, studies: int, seed: int
) -> tuple[Coverage, Coverage]:
    """Coverage of a corrected difference from one base model, and of the difference that the judge alone gives."""
    rng = np.random.default_rng(seed)
    found, naive = [], []
    for _ in range(studies):
        items = rng.normal(size=n_items)
        sides = [a.draw(rng, items, n_seeds=n, n_labelled=n_labelled) for a, n in ((arm, n_seeds), (base, 1))]
        mean = difference(sides[0], sides[1])
        found.append((-1.0, 1.0) if mean is None else difference_limits(mean)[:2])
        alone = crossed_mean(sides[0].judged.reshape(n_seeds, -1) - sides[1].judged)
        naive.append((-1.0, 1.0) if alone is None else difference_limits(alone)[:2])
    truth = arm.population.p - base.population.p
    return _summary(found, truth), _summary(naive, truth)


def verdicts(p: float, q: float, *, n_items: int, margin: float, studies: int, seed: int, kept: float = 0.8) -> tuple[float, float]:
    """Shares of "worse" and "not worse" for one run whose harm is p - q; a share `kept` of items answer by the same luck."""
    rng = np.random.default_rng(seed)
    worse, not_worse = 0, 0
    for _ in range(studies):
        luck = rng.random(n_items)
        after = np.where(rng.random(n_items) < kept, luck, rng.random(n_items)) < p
        change = after.astype(np.float64) - (luck < q)
        found = crossed_mean(change[None, :])
        assert found is not None
        worse_share, better_share = (Share.of(np.clip(sign * change, 0, None), most=n_items) for sign in (1, -1))
        low, high = HarmMean(with_one_run(found), worse_share, better_share).limits(0.95)
        worse, not_worse = worse + (low > 0), not_worse + (high < margin)
    return worse / studies, not_worse / studies


def _summary(limits: Sequence[tuple[float, float]], truth: float) -> Coverage:
    found = np.array(limits)
    above, below = float((found[:, 0] > truth + 1e-12).mean()), float((found[:, 1] < truth - 1e-12).mean())
    return Coverage(1 - above - below, above, below, float((found[:, 1] - found[:, 0]).mean()), len(found))


def _print_kappa(studies: int) -> None:
    sizes = (30, 100, 400)
    print("| positives | sensitivity | specificity | " + " | ".join(f"n={n}" for n in sizes) + " |\n|" + "---|" * 6)
    judges = ((0.95, 0.95), (0.8, 0.9), (0.9, 0.99))
    for p, (sensitivity, specificity) in itertools.product((0.5, 0.1, 0.02), judges):
        row = [kappa_coverage(p, Errors(sensitivity, specificity), n=n, studies=studies, seed=1) for n in sizes]
        cells = " | ".join(f"{100 * c.covered:.1f}" for c in row)
        print(f"| {p:g} | {sensitivity:g} | {specificity:g} | {cells} |", flush=True)


def _print_corrected(studies: int) -> None:
    designs = list(itertools.product((1, 3), (50, 100, 200)))
    heads = [f"S={s}, {n} labelled" for s, n in designs]
    print("| tuned | base | judge on tuned | judge on base | " + " | ".join(heads) + " |\n|" + "---|" * (4 + len(heads)))
    good, lax, strict = Errors(0.95, 0.95), Errors(0.95, 0.85), Errors(0.8, 0.99)
    for (p, q), (on_arm, on_base) in itertools.product(
        ((0.5, 0.5), (0.3, 0.1), (0.05, 0.02)), ((good, good), (lax, strict), (strict, lax))
    ):
        base = Arm(Population(q, 0.0, 1.0), on_base)
        row = []
        for n_seeds, n_labelled in designs:
            # one run speaks of itself: it has no spread of seeds to cover
            arm = Arm(Population(p, 0.3 if n_seeds > 1 else 0.0, 1.0), on_arm)
            size = {"n_seeds": n_seeds, "n_items": 440, "n_labelled": n_labelled}
            row.append(difference_coverage(arm, base, **size, studies=studies, seed=1))
        judges = " | ".join(f"{e.sensitivity:g} / {e.specificity:g}" for e in (on_arm, on_base))
        cells = " | ".join(f"{100 * c.covered:.1f} ({100 * alone.covered:.0f})" for c, alone in row)
        print(f"| {p:g} | {q:g} | {judges} | {cells} |", flush=True)


def _print_verdicts(studies: int) -> None:
    sizes, margin = (200, 440, 2000), 0.02
    print("| base | tuned | " + " | ".join(f"n={n}: worse | n={n}: not worse" for n in sizes) + " |\n|" + "---|" * 8)
    for p, q in ((0.0, 0.0), (0.01, 0.01), (0.1, 0.1), (0.02, 0.0), (0.03, 0.01), (0.12, 0.1), (0.05, 0.0), (0.15, 0.1)):
        found = [verdicts(p, q, n_items=n, margin=margin, studies=studies, seed=1) for n in sizes]
        cells = " | ".join(f"{100 * share:.1f}" for pair in found for share in pair)
        print(f"| {q:g} | {p:g} | {cells} |", flush=True)


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    _print_kappa(n)
    _print_corrected(n)
    _print_verdicts(n)
