"""Several tests at once: adjusted p-values.

In: p-values, None where a test could not be made. Out: adjusted ones in the same places. Holm (1979) keeps the chance of any false
alarm; Benjamini and Hochberg (1995) the expected share of false alarms among the alarms.
"""

from collections.abc import Sequence

import numpy as np
from statsmodels.stats.multitest import multipletests


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Family-wise: reject what is below alpha, and no true hypothesis falls with a chance of more than alpha."""
    return _adjusted(p, "holm")


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """False discovery rate; for many categories, of which some may be false alarms."""
    return _adjusted(p, "fdr_bh")


def _adjusted(p: Sequence[float | None], method: str) -> list[float | None]:
    known = [i for i, one in enumerate(p) if one is not None]
    values = np.array([p[i] for i in known], dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must lie in [0, 1]; None for a test that could not be made")
    found: list[float | None] = [None] * len(p)
    if known:
        for i, value in zip(known, multipletests(values, method=method)[1], strict=True):
            found[i] = float(value)
    return found
