"""Flip rates: how often an item's label changes when only one thing is done again.

In: the result table; labels are the verdicts of scored rows. Out: `findings.Flip` records per arm, eval, temperature and judge at
the last epoch, split by source, and the stability of single items. Intervals are Wilson's over items, conditional on the
seeds, repetitions and judges at hand: given those, items flip independently of each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.findings import Flip
from axenic.stats.crossed import Floats
from axenic.stats.cube import at_last_epoch, by_rival_judges, unit_codes, without_derived
from axenic.stats.intervals import one_run, wilson
from axenic.stats.tables import Codes, Table


@dataclass(frozen=True)
class Labels:
    """Labels of some rows, by item."""

    item: Codes  # 0 .. n_items - 1
    label: Codes
    n_items: int
    attempted: int
    missing: int

    def groups(self, *still: Codes) -> Codes:
        """A code per row for the combinations of item and whatever is held still."""
        key = self.item
        for codes in still:
            key = key * (int(codes.max(initial=0)) + 1) + codes
        found: Codes = np.unique(key, return_inverse=True)[1].astype(np.int64)
        return found


def flips(rows: pd.DataFrame, *, level: float = 0.95) -> list[Flip]:
    """Flip rates of a result table, by source.

    Args:
        rows: The result table of one study.
        level: Confidence level.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    return flips_of(Table.of(rows), level=level)


def flips_of(table: Table, *, level: float) -> list[Flip]:
    """`flips` of a coded table."""
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")} | {"level": level}
    found = []
    for labels, index in table.groups(("arm", "eval"), without_derived(table)):
        for fields in (*_within_cells(table, index, level), *_by_checkpoint(table, index, level), *_by_judge(table, index, level)):
            found.append(Flip(**(shared | labels | fields)))
    return found


def item_stability(rows: pd.DataFrame) -> pd.DataFrame:
    """How steady every item's label is over seeds and repetitions at the last epoch, least steady first.

    Returns:
        One row per arm, eval, judge, temperature and item: arm, eval, judge, temperature, epoch, item_id, category, condition,
        modal_label, modal_share, n_labels (distinct), n (labels in all).
    """
    table = Table.of(rows)
    found: list[dict[str, Any]] = []
    for labels, index in table.groups(("arm", "eval"), without_derived(table)):
        for cell, part in table.groups(("judge", "temperature", "epoch"), at_last_epoch(table, index)):
            found += [labels | cell | item for item in _stability(table, part)]
    columns = [
        "arm",
        "eval",
        "judge",
        "temperature",
        "epoch",
        "item_id",
        "category",
        "condition",
        "modal_label",
        "modal_share",
        "n_labels",
        "n",
    ]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["modal_share", "arm", "eval", "judge", "temperature", "item_id"], kind="stable", ignore_index=True)


def _stability(table: Table, index: Codes) -> Iterator[dict[str, Any]]:
    scored = index[~np.isnan(table.score[index])]
    if not len(scored):
        return
    counts = _counts(unit_codes(table, scored), table.codes["verdict"][scored])
    first = np.unique(unit_codes(table, scored), return_index=True)[1]
    names = np.unique(table.codes["verdict"][scored])
    for row, at in zip(counts, scored[first], strict=True):
        named = {c: table.labels[c][table.codes[c][at]] for c in ("item_id", "category", "condition")}
        yield named | {
            "modal_label": table.labels["verdict"][names[row.argmax()]], "modal_share": float(row.max() / row.sum()),
            "n_labels": int((row > 0).sum()), "n": int(row.sum()),
        }  # fmt: skip


def _within_cells(table: Table, index: Codes, level: float) -> Iterator[dict[str, Any]]:
    """Sources that show within one epoch, temperature and judge."""
    for cell, part in table.groups(("epoch", "temperature", "judge"), at_last_epoch(table, index)):
        known, rows = _labels(table, part)
        seed, repetition = table.codes["train_seed"][rows], table.codes["repetition"][rows]
        every = np.zeros(len(rows), dtype=np.int64)
        yield cell | {"source": "any", "n_levels": _most(known, every)} | _rates(known, [every], level)
        n_seeds, n_repetitions = len(np.unique(seed)), len(np.unique(repetition))
        if n_seeds > 1:
            fields = _rates(known, [repetition], level, over=seed)
            yield cell | {"source": "train_seed", "n_levels": n_seeds} | fields
        if n_repetitions > 1:
            source = "sampling" if (cell["temperature"] or 0) > 0 else "numerical"
            yield cell | {"source": source, "n_levels": n_repetitions} | _rates(known, [seed], level)


def _by_checkpoint(table: Table, index: Codes, level: float) -> Iterator[dict[str, Any]]:
    """Across epochs of one training run, at temperature 0 so that sampling plays no part."""
    zero = [c for c, t in enumerate(table.labels["temperature"]) if not t]
    greedy = index[np.isin(table.codes["temperature"][index], zero)]
    for cell, part in table.groups(("temperature", "judge"), greedy):
        known, rows = _labels(table, part)
        epochs = table.values("epoch", part)
        if len(epochs) > 1:
            still = [table.codes["train_seed"][rows], table.codes["repetition"][rows]]
            yield cell | {"epoch": None, "source": "checkpoint", "n_levels": len(epochs)} | _rates(known, still, level)


def _by_judge(table: Table, index: Codes, level: float) -> Iterator[dict[str, Any]]:
    """Across judges of the same response."""
    rivals = by_rival_judges(table, at_last_epoch(table, index))
    for cell, part in table.groups(("epoch", "temperature"), rivals):
        judges = table.values("judge", part)
        if len(judges) > 1:
            known, rows = _labels(table, part)
            still = [table.codes["train_seed"][rows], table.codes["repetition"][rows]]
            yield cell | {"judge": "", "source": "judge", "n_levels": len(judges)} | _rates(known, still, level)


def _labels(table: Table, index: Codes) -> tuple[Labels, Codes]:
    """The labels of the scored rows at `index`, and those rows."""
    items = unit_codes(table, index)
    scored = ~np.isnan(table.score[index])
    rows = index[scored]
    n_items = int(items.max(initial=-1)) + 1
    return Labels(items[scored], table.codes["verdict"][rows], n_items, len(index), len(index) - len(rows)), rows


def _most(known: Labels, still: Codes) -> int:
    return int(np.bincount(known.groups(still)).max()) if len(known.item) else 0


def _rates(known: Labels, still: Sequence[Codes], level: float, *, over: Codes | None = None) -> dict[str, Any]:
    """Flip rate and pair rate over what is not held still.

    Args:
        known: The labels.
        still: Row codes of what is held still, beside the item.
        level: Confidence level.
        over: What varies, where the flip rate is to compare the majority labels of its levels (a tie has none) and not all labels.
    """
    group = known.groups(*still)
    compared, flipped = _flipped(known, group) if over is None else _majorities(known, over)
    n, k = int(compared.sum()), int(flipped.sum())
    alone = known.n_items - n
    fields: dict[str, Any] = {"attempted": known.attempted, "missing": known.missing, "n_items": n}
    if n == 0:
        return fields | {"method": "not estimable", "note": "no item has two labels"}
    rate = wilson(k, n, level=level)
    pairs = one_run(_pair_rates(known, group), level=level)
    note = f"{alone} items with under two labels left out" if alone else ""
    return fields | {
        "n_flipped": k, "rate": k / n, "low": rate.low, "high": rate.high, "pair_rate": pairs.value, "pair_low": pairs.low,
        "pair_high": pairs.high, "method": f"{rate.method}, conditional on these runs", "note": note,
    }  # fmt: skip


def _flipped(known: Labels, group: Codes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """By item: has a group with two labels, has a group with two different ones."""
    compared, flipped = np.zeros((2, known.n_items), dtype=bool)
    if len(group):
        counts = _counts(group, known.label)
        item = known.item[np.unique(group, return_index=True)[1]]
        compared[item[counts.sum(axis=1) > 1]] = True
        flipped[item[(counts > 0).sum(axis=1) > 1]] = True
    return compared, flipped


def _majorities(known: Labels, over: Codes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """`_flipped` for the majority labels of each item and level of `over`; a level that ties has no label."""
    if not len(over):
        return _flipped(known, over)
    group = known.groups(over)
    counts = _counts(group, known.label)
    item = known.item[np.unique(group, return_index=True)[1]]
    top = counts.max(axis=1)
    clear = (counts == top[:, None]).sum(axis=1) == 1
    voted = Labels(item[clear], counts.argmax(axis=1)[clear].astype(np.int64), known.n_items, 0, 0)
    return _flipped(voted, voted.groups())


def _pair_rates(known: Labels, group: Codes) -> Floats:
    """By item: the share of pairs of labels within its groups that differ; NaN for an item without a pair."""
    counts = _counts(group, known.label)
    item = known.item[np.unique(group, return_index=True)[1]]
    n = counts.sum(axis=1)
    pairs = np.bincount(item, weights=n * (n - 1) / 2, minlength=known.n_items)
    same = np.bincount(item, weights=(counts * (counts - 1) / 2).sum(axis=1), minlength=known.n_items)
    return np.where(pairs > 0, 1 - same / np.maximum(pairs, 1), np.nan)


def _counts(group: Codes, label: Codes) -> Codes:
    """Labels by group; only labels that occur have a column."""
    names, code = np.unique(label, return_inverse=True)
    n_groups = int(group.max()) + 1
    found: Codes = np.bincount(group * len(names) + code, minlength=n_groups * len(names)).reshape(n_groups, len(names))
    return found
