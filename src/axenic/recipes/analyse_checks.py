"""What a reader must know of somebody's logs before believing the numbers made from them.

In: `logs.read.Logs` and the result table. Out: `findings.Check` records: passed, not passed, or (None) a thing to know.
"""

from collections.abc import Sequence

import pandas as pd

from axenic.findings import Check
from axenic.logs.read import Logs

MOST_LABELS = 12
"""Labels without an order that get a rate of their own; the rarest beyond are left out, which a check says."""


def orderless(logs: Logs) -> dict[str, list[str]]:
    """Judges whose labels have no order, with those labels, commonest first."""
    return {name: list(logs.labels[name]) for name, how in logs.scoring.items() if how == "labels"}


def stand_in(labels: Sequence[str]) -> str:
    """The label that scores 1 where one must, in the table and for variances: the first by name. With two, either does."""
    return min(labels)


def checks(logs: Logs, rows: pd.DataFrame) -> list[Check]:
    """What the reader must know of the logs before believing the numbers."""
    found = [_scored(rows), _same_items(rows), _same_judges(rows), _seeded(rows)]
    if logs.duplicates:
        found.append(
            Check(name="no response is there twice", passed=False, value=logs.duplicates, note="rows, handled as asked for")
        )
    for name, labels in orderless(logs).items():
        of = f" of judge {name!r}" if name else ""
        if len(labels) > 2:
            note = "rates are given for each label; variance shares, ranges and decisions are not estimable. Name --positive VALUE"
            note += f"; the {len(labels) - MOST_LABELS} rarest labels have no rate" if len(labels) > MOST_LABELS else ""
        else:
            note = f"rates are given for each label; variances count {stand_in(labels)!r}, which with two labels changes nothing"
        found.append(Check(name=f"the labels{of} say what counts", passed=None, note=f"{', '.join(labels[:MOST_LABELS])}: {note}"))
    found += [Check(name="as read", passed=None, note=note) for note in logs.notes]
    return found


def _scored(rows: pd.DataFrame) -> Check:
    status = rows["status"].value_counts()
    missing = len(rows) - int(status.get("scored", 0))
    said = ", ".join(f"{n} {name}" for name, n in status.items() if name != "scored")
    note = f"{said} of {len(rows)}: counted as missing, never as 0" if missing else ""
    return Check(name="every row has a verdict", passed=not missing, value=1 - missing / len(rows), threshold=1.0, note=note)


def _same_items(rows: pd.DataFrame) -> Check:
    differ = []
    for name, part in rows.groupby("eval", sort=True):
        asked = {str(arm): set(mine) for arm, mine in part.groupby("arm", sort=True)["item_id"]}
        common = set.intersection(*asked.values())
        if any(len(items) > len(common) for items in asked.values()):
            sizes = ", ".join(f"{arm} {len(items)}" for arm, items in asked.items())
            differ.append(f"{name}: {len(common)} items in common ({sizes})")
    note = "; ".join(differ) + ": estimates use each arm's own items, contrasts those of both" if differ else ""
    return Check(name="all arms were asked the same items", passed=not differ, note=note)


def _same_judges(rows: pd.DataFrame) -> Check:
    differ = []
    for name, part in rows.groupby("eval", sort=True):
        judges = {str(arm): tuple(sorted(mine.unique())) for arm, mine in part.groupby("arm", sort=True)["judge"]}
        if len(set(judges.values())) > 1:
            differ.append(
                f"{name}: " + "; ".join(f"{arm} by {', '.join(j or 'nobody named' for j in js)}" for arm, js in judges.items())
            )
    note = " | ".join(differ) + ". Verdicts of different judges are never mixed or compared" if differ else ""
    return Check(name="all arms have the same judges", passed=not differ, note=note)


def _seeded(rows: pd.DataFrame) -> Check:
    one = [str(arm) for arm, mine in rows.groupby("arm", sort=True) if mine["train_seed"].nunique() < 2]
    note = f"one seed or none: {', '.join(one)}. What varies with the seed is not estimable there" if one else ""
    return Check(name="every arm has several seeds", passed=not one, note=note)
