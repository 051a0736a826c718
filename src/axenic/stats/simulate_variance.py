"""How often the intervals of the consistency study cover what they should, and whether decisions keep their promise of power.

In: a population of scores 0/1 with rate expit(mean + seed + item + seed x item). Out: coverage by source and power.
`python -m axenic.stats.simulate_variance [STUDIES]` prints the tables of docs/variance.md.
"""

import itertools
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from axenic.schema import RESULT_COLUMNS
from axenic.stats.crossed import Floats, independent_difference
from axenic.stats.decision import Plan, Side, components_of_difference, power_of
from axenic.stats.flips import flips_of
from axenic.stats.intervals import difference_limits
from axenic.stats.ranges import spread
from axenic.stats.tables import Table
from axenic.stats.variance import components_of

NODES = 40
SOURCES = ("train_seed", "item", "train_seed:item", "repetition")


@dataclass(frozen=True)
class Logits:
    """Seed, item and seed x item effects are normal on the logit scale, around `mean`."""

    mean: float
    seed_sd: float
    item_sd: float = 1.5
    both_sd: float = 0.7

    @cached_property
    def truth(self) -> dict[str, float]:
        """The rate and the variance components of one response, by integration over the population."""
        x, w = np.polynomial.hermite_e.hermegauss(NODES)
        w = w / w.sum()
        p = special.expit(
            self.mean + self.seed_sd * x[:, None, None] + self.item_sd * x[None, :, None] + self.both_sd * x[None, None, :]
        )
        cell = p @ w
        rate = float(w @ cell @ w)
        seed, item = (float(w @ (m - rate) ** 2) for m in (cell @ w, w @ cell))
        of_cells = float(np.einsum("abc,a,b,c", (p - rate) ** 2, w, w, w))
        found = {"rate": rate, "train_seed": seed, "item": item, "train_seed:item": of_cells - seed - item}
        return found | {"repetition": rate * (1 - rate) - of_cells, "total": rate * (1 - rate)}

    def rates(self, rng: np.random.Generator, n_seeds: int, item_I: Floats) -> Floats:
        """Rates_S_I of new seeds on items of the given standard-normal difficulty."""
        both = self.both_sd * rng.normal(size=(n_seeds, len(item_I)))
        logit = self.mean + self.seed_sd * rng.normal(size=(n_seeds, 1)) + self.item_sd * item_I + both
        return np.asarray(special.expit(logit), dtype=np.float64)


def answers(rng: np.random.Generator, rates_S_I: Floats, *, repetitions: int, missing: float = 0.0) -> Floats:
    """Scores_S_I_R drawn from the rates; NaN for missing ones."""
    y = (rng.random((*rates_S_I.shape, repetitions)) < rates_S_I[:, :, None]).astype(np.float64)
    return np.where(rng.random(y.shape) < missing, np.nan, y) if missing else y


def rows_of(y_S_I_R: Floats, *, arm: str = "a", temperature: float = 0.7) -> pd.DataFrame:
    """A result table of one arm."""
    s, i, r = (a.ravel() for a in np.indices(y_S_I_R.shape))
    y = y_S_I_R.ravel()
    found = pd.DataFrame(dict.fromkeys(RESULT_COLUMNS, ""), index=range(len(y)))
    return found.assign(
        study="simulation", arm=arm, eval="e", judge="j", train_seed=s, item_id=np.char.mod("i%05d", i), repetition=r, epoch=1.0,
        temperature=temperature, score=y, status=np.where(np.isnan(y), "error", "scored"), verdict=np.where(y > 0, "yes", "no"),
    )  # fmt: skip


def component_coverage(
    population: Logits, *, n_seeds: int, n_items: int, repetitions: int, studies: int, seed: int, missing: float = 0.0
) -> dict[str, float]:
    """Share of studies whose interval holds the truth, by source ("train_seed") and share ("share of train_seed").

    With one repetition, temperature is 0 and the seed x item component holds the response's own variance too.
    A component without limits counts for neither.
    """
    rng = np.random.default_rng(seed)
    truth = dict(population.truth)
    if repetitions == 1:
        truth["train_seed:item"] += truth.pop("repetition")
    held, seen = Counter[str](), Counter[str]()
    for _ in range(studies):
        y = answers(rng, population.rates(rng, n_seeds, rng.normal(size=n_items)), repetitions=repetitions, missing=missing)
        table = Table.of(rows_of(y, temperature=0.7 if repetitions > 1 else 0.0))
        for found in components_of(table, level=0.95, items="sampled"):
            if found.low is not None and found.high is not None and found.source in truth:
                seen[found.source] += 1
                held[found.source] += found.low <= truth[found.source] <= found.high
            if found.share_low is not None and found.share_high is not None:
                seen[f"share of {found.source}"] += 1
                held[f"share of {found.source}"] += found.share_low <= truth[found.source] / truth["total"] <= found.share_high
    return {k: held[k] / n for k, n in seen.items()}


def flip_coverage(population: Logits, *, n_seeds: int, n_items: int, studies: int, seed: int) -> dict[str, float]:
    """Coverage of the flip rate and the pair rate over seeds at temperature 0, given these seeds' effects, for new items."""
    rng = np.random.default_rng(seed)
    held = Counter[str]()
    for _ in range(studies):
        for name, (low, high, truth) in flip_limits(rng, population, n_seeds=n_seeds, n_items=n_items).items():
            held[name] += low <= truth <= high
    return {k: n / studies for k, n in held.items()}


def flip_limits(
    rng: np.random.Generator, population: Logits, *, n_seeds: int, n_items: int
) -> dict[str, tuple[float, float, float]]:
    """Limits and truth of the flip rate and the pair rate of one simulated study."""
    shift = rng.normal(size=(n_seeds, 1))
    many = _given(population, rng, shift, 5000)
    agree = many.prod(axis=0) + (1 - many).prod(axis=0)
    mean, square = many.sum(axis=0), (many**2).sum(axis=0)
    pair = 2 * (mean * (n_seeds - mean) - (mean - square)) / (n_seeds * (n_seeds - 1))
    y = answers(rng, _given(population, rng, shift, n_items), repetitions=1)
    found = next(f for f in flips_of(Table.of(rows_of(y, temperature=0.0)), level=0.95) if f.source == "any")
    assert found.low is not None and found.high is not None and found.pair_low is not None and found.pair_high is not None
    rate = (found.low, found.high, float(1 - agree.mean()))
    return {"rate": rate, "pair_rate": (found.pair_low, found.pair_high, float(pair.mean()))}


def seed_share_limits(
    rng: np.random.Generator, population: Logits, *, n_seeds: int, n_items: int, repetitions: int
) -> tuple[float | None, float | None, float]:
    """Limits and truth of the share of a response's variance that is the training seed's, in one simulated study."""
    y = answers(rng, population.rates(rng, n_seeds, rng.normal(size=n_items)), repetitions=repetitions)
    found = next(c for c in components_of(Table.of(rows_of(y)), level=0.95, items="sampled") if c.source == "train_seed")
    return found.share_low, found.share_high, population.truth["train_seed"] / population.truth["total"]


def _given(population: Logits, rng: np.random.Generator, shift_S_1: Floats, n_items: int) -> Floats:
    """Rates of given seeds on new items."""
    item, both = rng.normal(size=n_items), rng.normal(size=(len(shift_S_1), n_items))
    logit = population.mean + population.seed_sd * shift_S_1 + population.item_sd * item + population.both_sd * both
    return np.asarray(special.expit(logit), dtype=np.float64)


def range_coverage(population: Logits, *, n_seeds: int, n_items: int, repetitions: int, studies: int, seed: int) -> float:
    """Coverage of the standard deviation of one run of a new seed, on given items."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(studies):
        item = rng.normal(size=n_items)
        many = population.rates(rng, 400, item)
        truth = float(np.sqrt(many.mean(axis=1).var(ddof=1) + (many * (1 - many)).mean() / n_items))
        y = answers(rng, population.rates(rng, n_seeds, item), repetitions=repetitions)
        runs = np.repeat(np.arange(n_seeds), repetitions)
        _, low, high, _ = spread(runs, y.mean(axis=1).ravel(), level=0.95)
        held += low is not None and high is not None and low <= truth <= high
    return held / studies


def promised_power(arm: Logits, reference: Logits, *, n_seeds: int, n_items: int, studies: int, seed: int) -> tuple[float, float]:
    """Power that a large pilot promises for the true difference of two arms with seeds of their own, and the power they have."""
    rng = np.random.default_rng(seed)

    def study(s: int, i: int) -> tuple[Floats, Floats]:
        item = rng.normal(size=i)
        a, b = (answers(rng, p.rates(rng, s, item), repetitions=2) for p in (arm, reference))
        return a, b

    parts, _ = components_of_difference(*(_side(y, first=1000 * k) for k, y in enumerate(study(300, 1000))))
    gap = abs(arm.truth["rate"] - reference.truth["rate"])
    promised = power_of(gap, parts.expected(Plan(n_seeds, 2, n_items), "sampled"), level=0.95)
    found = 0
    for _ in range(studies):
        difference = independent_difference(*(y.mean(axis=2) for y in study(n_seeds, n_items)))
        assert difference is not None
        found += difference_limits(difference)[2] < 0.05
    return promised, found / studies


def _side(y_S_I_R: Floats, *, first: int) -> Side:
    """A simulated arm as `decision` sees it; its seeds are numbered from `first`."""
    s, i, r = y_S_I_R.shape
    within = float(y_S_I_R.var(axis=2, ddof=1).mean())
    return Side(y_S_I_R.mean(axis=2), list(range(first, first + s)), [f"i{k}" for k in range(i)], within, float(r), measured=True)


def _print_components(studies: int) -> None:
    names = [*SOURCES, "total", *(f"share of {s}" for s in SOURCES)]
    print("| rate | seed sd | design | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 3) + "|")
    designs = [(3, 100, 5, 0.0), (5, 100, 5, 0.0), (5, 440, 5, 0.0), (5, 440, 1, 0.0), (5, 100, 5, 0.2), (5, 100, 1, 0.2)]
    for mean, seed_sd, (s, i, r, lost) in itertools.product((0.0, -3.0, -5.5), (0.0, 0.5, 1.0), designs):
        population = Logits(mean, seed_sd)
        found = component_coverage(population, n_seeds=s, n_items=i, repetitions=r, studies=studies, seed=1, missing=lost)
        row = " | ".join(f"{100 * found[n]:.1f}" if n in found else "" for n in names)
        design = f"{s} x {i} x {r}" + (f", {lost:.0%} missing" if lost else "")
        print(f"| {population.truth['rate']:.3f} | {seed_sd:g} | {design} | {row} |", flush=True)


def _print_others(studies: int) -> None:
    print(
        "\n| rate | seed sd | seeds x items | flip rate | pair rate | sd of runs, 1 repetition | 5 repetitions |\n"
        + "|---" * 7
        + "|"
    )
    for mean, seed_sd, (s, i) in itertools.product((0.0, -3.0, -5.5), (0.0, 0.5, 1.0), ((3, 100), (5, 440))):
        population = Logits(mean, seed_sd)
        flip = flip_coverage(population, n_seeds=s, n_items=i, studies=studies, seed=1)
        runs = [range_coverage(population, n_seeds=s, n_items=i, repetitions=r, studies=studies, seed=1) for r in (1, 5)]
        row = " | ".join(f"{100 * v:.1f}" for v in (*flip.values(), *runs))
        print(f"| {population.truth['rate']:.3f} | {seed_sd:g} | {s} x {i} | {row} |", flush=True)


def _print_power(studies: int) -> None:
    print("\n| rates | seed sd | seeds x items | promised | measured |\n" + "|---" * 5 + "|")
    for (a, b), seed_sd, (s, i) in itertools.product(((0.5, 0.0), (-2.0, -3.0)), (0.2, 0.5), ((3, 200), (5, 200), (10, 400))):
        arm, reference = Logits(a, seed_sd), Logits(b, seed_sd)
        promised, measured = promised_power(arm, reference, n_seeds=s, n_items=i, studies=studies, seed=1)
        rates = f"{arm.truth['rate']:.3f}, {reference.truth['rate']:.3f}"
        print(f"| {rates} | {seed_sd:g} | {s} x {i} | {100 * promised:.0f} | {100 * measured:.0f} |", flush=True)


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    _print_components(n)
    _print_others(n)
    _print_power(n)
