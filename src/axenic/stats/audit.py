"""Is a fine-tune worse than its base, not worse than a margin, or can nobody tell yet? One verdict per harm, and one for all.

In: the result table of a base and its fine-tunes, and what counts as harm. Out: `findings.Audit`s. Worse: the lower limit of the
harm is above 0. Not worse: its upper limit is below the margin (non-inferiority; Schuirmann 1987). Each is a one-sided test of
size (1 - level) / 2; how they combine is in docs/audit.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from axenic.errors import UserError
from axenic.findings import OVERALL, Audit, Contrast, Items
from axenic.stats.contrasts import Planned, compare
from axenic.stats.crossed import CrossedMean
from axenic.stats.harm import HarmMean, Share, share_limits
from axenic.stats.multiple import holm
from axenic.stats.needed import MOST_ITEMS, Needed, least, needed

Verdict = Literal["worse", "not worse", "cannot tell"]
TUNED = "tuned"
"""The arm that several fine-tunes are pooled into, as its training seeds."""
POWER = 0.8


class Harm(NamedTuple):
    """A measure whose change in one direction is a harm."""

    eval: str
    measure: str
    direction: Literal["up", "down"]
    judge: str | None = None  # None = the only one there is


@dataclass(frozen=True)
class Terms:
    """What a verdict is measured by."""

    margin: float = 0.02
    level: float = 0.95
    items: Items = "sampled"


def audit(rows: pd.DataFrame, *, base: str, tuned: Sequence[str], harms: Sequence[Harm], terms: Terms = Terms()) -> list[Audit]:
    """Judge the fine-tunes of one base.

    Several fine-tunes, be they training seeds of one arm or several arms of one run each, are taken for runs of one recipe: they
    are judged together as the arm "tuned" (a verdict on the recipe, which allows for other runs), then each run by itself.

    Args:
        rows: The result table.
        base: The arm before fine-tuning, one run.
        tuned: The arms after it.
        harms: What is compared, at every temperature there is.
        terms: The margin, the level, and whether the items are a sample of more or all that matter.

    Returns:
        Per arm: one record per harm and temperature, then the overall verdict (`eval` is OVERALL).

    Raises:
        UserError: The margin is not in (0, 1), or nothing of a harm is in the table.
        ValueError: The arms were asked different items.
    """
    if not 0 < terms.margin < 1:
        raise UserError(f"The margin must lie between 0 and 1 (0.02 is 2 points), got {terms.margin:g}.")
    found: list[Audit] = []
    for arm, part in _arms(rows, base, tuned):
        judges = Counter(harm.eval for harm in harms)
        verdicts = [one for harm in harms for one in _one_harm(part, arm, base, harm, terms, name_judge=judges[harm.eval] > 1)]
        found += [*verdicts, overall(verdicts)]
    return found


def overall(audits: Sequence[Audit]) -> Audit:
    """One verdict over all harms of an arm.

    Worse if any harm is worse after Holm's adjustment; not worse only if every harm is not worse, which needs no adjustment, since
    all have to pass; else nobody can tell.
    """
    first = audits[0]
    alpha = (1 - first.level) / 2
    adjusted = holm([a.p_worse for a in audits])
    worse = [a for a, p in zip(audits, adjusted, strict=True) if p is not None and p <= alpha]
    open_ = [a for a in audits if a.verdict != "not worse"]
    verdict: Verdict = "worse" if worse else "cannot tell" if open_ else "not worse"
    text = " ".join(a.text for a in worse or open_)
    if verdict == "not worse":
        text = f"None of the {len(audits)} checks leaves room for a harm of {_points(first.margin)} points."
    shaky = [_name(a) for a in audits if a.verdict == "worse" and a not in worse]
    if shaky:
        text += f" ({', '.join(shaky)}: worse taken alone, but not after allowing for {len(audits)} checks.)"
    known = [p for p in adjusted if p is not None]
    return Audit(
        arm=first.arm, reference=first.reference, eval=OVERALL, measure="any harm", verdict=verdict, margin=first.margin,
        level=first.level, p_worse=min(known, default=None),
        p_not_worse=None if any(a.p_not_worse is None for a in audits) else max(a.p_not_worse or 0.0 for a in audits),
        needed_items=max((a.needed_items or 0 for a in open_), default=0) or None if verdict == "cannot tell" else None,
        needed_seeds=max((a.needed_seeds or 0 for a in open_), default=0) or None if verdict == "cannot tell" else None,
        text=text, method=f"Holm over {len(known)} tests for worse; all must pass for not worse",
    )  # fmt: skip


def _arms(rows: pd.DataFrame, base: str, tuned: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """All fine-tunes as one arm, then each run; every time with the base."""
    missing = [arm for arm in (base, *tuned) if arm not in set(rows["arm"])]
    if missing or not tuned:
        raise UserError(f"The result table has no arm {', '.join(map(repr, missing)) or 'that was tuned'}.")
    before = rows[rows["arm"] == base]
    after = pd.concat([_last(rows[rows["arm"] == arm]) for arm in tuned], ignore_index=True)
    runs = after.groupby(["arm", "train_seed"], sort=False, dropna=False).ngroup()
    name = tuned[0] if len(tuned) == 1 else TUNED
    pooled = after.assign(arm=name, train_seed=runs.astype("Int64"), epoch=0.0)
    yield name, pd.concat([before, pooled], ignore_index=True)
    for run in range(int(runs.max()) + 1 if runs.max() else 0):
        alone = f"{name} (run {run + 1})"
        yield alone, pd.concat([before, pooled[runs == run].assign(arm=alone)], ignore_index=True)


def _last(part: pd.DataFrame) -> pd.DataFrame:
    return part[part["epoch"].fillna(0.0) == part["epoch"].fillna(0.0).max()]


def _one_harm(rows: pd.DataFrame, arm: str, base: str, harm: Harm, terms: Terms, *, name_judge: bool) -> Iterator[Audit]:
    """A verdict per temperature; what tells it from others of the same eval stands in its name."""
    asked = rows[rows["eval"] == harm.eval]
    asked = asked if harm.judge is None else asked[asked["judge"] == harm.judge]
    if asked.empty:
        raise UserError(f"Nothing was asked of {harm.eval!r}{f' by the judge {harm.judge!r}' if harm.judge else ''}.")
    temperatures = sorted(asked["temperature"].unique())
    for temperature in temperatures:
        part = asked[asked["temperature"] == temperature]
        plan = Planned(
            name=harm.eval, arm=arm, reference=base, eval=harm.eval, measure=harm.measure, temperature=float(temperature)
        )
        contrast, mean = compare(part, [plan], level=terms.level)[0]
        worst = _worst_case(part, plan, base, harm, terms)
        marks = [f"T={temperature:g}"] * (len(temperatures) > 1) + [f"{harm.judge}"] * name_judge
        called = harm._replace(eval=f"{harm.eval} ({', '.join(marks)})" if marks else harm.eval)
        yield _verdict(contrast, _harm(mean, part, base, harm, terms), called, terms, worst)


def _harm(mean: CrossedMean | None, rows: pd.DataFrame, base: str, harm: Harm, terms: Terms) -> HarmMean | None:
    """The difference as harm; with fixed items only seeds are a sample, and a spread over them is needed."""
    if mean is None:
        return None
    sign = 1.0 if harm.direction == "up" else -1.0
    turned = replace(mean, value=sign * mean.value)
    if terms.items == "fixed":
        fixed = replace(turned, items=(0.0, 0.0), residual=(), n_items=mean.n_seeds)
        return HarmMean(fixed) if mean.seeds else None
    scored = rows[rows["status"] == "scored"]
    stems = scored["item_id"].str.split("@").str[0]
    by_item = scored["score"].groupby([scored["arm"] == base, stems]).mean().unstack(0).dropna()
    change = sign * (by_item[False] - by_item[True]).to_numpy(dtype=np.float64)
    answers = int((scored["arm"] != base).sum())
    return HarmMean(turned, Share.of(change.clip(min=0), most=answers), Share.of((-change).clip(min=0), most=answers))


def _worst_case(rows: pd.DataFrame, plan: Planned, base: str, harm: Harm, terms: Terms) -> float | None:
    """The upper limit had every missing answer of the fine-tune been harmful, and none of the base's; None: nothing is missing."""
    lost = rows["status"] != "scored"
    if not lost.any():
        return None
    bad = 1.0 if harm.direction == "up" else 0.0
    score = rows["score"].where(~lost, (rows["arm"] != base).map({True: bad, False: 1.0 - bad}))
    filled = rows.assign(score=score, status="scored")
    found = _harm(compare(filled, [plan], level=terms.level)[0][1], filled, base, harm, terms)
    return 1.0 if found is None else found.limits(terms.level)[1]


def _verdict(contrast: Contrast, found: HarmMean | None, harm: Harm, terms: Terms, worst: float | None) -> Audit:
    sign = 1.0 if harm.direction == "up" else -1.0
    value = None if contrast.value is None else sign * contrast.value + 0.0  # no negative zero
    shared = Audit(
        arm=contrast.arm, reference=contrast.reference, eval=harm.eval, measure=harm.measure, verdict="cannot tell", harm=value,
        margin=terms.margin, level=terms.level, method=contrast.method, note=contrast.note,
    )  # fmt: skip
    if found is None:
        return shared.model_copy(update=_nothing(contrast, harm, terms))
    low, high = found.limits(terms.level)
    verdict: Verdict = "worse" if low > 0 else "not worse" if high < terms.margin else "cannot tell"
    lost = verdict == "not worse" and worst is not None and worst >= terms.margin
    verdict = "cannot tell" if lost else verdict
    more = _more(found, terms) if verdict == "cannot tell" and not lost else Needed(None, None)
    fields: dict[str, Any] = {
        "verdict": verdict, "low": low, "high": high, "needed_items": more.items, "needed_seeds": more.seeds,
        "p_worse": found.p_worse(), "p_not_worse": found.p_not_worse(terms.margin),
    }  # fmt: skip
    if terms.items == "fixed":
        fields["method"] = f"t on {found.found.n_seeds} seed means, items fixed"
    judged = shared.model_copy(update=fields)
    return judged.model_copy(update={"text": _lost_text(judged) if lost else _text(judged, contrast)})


def _more(harm: HarmMean, terms: Terms) -> Needed:
    """How many more, if the true change is the one observed: to the verdict that is then nearer; luck is not counted on."""
    found, seen = harm.found, max(harm.value, 0.0)
    to_worse = seen > terms.margin / 2
    total = needed(found, distance=seen if to_worse else terms.margin - seen, level=terms.level, power=POWER)
    if terms.items == "fixed":  # more seeds are all that could help
        seeds = total.items if found.variance == 0 else total.seeds
        return Needed(None, None if seeds is None else max(1, seeds - found.n_seeds))
    items = None if total.items is None else max(total.items, _exact_items(harm, terms, to_worse=to_worse) or 0)
    more = None if items is None else max(1, items - found.n_items)
    return Needed(more, None if total.seeds is None else max(1, total.seeds - found.n_seeds))


def _exact_items(harm: HarmMean, terms: Terms, *, to_worse: bool) -> int | None:
    """Items at which the exact limits of the same shares would clear the bound."""
    if harm.worse is None or harm.better is None:
        return None
    worse, better = harm.worse, min(harm.better, harm.worse, key=lambda share: share.mean)

    def clears(n: int) -> bool:
        factor = n / harm.found.n_items
        low, high = share_limits(worse.times(factor), better.times(factor), level=terms.level)
        return low > 0 if to_worse else high < terms.margin

    return least(clears, MOST_ITEMS)


def _nothing(contrast: Contrast, harm: Harm, terms: Terms) -> dict[str, str]:
    why = contrast.note or "nothing was scored in both arms"
    if contrast.low is not None and terms.items == "fixed":
        why = "with fixed items and one run nothing is repeated; give several fine-tunes, or take the items as sampled"
    return {"method": "not estimable", "text": f"Cannot tell whether {harm.eval} changed: {why}."}


def _name(one: Audit) -> str:
    return f"{one.eval} ({one.measure})"


def _points(value: float, *, sign: bool = False) -> str:
    return f"{100 * value:+.1f}" if sign else f"{100 * value:g}"


def _text(one: Audit, contrast: Contrast) -> str:
    """The verdict in a sentence, with what it rests on."""
    assert one.harm is not None and one.low is not None and one.high is not None
    interval = f"[{_points(one.low, sign=True)}, {_points(one.high, sign=True)}]"
    moved = f"{one.measure} changed by {_points(contrast.value or 0.0, sign=True)} points, harm {interval}"
    margin = _points(one.margin)
    if one.verdict == "worse":
        by = (
            f"by more than the margin of {margin} points" if one.low > one.margin
            else f"but by less than the margin of {margin} points" if one.high < one.margin
            else f"though it is open whether by more than the margin of {margin} points"
        )  # fmt: skip
        return f"Worse on {one.eval}, {by}: {moved}."
    if one.verdict == "not worse":
        return f"Not worse on {one.eval}: {moved}, below the margin of {margin} points."
    return f"Cannot tell yet on {one.eval}: {moved}. {_wanted(one)}"


def _wanted(one: Audit) -> str:
    ways = [
        f"{one.needed_items:,} more items" if one.needed_items else "",
        f"{one.needed_seeds:,} more fine-tuning run{'s' * (one.needed_seeds != 1)}" if one.needed_seeds else "",
    ]
    named = " or ".join(filter(None, ways))
    if named:
        return f"You need about {named} of the same kind."
    return "No number of items or runs alone settles it at this margin: ask more of both, or widen the margin."


def _lost_text(one: Audit) -> str:
    return (
        f"Cannot tell on {one.eval}: the answers that were scored leave no room for a harm of {_points(one.margin)} points, but "
        "were the missing ones all harmful, they would. See why they are missing."
    )
