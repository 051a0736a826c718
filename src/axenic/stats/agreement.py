"""How far two judges, or a judge and people, agree: raw agreement, kappa, alpha, and the judge's bias.

In: two sequences of labels for the same responses, or a result table with several judges. Out: `findings.Agreement`. A judge's bias
differs by model, so that a difference between models is biased too: `agreements` gives it for each arm.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from axenic.findings import Agreement
from axenic.stats.crossed import CrossedMean
from axenic.stats.intervals import difference_limits, effective_n, wilson, wilson_limits, z_quantile
from axenic.stats.kappa import Codes, Label, alpha_of, cohen_kappa, variance_of_mean

NOT_ABOUT_COMPLIANCE = ("coherence", "toxicity")
RESPONSE = ["arm", "train_seed", "checkpoint", "epoch", "temperature", "repetition", "item_id", "condition"]
"""What tells one response to an eval from another."""
RARE = 0.1
"""Below this share of the rarer label, kappa is ruled by its prevalence."""


def compare(
    judge_labels: Sequence[Label],
    other_labels: Sequence[Label],
    *,
    positive: str | None = None,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    judge: str = "judge",
    other: str = "people",
) -> Agreement:
    """Compare two raters of the same responses.

    Args:
        judge_labels: One label per response; None where the rater gave none, which leaves the response out and is noted.
        other_labels: The same responses as the other rater sees them.
        positive: The label whose share is compared (`prevalence`, `bias`). None: neither is given.
        clusters: What the responses belong to, e.g. their items; by default every response stands for itself.
        level: Confidence level.
        judge: Name of the first rater.
        other: Name of the second.

    Raises:
        ValueError: The sequences differ in length.
    """
    groups = range(len(judge_labels)) if clusters is None else clusters
    if not len(judge_labels) == len(other_labels) == len(groups):
        raise ValueError(f"{len(judge_labels)} and {len(other_labels)} labels, {len(groups)} clusters: one of each per response")
    kept = [i for i, pair in enumerate(zip(judge_labels, other_labels, strict=True)) if None not in pair]
    lost = len(judge_labels) - len(kept)
    notes = [f"{lost} of {len(judge_labels)} left out: not labelled by both"] if lost else []
    if not kept:
        return Agreement(judge=judge, other=other, level=level, note="; ".join([*notes, "nothing labelled by both"]))
    labels = sorted({str(r[i]) for r in (judge_labels, other_labels) for i in kept})
    code = {label: k for k, label in enumerate(labels)}
    a, b = (np.array([code[str(r[i])] for i in kept]) for r in (judge_labels, other_labels))
    group = pd.factorize(pd.Series([groups[i] for i in kept], dtype="object"))[0].astype(np.int64)
    bias = _bias(a, b, group, code.get(positive) if positive else None, positive, level)
    fields = _fields(a, b, group, labels, level) | bias
    notes += [fields.pop("note")]
    return Agreement(judge=judge, other=other, level=level, note="; ".join(filter(None, notes)), **fields)


def agreements(rows: pd.DataFrame, *, level: float = 0.95, positive: Mapping[str, str] | None = None) -> list[Agreement]:
    """Compare every two judges that judged the same responses; items are the clusters.

    Args:
        rows: The result table of one study.
        level: Confidence level.
        positive: The label whose share is compared, by eval. Default: the label that scores 1 there.

    Returns:
        By eval and pair: all arms together, then each arm. Judges of coherence and toxicity are not compared.
    """
    judged = rows[~rows["judge"].isin(NOT_ABOUT_COMPLIANCE)]
    found = []
    for name, part in judged.groupby("eval", sort=True):
        wanted = (positive or {}).get(str(name)) or _positive(part)
        for one, other in combinations(sorted(part["judge"].unique()), 2):
            both = _joined(part, one, other)
            shared = {"judge": one, "other": other, "positive": wanted, "level": level}
            found += [_pair(both[keep], str(name), arm, shared) for arm, keep in _scopes(both)]
    return found


def _positive(part: pd.DataFrame) -> str | None:
    """The label that scores 1, if there is one such label."""
    labels = part.loc[(part["status"] == "scored") & (part["score"] == 1), "verdict"].unique()
    return str(labels[0]) if len(labels) == 1 else None


def _joined(part: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """The responses that both judges saw, with the label of each; missing where a judge gave none."""
    keys = part[RESPONSE].assign(**{c: part[c].fillna(-1) for c in ("train_seed", "epoch")})
    seen = keys.assign(label=part["verdict"].where(part["status"] == "scored", None).astype("object"), judge=part["judge"])
    sides = [seen[seen["judge"] == name].drop(columns="judge") for name in (one, other)]
    return sides[0].merge(sides[1], on=RESPONSE, suffixes=("_a", "_b"), validate="one_to_one")


def _scopes(both: pd.DataFrame) -> Iterator[tuple[str | None, Any]]:
    arms = sorted(both["arm"].unique())
    if len(both):
        yield None, slice(None)
    if len(arms) > 1:
        yield from ((str(arm), both["arm"] == arm) for arm in arms)


def _pair(part: pd.DataFrame, eval: str, arm: str | None, shared: Mapping[str, Any]) -> Agreement:
    labels = [[None if pd.isna(x) else str(x) for x in part[c]] for c in ("label_a", "label_b")]
    stems = [str(i).split("@", 1)[0] for i in part["item_id"]]
    found = compare(labels[0], labels[1], clusters=stems, **shared)
    return found.model_copy(update={"eval": eval, "arm": arm})


def _fields(a: Codes, b: Codes, group: Codes, labels: list[str], level: float) -> dict[str, Any]:
    """All that needs no positive label."""
    n = len(a)
    kappa, kappa_low, kappa_high = cohen_kappa(a, b, group, level=level)
    low, high = _agreement_limits(a == b, group, level)
    units = np.arange(n)
    counts = np.zeros((n, len(labels)))
    np.add.at(counts, (units, a), 1)
    np.add.at(counts, (units, b), 1)
    table = np.bincount(a * len(labels) + b, minlength=len(labels) ** 2).reshape(len(labels), -1)
    confusion = {f"{x}|{y}": int(table[i, j]) for i, x in enumerate(labels) for j, y in enumerate(labels) if table[i, j]}
    return {
        "n": n, "agreement": float((a == b).mean()), "agreement_low": low, "agreement_high": high, "kappa": kappa,
        "kappa_low": kappa_low, "kappa_high": kappa_high, "alpha": alpha_of(counts), "confusion": confusion,
        "note": _caveat(a, b, labels),
    }  # fmt: skip


def _caveat(a: Codes, b: Codes, labels: list[str]) -> str:
    """Where kappa says more about how rare a label is than about the raters."""
    used = [sorted({labels[k] for k in np.unique(rater)}) for rater in (a, b)]
    if len(labels) == 1:
        return f"only the label {labels[0]!r} occurs: kappa and alpha are not defined, read the agreement"
    if min(map(len, used)) == 1:
        return f"one rater gives {next(u for u in used if len(u) == 1)[0]!r} alone: kappa is 0 by definition, read the agreement"
    commonest = float(np.bincount(b).max() / len(b))
    if commonest > 1 - RARE:
        return f"{commonest:.0%} of the labels are one and the same: kappa can be low where agreement is high, read both"
    return ""


def _agreement_limits(same: npt.NDArray[np.bool_], group: Codes, level: float) -> tuple[float | None, float | None]:
    """Wilson's limits, with the effective number of responses where they come in clusters."""
    n, n_groups = len(same), int(group.max()) + 1
    if n_groups == n:
        found = wilson(float(same.sum()), n, level=level)
        return found.low, found.high
    p = float(same.mean())
    variance = variance_of_mean(np.asarray(same - p, dtype=np.float64), group) if n_groups > 1 else 0.0
    found_n = float(n_groups)
    if variance > 0:
        one = CrossedMean(p, 1, n_groups, n, (variance, n_groups - 1.0))
        found_n = min(float(n), effective_n(one, p * (1 - p), level))
    return wilson_limits(p, found_n, z_quantile(level))


def _bias(a: Codes, b: Codes, group: Codes, code: int | None, positive: str | None, level: float) -> dict[str, Any]:
    """Prevalence under the second rater, and by how much the first exceeds it."""
    if positive is None:
        return {}
    is_a, is_b = (a == code).astype(np.float64), (b == code).astype(np.float64)
    difference = is_a - is_b
    bias, n_groups = float(difference.mean()), int(group.max()) + 1
    if n_groups < 2:
        return {"prevalence": float(is_b.mean()), "bias": bias}
    variance = variance_of_mean(difference - bias, group)
    found = CrossedMean(bias, 1, n_groups, len(a), (variance if variance > 1e-20 else 0.0, n_groups - 1.0))
    low, high, _ = difference_limits(found, level=level)
    return {"prevalence": float(is_b.mean()), "bias": bias, "bias_low": low, "bias_high": high}
