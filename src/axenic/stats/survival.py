"""How long a behaviour lives: survival over seeds, and the median life with an interval that few seeds allow.

In: one `Life` per seed, fallen or censored. Out: the Kaplan-Meier curve with limits (Kaplan & Meier 1958; beta product confidence
procedure of Fay, Brittain & Proschan 2013, which is Clopper-Pearson where nothing is censored before), and a median's `Interval`.
Measured coverage is in docs/persistence_statistics.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from axenic.stats.intervals import Interval, not_estimable, t_interval

BINOMIAL, PRODUCT = "Kaplan-Meier, Clopper-Pearson", "Kaplan-Meier, beta product limits"


class Life(NamedTuple):
    """One seed: the step at which it fell, or (censored) the last step at which it was seen alive."""

    step: float
    fell: bool


class Point(NamedTuple):
    """The share of seeds alive just after `x`, with its limits."""

    x: float
    value: float
    low: float
    high: float
    at_risk: int  # alive and observed just before x
    gone: int  # fell at x
    method: str


def survival(lives: Sequence[Life], *, level: float = 0.95) -> list[Point]:
    """The Kaplan-Meier curve: one point at 0, one at every fall, and one at the last step seen.

    Limits are never zero-width: with n seeds all alive the lower one is that of n successes of n. They are exact while no seed
    has been censored before x; after that they are quantiles of a product of beta variables, whose first two moments a beta
    shares (Fay et al. 2013), which covers at least the level with few seeds where Greenwood's variance does not.

    Args:
        lives: One per seed, in any order.
        level: Confidence level of each point by itself, not of the whole curve.
    """
    if not lives:
        return []
    places = sorted({0.0, max(life.step for life in lives)} | {life.step for life in lives if life.fell})
    return [_point(lives, x, level) for x in places]


def median_life(lives: Sequence[Life], *, level: float = 0.95) -> Interval:
    """The median life over the population of seeds.

    One rule, in the order of what it assumes:
    1. The steps at which the limits of `survival` hold one half (Brookmeyer & Crowley 1982). Without censoring that is the sign
       test's interval, from one order statistic to another, whatever the distribution. It takes six seeds for 95 %: of five, all
       lie on one side of the median in 1 of 16 studies. Without an upper limit, the lower one is an "at least".
    2. With fewer seeds, all of which fell: Student's t on the logarithms. It needs lives to be roughly symmetric on a log scale
       (then the geometric mean estimates the median).
    3. With fewer seeds and a censored one: no limits. A censored life may be arbitrarily long, so that no t can be formed, and
       a distribution fitted to three lives would claim what was never seen.

    Returns:
        The Kaplan-Meier median, None if it lies beyond what was seen.
    """
    if not lives:
        return not_estimable(note="no seed has a start from which to fall")
    n, value = len(lives), _median(lives)
    if 2 * 0.5**n <= 1 - level:
        low, high = _half_by_limits(lives, level)
        if low is not None and low == high:
            return not_estimable(value, "seeds do not vary")
        found = Interval(value, low, high, f"order statistics of {n} seeds")
        censored = any(not life.fell for life in lives)
        return found if not censored else Interval(value, low, high, f"survival limits of {n} seeds at one half")
    if all(life.fell and life.step > 0 for life in lives):
        logs = t_interval([float(np.log(life.step)) for life in lives], level=level)
        if logs.low is None or logs.high is None:
            return not_estimable(value, logs.note)
        return Interval(value, float(np.exp(logs.low)), float(np.exp(logs.high)), f"t on {n} log half-lives")
    enough = int(np.ceil(1 - np.log2(1 - level)))
    return not_estimable(value, f"a seed of {n} is censored: limits at {level:.0%} take {enough} seeds or more")


def _point(lives: Sequence[Life], x: float, level: float) -> Point:
    events = _events(lives, x)
    at_risk, gone = events[-1][1:] if events and events[-1][0] == x else (sum(life.step >= x for life in lives), 0)
    value = float(np.prod([1 - d / y for _, y, d in events]))
    alive = sum(life.step > x or (life.step == x and not life.fell) for life in lives)
    censored_before = any(not life.fell and life.step < x for life in lives)
    return Point(x, value, *_limits(events, alive, level), at_risk, gone, PRODUCT if censored_before else BINOMIAL)


def _events(lives: Sequence[Life], x: float) -> list[tuple[float, int, int]]:
    """(step, at risk, gone) of every fall up to x; a seed censored at a step is at risk there."""
    steps = sorted({life.step for life in lives if life.fell and life.step <= x})
    return [(s, sum(life.step >= s for life in lives), sum(life.fell and life.step == s for life in lives)) for s in steps]


def _limits(events: Sequence[tuple[float, int, int]], alive: int, level: float) -> tuple[float, float]:
    """Beta product limits of the share alive, given the falls so far and how many are known to be alive now."""
    betas, tail = [(y - d + 1.0, float(d)) for _, y, d in events], (1 - level) / 2
    low = _product_quantile([*betas, (float(alive), 1.0)], tail) if alive else 0.0
    return low, _product_quantile(betas, 1 - tail) if betas else 1.0


def _product_quantile(betas: Sequence[tuple[float, float]], q: float) -> float:
    """Quantile of a product of independent beta variables, by the beta with its mean and variance."""
    mean = float(np.prod([a / (a + b) for a, b in betas]))
    square = float(np.prod([a * (a + 1) / ((a + b) * (a + b + 1)) for a, b in betas]))
    size = (mean - square) / (square - mean * mean)
    return float(special.betaincinv(mean * size, (1 - mean) * size, q))


def _half_by_limits(lives: Sequence[Life], level: float) -> tuple[float | None, float | None]:
    """The first step from which the lower limit is at most one half, and the first from which the upper one is below it."""
    low: float | None = None
    if _limits([], len(lives), level)[0] <= 0.5:
        return None, None
    for x in sorted({life.step for life in lives}):
        found = _limits(_events(lives, x), sum(life.step > x for life in lives), level)
        low = x if low is None and found[0] <= 0.5 else low
        if found[1] < 0.5:
            return low, x
    return low, None


def _median(lives: Sequence[Life]) -> float | None:
    """The first step with under half alive; half-way to the next fall where exactly half are."""
    steps, share = sorted({life.step for life in lives if life.fell}), 1.0
    for i, s in enumerate(steps):
        _, y, d = _events(lives, s)[-1]
        share *= 1 - d / y
        if share < 0.5 - 1e-9:
            return s
        if share <= 0.5 + 1e-9:
            return (s + steps[i + 1]) / 2 if i + 1 < len(steps) else None
    return None
