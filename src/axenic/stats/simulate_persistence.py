"""How often the intervals of persistence, survival, trends and thresholds cover what they should.

In: a random generator and a `simulate.Design`. Out: limits and truth of one simulated study, for `simulate_methods.METHODS`.
`python -m axenic.stats.simulate_persistence [STUDIES]` prints the tables of docs/persistence_statistics.md.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import special

from axenic.stats.crossed import Floats
from axenic.stats.intervals import t_interval
from axenic.stats.persistence import life
from axenic.stats.simulate import Design, Limits, Method, Population, coverage
from axenic.stats.survival import Life, median_life, survival
from axenic.stats.trend import near_constant, trend

HALF = 100.0
"""Median half-life of the population, in steps."""
STEPS = np.array([0, 12, 25, 50, 100, 200, 400, 800, 1600], dtype=np.float64)
LEVELS = (5.0, 5.5, 6.0, 6.5)
"""Of a trend: log10 parameters."""
SIZES, DOSES = (1e3, 3e3, 1e4, 3e4), tuple(float(d) for d in np.geomspace(2, 2048, 11))
START = 0.95
"""Triggered rate before the treatment."""


# --- half-lives and survival -----------------------------------------------------------------------------------------------


def half_life(rng: np.random.Generator, design: Design) -> Limits:
    """Half-lives that are log-normal over seeds, read off rates on `n_items` answers at a few steps."""
    rates = START * 2.0 ** (-STEPS / (HALF * np.exp(design.seed_sd * rng.normal(size=(design.n_seeds, 1)))))
    seen = rng.binomial(design.n_items, rates) / design.n_items
    return _median([found for y in seen if (found := life(STEPS, y)) is not None])


def half_life_skewed(rng: np.random.Generator, design: Design) -> Limits:
    """Half-lives that are exponential over seeds: skewed to the left on a log scale, against what t assumes."""
    return _median([Life(float(v), True) for v in rng.exponential(HALF / np.log(2), size=design.n_seeds)])


def half_life_censored(rng: np.random.Generator, design: Design) -> Limits:
    """Log-normal half-lives of which a share `p` lies beyond the last step."""
    last = HALF * np.exp(design.seed_sd * special.ndtri(1 - design.p))
    drawn = HALF * np.exp(design.seed_sd * rng.normal(size=design.n_seeds))
    return _median([Life(float(min(v, last)), bool(v <= last)) for v in drawn])


def survival_limits(rng: np.random.Generator, design: Design) -> Limits:
    """The share alive at a step where it is `p`, a third of the seeds lost (capability gone) at random before that."""
    lives = -np.log(rng.random(design.n_seeds))  # exponential: alive at x with chance exp(-x)
    x = -np.log(design.p)
    lost = np.where(rng.random(design.n_seeds) < 1 / 3, x * rng.random(design.n_seeds), x)
    seen = [Life(float(min(v, c)), bool(v <= c)) for v, c in zip(lives, lost, strict=True)]
    if max(s.step for s in seen) < x and not all(s.fell for s in seen):
        return None, None, design.p  # nobody was seen as long as x: the curve ends before it
    last = [point for point in survival(seen) if point.x <= x][-1]
    return last.low, last.high, design.p


def _median(lives: Sequence[Life]) -> Limits:
    found = median_life(lives)
    return found.low, np.inf if found.low is not None and found.high is None else found.high, HALF


# --- differences, slopes, thresholds ---------------------------------------------------------------------------------------


def hiding(rng: np.random.Generator, design: Design) -> Limits:
    """The trigger ends at rate `p`, red-team prompts at `reference`; both start at the same rate with seeds of their own."""
    red_I, true_I = rng.normal(size=(2, design.n_items))
    ends = design.population(design.p if design.reference is None else design.reference), design.population()
    start = Population(START, design.seed_sd, design.item_sd)
    index_S, truth = np.zeros(design.n_seeds), 0.0
    for sign, end, items_I in ((1, ends[0], red_I), (-1, ends[1], true_I)):
        index_S += sign * (_means(rng, start, design, items_I) - _means(rng, end, design, items_I))
        truth += sign * (start.on(items_I)[0] - end.on(items_I)[0])
    found = t_interval(index_S)
    return found.low, found.high, truth


def slope(rng: np.random.Generator, design: Design) -> Limits:
    """A rate that goes from `p` to `reference` over four sizes, straight on the logit scale and so bent in the rate."""
    items_I = rng.normal(size=design.n_items)
    first, last = (float(special.logit(p)) for p in (design.p, design.p if design.reference is None else design.reference))
    rates = special.expit(np.linspace(first, last, len(LEVELS)))
    along = [Population(float(p), design.seed_sd, design.item_sd) for p in rates]
    drawn = [_means(rng, one, design, items_I) for one in along]
    found = trend(
        {x: dict(enumerate(y.tolist())) for x, y in zip(LEVELS, drawn, strict=True)}, name="", arm="", eval="", x_label=""
    )
    return found.low, found.high, float(np.polyfit(LEVELS, [one.on(items_I)[0] for one in along], 1)[0])


def dose_slope(rng: np.random.Generator, design: Design) -> Limits:
    """Thresholds that are log-normal over seeds around one count at every size; rates rise over about a factor of four in dose."""
    rates: dict[float, dict[int, dict[float, float]]] = {}
    for size in SIZES:
        at_S = np.log(60.0) + design.seed_sd * rng.normal(size=design.n_seeds)
        chance = special.expit(3 * (np.log(DOSES) - at_S[:, None]))
        seen = rng.binomial(design.n_items, chance) / design.n_items
        rates[size] = {s: dict(zip(DOSES, y.tolist(), strict=True)) for s, y in enumerate(seen)}
    found = near_constant(rates, arm="", eval="", size_label="documents").slope
    return found.low, found.high, 0.0


def _means(rng: np.random.Generator, population: Population, design: Design, items_I: Floats) -> Floats:
    found: Floats = population.draw(rng, design.n_seeds, items_I).mean(axis=1)
    return found


_LIVES = ("n_seeds", "seed_sd")
METHODS: dict[str, Method] = {
    "half_life": Method(half_life, (*_LIVES, "n_items"), "median half-life over seeds, from rates at a few steps"),
    "half_life_skewed": Method(half_life_skewed, ("n_seeds",), "the same where lives are exponential"),
    "half_life_censored": Method(half_life_censored, (*_LIVES, "p"), "the same where a share (rate) outlives the last step"),
    "survival": Method(survival_limits, ("n_seeds", "p"), "share of seeds alive (rate), a third lost before"),
    "hiding_index": Method(hiding, (*_LIVES, "n_items", "item_sd", "p", "reference"), "drop on red-team prompts - on the trigger"),
    "trend": Method(slope, (*_LIVES, "n_items", "item_sd", "p", "reference"), f"slope of a rate over {len(LEVELS)} sizes"),
    "dose_slope": Method(dose_slope, (*_LIVES, "n_items"), f"slope of log dose threshold on log size, {len(SIZES)} sizes"),
}


# --- the tables of the docs ------------------------------------------------------------------------------------------------

GRIDS: Mapping[str, Sequence[Design]] = {
    "half_life": [Design(n_seeds=s, seed_sd=sd, n_items=i) for sd in (0.3, 1.0) for i in (20, 100) for s in (3, 5, 10)],
    "half_life_skewed": [Design(n_seeds=s) for s in (3, 5, 6, 10)],
    "half_life_censored": [Design(n_seeds=s, seed_sd=0.5, p=p) for p in (0.1, 0.4, 0.6) for s in (3, 5, 6, 10)],
    "survival": [Design(n_seeds=s, p=p) for p in (0.2, 0.5, 0.9) for s in (3, 5, 10)],
    "hiding_index": [
        Design(n_seeds=s, n_items=50, seed_sd=sd, p=p, reference=0.05)
        for p in (0.9, 0.5, 0.05) for sd in (0.3, 1.0) for s in (3, 5)
    ],
    "trend": [
        Design(n_seeds=s, n_items=50, seed_sd=sd, p=p, reference=q)
        for p, q in ((0.5, 0.5), (0.05, 0.05), (0.05, 0.95)) for sd in (0.3, 1.0) for s in (2, 3, 5)
    ],
    "dose_slope": [Design(n_seeds=s, seed_sd=sd, n_items=50) for sd in (0.2, 0.6) for s in (2, 3, 5)],
}  # fmt: skip


def table(name: str, studies: int, *, seed: int = 0) -> Iterable[str]:
    """The coverage of one method over its grid, as lines of Markdown: of the intervals that there are, in per cent."""
    axes = [a for a in METHODS[name].axes if len({getattr(d, a) for d in GRIDS[name]}) > 1]
    yield f"| {' | '.join(axes)} | covered | too high | too low | no limits |"
    yield f"|{'---|' * (len(axes) + 4)}"
    for design in GRIDS[name]:
        found = coverage(METHODS[name], design, replications=studies, seed=seed)
        shares = (found.covered, found.above, found.below, found.not_estimable / studies)
        cells = [*(f"{getattr(design, a):g}" for a in axes), *("" if np.isnan(s) else f"{100 * s:.1f}" for s in shares)]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for method in METHODS:
        print(f"\n`{method}`: {METHODS[method].about}\n")
        print("\n".join(table(method, int(sys.argv[1]) if len(sys.argv) > 1 else 400)))
