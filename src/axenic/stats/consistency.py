"""The consistency of an evaluation: everything that says how far its numbers would move if it were done again.

In: the result table. Out: `findings.Findings` with variance components, reliability, flips, ranges, decisions and agreement of
judges: what Fraser et al. (2025) show as min-max bars, taken apart.
"""

from collections.abc import Mapping

import pandas as pd

from axenic.findings import Findings, Items
from axenic.stats.agreement import agreements
from axenic.stats.decision import Goal, decisions_of
from axenic.stats.flips import flips_of
from axenic.stats.ranges import ranges_of
from axenic.stats.reliability import reliability_of
from axenic.stats.tables import Table
from axenic.stats.variance import components_of


def consistency(
    rows: pd.DataFrame,
    *,
    measures: Mapping[str, str] | None = None,
    level: float = 0.95,
    items: Items = "sampled",
    target: float = 0.02,
    power: float = 0.8,
    references: Mapping[str, str] | None = None,
) -> Findings:
    """Take the variation in a result table apart.

    Args:
        rows: The result table of one study. Arms named "x | y" are made of other arms and left out.
        measures: What a score of 1 means, by eval. Default "score".
        level: Confidence level of every interval and of the tests that decisions plan.
        items: Whether numbers are to hold for new items ("sampled") or for these ("fixed").
        target: The difference that decisions are to resolve, in units of the score.
        power: With what chance.
        references: The arm that each arm is compared with in decisions; see `decision.decisions`.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    kept = rows[~rows["arm"].fillna("").astype(str).str.contains(" | ", regex=False)] if len(rows) else rows
    table = Table.of(kept)
    return Findings(
        variance_components=tuple(components_of(table, level=level, items=items)),
        reliability=tuple(reliability_of(table, level=level, items=items)),
        flips=tuple(flips_of(table, level=level)),
        ranges=tuple(ranges_of(table, measures=measures or {}, level=level)),
        decisions=tuple(decisions_of(table, Goal(target, power, level, items), references)),
        agreements=tuple(agreements(kept, level=level)),
    )
