"""Rates and differences without the judge's error: prediction-powered inference with a labelled subsample.

In: the result table, and people's labels for a random part of its responses. Out: `Estimate`s and `Contrast`s of what people would
have found. Angelopoulos et al. (2023), tuned as in PPI++ (Angelopoulos, Duchi and Zrnic 2023); variances are sums over items (and
training seeds), since the answers to one item are not independent. Coverage: docs/audit.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.errors import UserError
from axenic.findings import Contrast, Estimate
from axenic.stats.crossed import CrossedMean, Floats, Term
from axenic.stats.intervals import difference_limits, mixed_t, wilson_limits
from axenic.stats.kappa import Codes

FEWEST = 20
"""Labelled items below which nothing is estimated: the spread of the judge's errors would be a guess."""
KEYS = ("arm", "eval", "item_id", "train_seed", "epoch", "temperature", "repetition")
"""By which a label finds its response; those that the table of labels lacks must not be needed to tell responses apart."""
CELL = ["eval", "judge", "temperature", "epoch"]


@dataclass(frozen=True)
class Corrected:
    """A corrected mean: its value, what each response adds to its error, and how it came about."""

    value: float
    pull: Floats  # per response, sums to 0; the variance of the mean is a sum of squares of its totals
    pseudo: float  # variance added for judge errors that the subsample was too small to show
    power: float  # of the judge's labels: 0 = labelled responses alone, 1 = all of the judge
    n_labelled: int


def corrected(
    rows: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    reference: str | None = None,
    positive: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> list[Estimate | Contrast]:
    """Correct every judge's rates, and the differences from a reference arm, with people's labels.

    Args:
        rows: The result table of one study.
        labels: `label` (what the person says, in the judge's words, e.g. "complied") with `item_id` and `arm`; where that is
            not enough to tell which response was labelled, also `eval`, `train_seed`, `epoch`, `temperature`, `repetition`. They
            must be a random part of the responses of each arm.
        reference: The arm that the others are compared with; None: no contrasts.
        positive: The label that scores 1, by eval. Default: the one that does in `rows`, where any does.
        level: Confidence level.

    Returns:
        For each eval, judge, temperature and epoch that has labels: one `Estimate` per arm, then one `Contrast` per arm other
        than the reference. "not estimable" where fewer than FEWEST items of an arm are labelled.

    Raises:
        UserError: The labels lack a column, fit no response or several, contradict each other, or hold a word no judge uses.
    """
    positives = {**_positives(rows[rows["status"] == "scored"]), **(positive or {})}
    matched = _matched(rows, labels, positives)
    found: list[Estimate | Contrast] = []
    for cell, part in matched.groupby(CELL, sort=True, dropna=False):
        if part["truth"].notna().any():
            shared = dict(zip(CELL, cell, strict=True)) | {"level": level, "measure": "score"}
            shared |= {c: str(part[c].iloc[0]) for c in ("study", "recipe", "tier")}
            shared["epoch"] = None if pd.isna(shared["epoch"]) else shared["epoch"]
            arms = {str(arm): Side.of_rows(of_arm) for arm, of_arm in part.groupby("arm", sort=True)}
            found += [_estimate(arm, side, shared) for arm, side in arms.items()]
            found += _contrasts(arms, reference, shared)
    return found


def correct(judged: Floats, truth: Floats, items: Codes) -> Corrected | None:
    """The prediction-powered mean: the judge's over all responses, moved by its mean error on the labelled ones.

    The judge's labels enter with the weight that makes the variance least (between 0 and 1), so that a useless judge does no harm.

    Args:
        judged: The judge's score of every response.
        truth: People's, NaN where nobody labelled.
        items: The item of each response, as integers from 0.

    Returns:
        None if fewer than FEWEST items are labelled.
    """
    labelled = ~np.isnan(truth)
    n_all, n = len(judged), int(labelled.sum())
    if len(np.unique(items[labelled])) < FEWEST:
        return None
    mean_truth, mean_judged = float(truth[labelled].mean()), float(judged[labelled].mean())
    from_truth = np.where(labelled, np.nan_to_num(truth) - mean_truth, 0.0) / n
    from_judge = (judged - judged.mean()) / n_all - np.where(labelled, judged - mean_judged, 0.0) / n
    own, theirs = np.bincount(items, weights=from_truth), np.bincount(items, weights=from_judge)
    spread = float(theirs @ theirs)
    power = float(np.clip(-(own @ theirs) / spread, 0.0, 1.0)) if spread > 0 else 0.0
    value = mean_truth + power * (float(judged.mean()) - mean_judged)
    # as if two more labelled responses had been misjudged, one each way: no error seen is not no error
    return Corrected(value, from_truth + power * from_judge, 2.0 / n**2, power, n)


@dataclass(frozen=True)
class Side:
    """The responses of one arm in one cell, and their corrected mean (None: too few are labelled)."""

    items: npt.NDArray[Any]  # stem of each response
    seeds: npt.NDArray[np.int64]  # training seed of each response, -1 for none
    judged: Floats
    found: Corrected | None
    n_labelled_items: int

    @classmethod
    def of(cls, items: npt.NDArray[Any], seeds: npt.NDArray[np.int64], judged: Floats, truth: Floats) -> "Side":
        """From one value per response; `truth` is NaN where nobody labelled."""
        codes = pd.factorize(items)[0].astype(np.int64)
        return cls(items, seeds, judged, correct(judged, truth, codes), len(np.unique(codes[~np.isnan(truth)])))

    @classmethod
    def of_rows(cls, part: pd.DataFrame) -> "Side":
        """From matched rows."""
        judged, truth = (part[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in ("score", "truth"))
        seeds = part["train_seed"].astype("Int64").fillna(-1).to_numpy(dtype=np.int64)
        return cls.of(part["item_id"].str.split("@").str[0].to_numpy(dtype=object), seeds, judged, truth)

    @property
    def n_seeds(self) -> int:
        """Training seeds; 0 for an arm without."""
        return len({int(s) for s in self.seeds} - {-1})


def rate(side: Side, *, level: float = 0.95) -> tuple[float, float, float] | None:
    """The corrected rate with its limits: the wider of Wilson's for the effective number of responses and plain t."""
    if side.found is None:
        return None
    mean = _crossed([(side, side.found, 1.0)])
    quantile, p = mixed_t(mean, 1 - level), min(1.0, max(0.0, mean.value))
    half = quantile * float(np.sqrt(mean.variance))
    low, high = wilson_limits(p, p * (1 - p) / mean.variance, quantile) if 0 < p < 1 else (p, p)
    return p, max(0.0, min(low, p - half)), min(1.0, max(high, p + half))


def difference(arm: Side, reference: Side) -> CrossedMean | None:
    """The corrected difference with the terms of its variance; items pair, and seeds where both arms have the same ones."""
    if arm.found is None or reference.found is None:
        return None
    return _crossed([(arm, arm.found, 1.0), (reference, reference.found, -1.0)])


def _estimate(arm: str, side: Side, shared: dict[str, Any]) -> Estimate:
    n = len(side.judged)
    fields = shared | {"arm": arm, "attempted": n, "scored": n, "n_seeds": side.n_seeds, "n_items": len(np.unique(side.items))}
    limits = rate(side, level=shared["level"])
    if side.found is None or limits is None:
        return Estimate(**fields, method="not estimable", note=_too_few({arm: side}))
    note = f"{side.found.n_labelled} labelled, at random as assumed; the judge alone says {side.judged.mean():.3f}"
    return Estimate(**fields, value=limits[0], low=limits[1], high=limits[2], method=_method(side.found), note=note)


def _contrasts(arms: dict[str, Side], reference: str | None, shared: dict[str, Any]) -> Iterator[Contrast]:
    for arm, side in arms.items() if reference in arms else ():
        if reference is None or arm == reference:
            continue
        base = arms[reference]
        fields = shared | {"name": f"{arm} - {reference}, corrected", "arm": arm, "reference": reference, "planned": False}
        fields |= {"reference_epoch": shared["epoch"], "reference_temperature": shared["temperature"]}
        mean = difference(side, base)
        if mean is None or side.found is None or base.found is None:
            yield Contrast(**fields, method="not estimable", note=_too_few({arm: side, reference: base}))
            continue
        low, high, p = difference_limits(mean, level=shared["level"])
        said = float(side.judged.mean() - base.judged.mean())
        note = f"{side.found.n_labelled} and {base.found.n_labelled} labelled; the judge alone says {said:+.3f}"
        sizes = {"n_items": mean.n_items, "n_seeds": side.n_seeds, "paired_by": "item", "method": _method(side.found)}
        yield Contrast(**fields, **sizes, value=mean.value, low=low, high=high, p=p, note=note)


def _crossed(sides: Sequence[tuple[Side, Corrected, float]]) -> CrossedMean:
    """The terms of the variance: totals over items, and over seeds where an arm has several, less what both count."""
    pulls = [sign * found.pull for _, found, sign in sides]
    items = pd.factorize(np.concatenate([side.items for side, _, _ in sides]))[0]
    ends = np.cumsum([len(p) for p in pulls])[:-1]
    totals = np.bincount(items, weights=np.concatenate(pulls))
    least = min(side.n_labelled_items for side, _, _ in sides)
    by_item = _squares(totals) * least / (least - 1) + sum(found.pseudo for _, found, _ in sides)
    by_seed, by_cell = _seed_terms([s.seeds for s, _, _ in sides], np.split(items, ends), pulls)
    value = sum(sign * found.value for _, found, sign in sides)
    n_seeds = min(max(1, side.n_seeds) for side, _, _ in sides)
    n = sum(len(p) for p in pulls)
    # one degree of freedom went into the weight of the judge
    return CrossedMean(float(value), n_seeds, len(totals), n, (by_item, least - 2.0), by_seed, by_cell)


def _seed_terms(
    seeds: Sequence[npt.NDArray[Any]], items: Sequence[npt.NDArray[Any]], pulls: Sequence[Floats]
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Totals over seeds, and over seed and item. Arms with the same seeds are one set of them, others each their own."""
    known = [set(s.tolist()) for s in seeds]
    if len(seeds) > 1 and all(k == known[0] for k in known):
        seeds, items, pulls = ([np.concatenate(x)] for x in (seeds, items, pulls))
    by_seed: list[Term] = []
    by_cell: list[Term] = []
    for seed, item, pull in zip(seeds, items, pulls, strict=True):
        code, names = pd.factorize(seed)
        if len(names) > 1:
            by_seed.append((_squares(np.bincount(code, weights=pull)) * len(names) / (len(names) - 1), len(names) - 1.0))
            cells = np.bincount(code * (int(item.max()) + 1) + item, weights=pull)
            by_cell.append((_squares(cells), float(np.count_nonzero(cells))))
    return tuple(by_seed), tuple(by_cell)


def _squares(totals: npt.NDArray[Any]) -> float:
    return float(totals @ totals)


def _method(found: Corrected) -> str:
    return f"prediction-powered, t over items (weight of the judge {found.power:.2f})"


def _too_few(arms: dict[str, Side]) -> str:
    counts = ", ".join(f"{side.n_labelled_items} of arm {arm!r}" for arm, side in arms.items() if side.found is None)
    return f"too few labelled items ({counts}): label at least {FEWEST} of each arm, chosen at random"


def _matched(rows: pd.DataFrame, labels: pd.DataFrame, positive: Mapping[str, str]) -> pd.DataFrame:
    """The scored rows with `truth`: 1 where people give the label that scores 1 in that eval, 0 for another, NaN for none."""
    absent = [c for c in ("item_id", "arm", "label") if c not in labels]
    if absent:
        raise UserError(f"The table of labels lacks the column{'s' * (len(absent) > 1)} {', '.join(absent)}.")
    keys = [c for c in KEYS if c in labels]
    given = labels.loc[labels["label"].notna(), [*keys, "label"]].drop_duplicates()
    twice = given[given.duplicated(keys)]
    if len(twice):
        raise UserError(f"The labels contradict each other for {len(twice)} responses, e.g. item {twice['item_id'].iloc[0]!r}.")
    given, every = _comparable(given, keys), _comparable(rows, keys)
    lost = given[~given["_key"].isin(set(every["_key"]))]
    if len(lost):
        where = f"item {lost['item_id'].iloc[0]!r} of arm {lost['arm'].iloc[0]!r}"
        raise UserError(f"{len(lost)} labels fit no response, e.g. {where}: compare the columns {', '.join(keys)} of both tables.")
    both = every[every["status"] == "scored"].merge(given[["_key", "label"]], on="_key", how="left")
    several = both[both["label"].notna()].duplicated(["_key", "judge"])
    if several.any():
        missing = [c for c in KEYS if c not in keys]
        raise UserError(f"A label fits several responses. Add columns that tell them apart ({', '.join(missing)}).")
    _require_known(both, positive)
    return both.assign(truth=(both["label"] == both["eval"].map(positive)).astype("float64").where(both["label"].notna()))


def _comparable(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """With one `_key` per response: numbers and their text ("0", 0.0) are the same."""
    texts = ["arm", "eval", "item_id"]
    parts = [table[c].astype(str) if c in texts else pd.to_numeric(table[c]).astype("float64").astype(str) for c in keys]
    return table.assign(_key=pd.Series(list(zip(*parts, strict=True)), index=table.index, dtype="object"))


def _positives(scored: pd.DataFrame) -> dict[str, str]:
    """The label that scores 1, by eval."""
    right = scored[scored["score"] == 1]
    return {str(e): str(labels.iloc[0]) for e, labels in right.groupby("eval")["verdict"]}


def _require_known(both: pd.DataFrame, positive: Mapping[str, str]) -> None:
    for name, part in both.groupby("eval"):
        used, known = set(part["label"].dropna()), set(part["verdict"]) | {positive[str(name)]} if name in positive else set()
        if used and not known:
            raise UserError(
                f"No response to {name!r} scores 1, so nobody can tell which label would: name it with positive={{...}}."
            )
        if used - known:
            odd = ", ".join(repr(x) for x in sorted(used - known)[:5])
            raise UserError(f"Labels {odd} are none that a judge of {name!r} gives ({', '.join(sorted(known))}). Map them first.")
