"""Is a difference small enough not to matter? Two one-sided tests against a margin that is fixed beforehand (TOST).

In: a planned contrast and a margin, in units of the score. Out: p-values for "not lower", "not higher" and "equivalent".
Schuirmann (1987); the tests are those of `contrasts` (seed x item, Satterthwaite and Cochran-Cox), moved from 0 to the margin. No
difference found is no evidence of none: that takes this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from axenic.errors import UserError
from axenic.findings import Contrast
from axenic.stats.contrasts import Planned, compare
from axenic.stats.crossed import CrossedMean
from axenic.stats.intervals import difference_limits, one_sided_p


@dataclass(frozen=True)
class Equivalence:
    """Both one-sided tests. At level alpha: equivalent if `p_equivalent` < alpha: `low` and `high` then lie within the margin."""

    margin: float
    p_not_lower: float  # of "the difference is above -margin": non-inferiority where higher is better
    p_not_higher: float  # of "the difference is below +margin": non-inferiority where higher is worse
    low: float  # the interval of level 1 - 2 alpha, which is the pair of tests turned inside out
    high: float
    alpha: float

    @property
    def p_equivalent(self) -> float:
        """Of "the difference lies within the margin": the larger of the two."""
        return max(self.p_not_lower, self.p_not_higher)


def tost(found: CrossedMean, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test a mean difference of scores in [0, 1] against a margin on either side.

    Args:
        found: The difference with its variance: `crossed.crossed_mean` of paired differences, or what `contrasts.compare` gives.
        margin: The largest difference that does not matter, in (0, 1).
        alpha: Size of each one-sided test.

    Raises:
        UserError: The margin is not in (0, 1).
    """
    if not 0 < margin < 1:
        raise UserError(f"The margin must lie between 0 and 1 (0.02 is 2 points), got {margin:g}.")
    low, high, _ = difference_limits(found, level=1 - 2 * alpha)
    lower, higher = one_sided_p(found, -margin, side="above"), one_sided_p(found, margin, side="below")
    return Equivalence(margin, lower, higher, low, high, alpha)


def equivalent(
    rows: pd.DataFrame, planned: Sequence[Planned], *, margin: float, alpha: float = 0.05
) -> list[tuple[Contrast, Equivalence | None]]:
    """Each planned contrast (with an interval of level 1 - alpha) and its tests; None where the difference is not estimable."""
    found = compare(rows, planned, level=1 - alpha)
    return [(contrast, None if mean is None else tost(mean, margin=margin, alpha=alpha)) for contrast, mean in found]
