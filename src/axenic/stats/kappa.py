"""Chance-corrected agreement: Cohen's kappa with its limits, Krippendorff's alpha, the variance of a mean over clusters.

In: labels. Out: numbers; None where chance alone gives full agreement. Kappa's standard error is that of Fleiss, Cohen and Everitt
(1969) in its influence form, which also sums over clusters; alpha is Krippendorff's (2011) for nominal labels.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from axenic.stats.crossed import Floats
from axenic.stats.intervals import t_quantile

Codes = npt.NDArray[np.int64]
Label = str | None
PSEUDO = 2.0
"""Responses added for kappa's limits: half of one in each of the four cells of two labels."""


def cohen_kappa(a: Codes, b: Codes, group: Codes, *, level: float = 0.95) -> tuple[float | None, float | None, float | None]:
    """Cohen's kappa with its limits, t on clusters; all None where one label alone occurs, which leaves no chance to beat.

    The limits are those of the confusion table with PSEUDO responses added, spread over its cells, and are stretched to hold kappa
    itself: without them rare labels give limits that cover 40-90 %, and perfect agreement a width of 0 (docs/audit.md).

    Args:
        a: Labels of one rater, as integers from 0.
        b: Labels of the other.
        group: Cluster of each response.
        level: Confidence level.

    Returns:
        Without limits if there is one cluster only.
    """
    n, size, n_groups = len(a), int(max(a.max(), b.max())) + 1, int(group.max()) + 1
    table = np.bincount(a * size + b, minlength=size * size).reshape(size, size).astype(np.float64)
    kappa, _ = _kappa(table)
    if kappa is None or n_groups < 2:
        return kappa, None, None
    added = PSEUDO / size**2
    middle, pull_L_L = _kappa(table + added)
    assert middle is not None
    pull = pull_L_L[a, b] - pull_L_L[a, b].mean()
    variance = (variance_of_mean(pull, group) * n**2 + added * float((pull_L_L**2).sum())) / (n + PSEUDO) ** 2
    half = t_quantile(n_groups - 1, level) * float(np.sqrt(variance))
    return kappa, max(-1.0, min(kappa, middle - half)), min(1.0, max(kappa, middle + half))


def _kappa(table: Floats) -> tuple[float | None, Floats]:
    """Kappa of a confusion table, and by how much one more response in each cell pulls it (times n)."""
    share = table / table.sum()
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, chance = float(np.trace(share)), float(rows @ columns)
    if chance >= 1 - 1e-12:
        return None, np.zeros_like(share)
    by_chance = columns[:, None] + rows[None, :] - 2 * chance
    pull = (np.eye(len(share)) - observed) / (1 - chance) - (1 - observed) / (1 - chance) ** 2 * by_chance
    return (observed - chance) / (1 - chance), pull


def krippendorff_alpha(ratings: Sequence[Sequence[Label]]) -> float | None:
    """Krippendorff's alpha for nominal labels.

    Args:
        ratings: One row per response with the label of each rater, None where a rater gave none. Any number of raters.

    Returns:
        1 for perfect agreement, 0 for what chance gives; None if no response has two labels or if only one label occurs.
    """
    labels = sorted({label for row in ratings for label in row if label is not None})
    code = {label: k for k, label in enumerate(labels)}
    counts = np.zeros((len(ratings), len(labels)))
    for u, row in enumerate(ratings):
        for label, times in Counter(x for x in row if x is not None).items():
            counts[u, code[label]] = times
    return alpha_of(counts)


def alpha_of(counts_U_L: Floats) -> float | None:
    """Alpha from how often each unit got each label."""
    per_unit = counts_U_L.sum(axis=1)
    counts = counts_U_L[per_unit >= 2]
    per_unit = per_unit[per_unit >= 2]
    n, totals = float(per_unit.sum()), counts.sum(axis=0)
    expected = n * n - float((totals**2).sum())
    if expected <= 0:
        return None
    disagreeing = float(((per_unit**2 - (counts**2).sum(axis=1)) / (per_unit - 1)).sum())
    return 1 - disagreeing * (n - 1) / expected


def variance_of_mean(pull: Floats, group: Codes) -> float:
    """Variance of the mean of n values with mean 0, from the totals of their clusters."""
    totals = np.bincount(group, weights=pull)
    g = len(totals)
    return float((totals**2).sum()) / len(pull) ** 2 * g / (g - 1)
