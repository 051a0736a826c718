"""Training a judge: labelled answers -> a directory that `trained:DIR` reads, and what to expect of it.

In: `Labelled` answers and which values are positive. Out: the classifier, and its agreement with people on answers that it did not
see: cross-validated by prompt, or with each group (say, each model) left out in turn.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from axenic.errors import UserError
from axenic.evals.judges.classifier import model as models
from axenic.evals.judges.classifier.labelled import Labelled, take, usable
from axenic.evals.judges.classifier.labels import Meaning
from axenic.findings import Agreement
from axenic.stats.agreement import compare

FOLDS = 5
FEWEST = 10
"""Answers of each class below which nothing is fitted."""
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trained:
    """A fitted judge, and what held-out answers say of it."""

    classifier: models.Classifier
    meaning: Meaning
    overall: Agreement
    by_group: tuple[Agreement, ...]  # `arm` is the group
    held_out: str  # how: "5 folds by prompt", "each group left out"
    counts: dict[str, int]  # label value -> rows
    skipped: int  # rows with an empty answer
    data_hash: str

    def save(self, directory: Path) -> None:
        """Write the judge."""
        description = {
            "judge": "trained",
            "positive_values": list(self.meaning.positive_values),
            "negative_values": list(self.meaning.negative_values),
            "positive": self.meaning.positive,
            "negative": self.meaning.negative,
            "threshold": 0.5,
            "data": {"hash": self.data_hash, "rows": self.counts, "skipped": self.skipped},
            "held_out": {"how": self.held_out, "overall": _numbers(self.overall), "groups": [_numbers(a) for a in self.by_group]},
        }
        models.save(self.classifier, directory, description)


def train(data: Labelled, meaning: Meaning, *, groups: Sequence[str] = ()) -> Trained:
    """Fit a judge on all rows, and measure it on rows held out.

    Args:
        data: Labelled answers.
        meaning: Which label values are positive.
        groups: One per row, e.g. the model that answered: each is held out in turn. Without, folds that share no prompt.

    Raises:
        UserError: Fewer than `FEWEST` answers of a class.
    """
    rows = usable(data)
    prompts, responses = take(data.prompts, rows), take(data.responses, rows)
    positive = np.array([data.labels[i] in meaning.positive_values for i in rows], dtype=bool)
    _require_both(positive, meaning, len(data))
    own = take(groups, rows) if groups else ()
    held_out = list(_splits(prompts, positive, own))
    predicted = np.zeros(len(rows), dtype=bool)
    for fitted, left in held_out:
        part = models.fit(take(prompts, fitted), take(responses, fitted), positive[fitted])
        predicted[left] = part.probabilities(take(prompts, left), take(responses, left)) > 0.5
    said = [meaning.positive if p else meaning.negative for p in predicted]
    people = [meaning.positive if p else meaning.negative for p in positive]
    clusters = prompts if any(prompts) else tuple(map(str, rows))

    def agreement(chosen: Sequence[int], group: str | None = None) -> Agreement:
        parts = [take(values, chosen) for values in (said, people, clusters)]
        found = compare(parts[0], parts[1], positive=meaning.positive, clusters=parts[2], judge="trained")
        return found.model_copy(update={"arm": group})

    return Trained(
        classifier=models.fit(prompts, responses, positive),
        meaning=meaning,
        overall=agreement(range(len(rows))),
        by_group=tuple(agreement([i for i, g in enumerate(own) if g == group], group) for group in sorted(set(own))),
        held_out="each group left out" if own else f"{len(held_out)} folds {'by prompt' if any(prompts) else 'of rows'}",
        counts=dict(sorted(Counter(data.labels).items())),
        skipped=len(data) - len(rows),
        data_hash=data.hash,
    )


def _require_both(positive: Bools, meaning: Meaning, rows: int) -> None:
    for values, n in ((meaning.positive_values, positive.sum()), (meaning.negative_values, (~positive).sum())):
        if n < FEWEST:
            raise UserError(
                f"Too few labelled answers: {int(n)} of the class '{' / '.join(values)}' (of {rows} rows); {FEWEST} are needed. "
                "Label more answers, or use a judge that needs no training: `axenic list judges`."
            )


def _splits(prompts: Sequence[str], positive: Bools, groups: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Row numbers to fit on and to test on. A fold without both classes to fit on cannot be fitted and is an error."""
    x = np.zeros(len(positive))
    if groups:
        if len(set(groups)) < 2:
            raise UserError(f"There is one group only ('{groups[0]}'), so none can be left out. Leave --group away.")
        made = LeaveOneGroupOut().split(x, positive, groups)
    else:
        by = list(prompts) if any(prompts) else list(map(str, range(len(positive))))
        n = min(FOLDS, *(len({g for g, p in zip(by, positive, strict=True) if p == side}) for side in (True, False)))
        if n < 2:
            raise UserError("All answers of one class are to one prompt: nothing can be held out. Label answers to more prompts.")
        made = StratifiedGroupKFold(n, shuffle=True, random_state=0).split(x, positive, by)
    splits = [(a.tolist(), b.tolist()) for a, b in made]
    if any(len(set(positive[a].tolist())) < 2 for a, _ in splits):
        raise UserError("Without one of the groups a single class is left, so that it cannot be held out. Leave --group away.")
    return splits


def _numbers(found: Agreement) -> dict[str, object]:
    keys = ("arm", "n", "kappa", "kappa_low", "kappa_high", "agreement", "prevalence", "bias", "bias_low", "bias_high", "confusion")
    return {key: getattr(found, key) for key in keys}
