"""The limits of a harm, and the tests that are those limits turned inside out, also where hardly any item changed.

In: the mean difference with its variance terms, and the shares of items that got worse and better. Out: limits and one-sided p.
A t-interval is too short when few items changed: with 1 of 100 worse it ends at 3 %, with none at 3.6 %. So the limits are those of
`intervals.difference_limits`, widened to the exact ones (Clopper and Pearson 1934) of both shares, put together as Newcombe (1998)
and Zou and Donner (2008) do. I = items (stems).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from axenic.stats.crossed import CrossedMean, Floats
from axenic.stats.intervals import clopper_pearson_limits, difference_limits

SMALLEST = 1e-14
"""Levels nearer to 1 than this are 1 in floating point, so no p is smaller."""


@dataclass(frozen=True)
class Share:
    """How much of the items changed one way, and how many independent items that is worth."""

    mean: float
    n: float

    @classmethod
    def of(cls, change_I: Floats, *, most: int) -> "Share":
        """From the change of each item, in [0, 1], of which each is a mean over `most` / I answers.

        An item that changes in part (some wordings, some runs) varies less than one that changes whole, so it is worth more than
        one; but that is only believed as far as the data show it, as if one item more had changed whole.
        """
        n, mean = len(change_I), float(change_I.mean())
        variance = float(change_I.var(ddof=1)) / n + (n + 2.0) ** -2
        return cls(mean, float(np.clip(mean * (1 - mean) / variance, n, max(n, most))))

    def times(self, factor: float) -> "Share":
        """The same share of so many times the items."""
        return Share(self.mean, self.n * factor)


@dataclass(frozen=True)
class HarmMean:
    """A mean change in the bad direction. No shares where items are fixed: they are then no sample of anything."""

    found: CrossedMean
    worse: Share | None = None
    better: Share | None = None

    @property
    def value(self) -> float:
        """Positive = worse."""
        return self.found.value

    def limits(self, level: float) -> tuple[float, float]:
        """The wider of both intervals, on either side."""
        low, high, _ = difference_limits(self.found, level=level)
        if self.worse is None or self.better is None:
            return low, high
        exact_low, exact_high = share_limits(self.worse, self.better, level=level)
        return min(low, exact_low), max(high, exact_high)

    def p_worse(self) -> float:
        """One-sided p of "there is harm": the size at which the lower limit reaches 0."""
        return 1.0 if self.value <= 0 else _size(lambda level: self.limits(level)[0])

    def p_not_worse(self, margin: float) -> float:
        """One-sided p of "the harm is below the margin": the size at which the upper limit reaches it."""
        return 1.0 if self.value >= margin else _size(lambda level: margin - self.limits(level)[1])


def share_limits(worse: Share, better: Share, *, level: float) -> tuple[float, float]:
    """Limits of worse - better, shares of the same items."""
    (worse_low, worse_high), (better_low, better_high) = (clopper_pearson_limits(s.mean, s.n, level) for s in (worse, better))
    change = worse.mean - better.mean
    down = np.hypot(worse.mean - worse_low, better_high - better.mean)
    up = np.hypot(worse_high - worse.mean, better.mean - better_low)
    return max(-1.0, float(change - down)), min(1.0, float(change + up))


def _size(clearance: Callable[[float], float]) -> float:
    """The one-sided size (1 - level) / 2 at which a limit just touches its bound; at most .5, since the value is beyond it."""

    def at(log_size: float) -> float:
        return clearance(1 - 2 * float(np.exp(log_size)))

    least, most = np.log(SMALLEST), np.log(0.5 - 1e-12)
    if at(least) >= 0:
        return SMALLEST
    if at(most) <= 0:
        return 0.5
    return float(np.exp(optimize.brentq(at, least, most, xtol=1e-10)))
