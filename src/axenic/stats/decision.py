"""The decision study: how many seeds, repetitions and items it takes to resolve a difference, and what to run next.

In: the result table. Out: `findings.Decision` records per arm, eval, temperature and judge at the last epoch, for the test that
`stats.contrasts` makes. The components of the difference between an arm and its reference are carried to other numbers of seeds,
repetitions and items (Brennan 2001, ch. 4); power is that of a noncentral t.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from axenic.findings import Decision, Items
from axenic.stats.crossed import CrossedMean, Floats, has_score
from axenic.stats.cube import at_last_epoch, cube, without_derived
from axenic.stats.design import fill, too_sparse
from axenic.stats.intervals import mixed_t
from axenic.stats.mean_squares import mean_squares
from axenic.stats.tables import Codes, Table

SEED_COST = 1000.0
"""What training one more seed costs, counted in responses: a default, not a measurement."""
SEEDS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
REPETITIONS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)
MORE_ITEMS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True)
class Goal:
    """What is to be resolved, and what it may cost."""

    target: float = 0.02
    power: float = 0.8
    level: float = 0.95
    items: Items = "sampled"
    seed_cost: float = SEED_COST


@dataclass(frozen=True)
class Plan:
    """Numbers of one design, for each of its arms that is trained."""

    seeds: int
    repetitions: int
    items: int

    def __str__(self) -> str:
        return ", ".join(f"{n} {unit}{'s' if n != 1 else ''}" for n, unit in zip(
            (self.seeds, self.repetitions, self.items), ("seed", "repetition", "item"), strict=True))  # fmt: skip


@dataclass(frozen=True)
class Components:
    """Variance of the difference in one response, by source; all at least 0."""

    seed: float  # of both arms together where both are trained
    item: float  # arm x item: how differently the items respond
    seed_item: float
    repetition: float  # within seed and item
    reference_repetition: float = 0.0  # of a reference that is one run
    sides: int = 1  # sets of seeds: 2 where arm and reference have seeds of their own

    def expected(self, plan: Plan, items: Items) -> CrossedMean:
        """The mean difference as `contrasts` would see it: its terms at their expectations, with their degrees of freedom."""
        s, r, i = plan.seeds, plan.repetitions, plan.items
        cell = (self.seed_item + self.repetition / r) / (s * i)
        by_item = self.item / i + cell + self.reference_repetition / (r * i)
        one = CrossedMean(0.0, s, i, s * i, (by_item, i - 1.0))
        if s == 1:
            return one
        share, df = 1 / self.sides, s - 1.0
        if items == "fixed":
            still = by_item - self.item / i
            return replace(one, items=(0.0, i - 1.0), seeds=(((self.seed / s + still) * share, df),) * self.sides)
        return replace(
            one, seeds=(((self.seed / s + cell) * share, df),) * self.sides, residual=((cell * share, df * (i - 1)),) * self.sides
        )


def power_of(target: float, expected: CrossedMean, *, level: float) -> float:
    """Power of the two-sided test of `contrasts` for a true difference of `target`."""
    if expected.variance <= 0:
        return 1.0 if target else 1 - level
    quantile, shift = mixed_t(expected, 1 - level), target / float(np.sqrt(expected.variance))
    found = stats.nct.sf(quantile, expected.df, shift) + stats.nct.cdf(-quantile, expected.df, shift)
    return float(found) if np.isfinite(found) else float(special.ndtr(shift - quantile))


def detectable(expected: CrossedMean, *, power: float, level: float) -> float | None:
    """The smallest difference with this power; None if it is more than 1 or nothing varies."""
    if expected.variance <= 0 or power_of(1.0, expected, level=level) < power:
        return None
    return float(optimize.brentq(lambda d: power_of(d, expected, level=level) - power, 0.0, 1.0, xtol=1e-5))


def cheapest(parts: Components, present: Plan, goal: Goal) -> tuple[Plan | None, Plan | None]:
    """The cheapest design on at most the present items; where there is none, the cheapest with more items."""
    least = present.items if goal.items == "fixed" else min(20, present.items)
    sizes = sorted({max(least, int(present.items * f)) for f in (0.1, 0.25, 0.5, 0.75, 1.0)})
    best = _search(parts, sizes, goal)
    more = [int(np.ceil(present.items * f)) for f in MORE_ITEMS]
    return best, None if best or goal.items == "fixed" else _search(parts, more, goal)


def _search(parts: Components, sizes: list[int], goal: Goal) -> Plan | None:
    """The first of all plans, cheap to dear, with the wanted power."""
    repetitions = REPETITIONS if parts.repetition + parts.reference_repetition > 0 else (1,)
    plans = [Plan(s, r, i) for s in SEEDS for r in repetitions for i in sizes]
    least = float(special.ndtri((1 + goal.level) / 2) + special.ndtri(goal.power))  # no t-test has more power than the normal one
    for plan in sorted(plans, key=lambda p: (_cost(p, goal), p.seeds)):
        expected = parts.expected(plan, goal.items)
        enough = goal.target >= least * np.sqrt(expected.variance)
        if enough and power_of(goal.target, expected, level=goal.level) >= goal.power:
            return plan
    return None


def _cost(plan: Plan, goal: Goal) -> float:
    """Responses of one arm, and what its seeds cost."""
    return plan.seeds * (goal.seed_cost + plan.repetitions * plan.items)


def next_run(parts: Components, present: Plan, goal: Goal) -> str:
    """Where one more unit of cost lowers the variance of the difference most; a second seed always comes first."""
    if present.seeds < 2:
        return "a second training seed"
    steps = {"another training seed": replace(present, seeds=present.seeds + 1)}
    if parts.repetition + parts.reference_repetition > 0:
        steps["another repetition"] = replace(present, repetitions=present.repetitions + 1)
    if goal.items == "sampled":
        steps["more items"] = replace(present, items=present.items + max(1, present.items // 10))
    now = parts.expected(present, goal.items).variance

    def gain(name: str) -> float:
        saved = now - parts.expected(steps[name], goal.items).variance
        return saved / (_cost(steps[name], goal) - _cost(present, goal))

    return str(max(steps, key=gain))


def decisions(
    rows: pd.DataFrame, *, target: float = 0.02, power: float = 0.8, level: float = 0.95, items: Items = "sampled",
    references: Mapping[str, str] | None = None, seed_cost: float = SEED_COST,
) -> list[Decision]:  # fmt: skip
    """A decision study for every arm, eval, temperature and judge.

    Args:
        rows: The result table of one study.
        target: The difference to resolve, in units of the score.
        power: Wanted chance to find it significant.
        level: Confidence level of that test.
        items: Whether the difference is to hold for new items ("sampled") or on these ("fixed").
        references: The arm that each arm is compared with. Default: the arm without training seeds, or the one called "base"; where
            there is none, a second arm like this one, with seeds of its own.
        seed_cost: Cost of training one seed, in responses.

    Raises:
        ValueError: The rows are of several studies or repeat a response.
    """
    goal = Goal(target, power, level, items, seed_cost)
    return decisions_of(Table.of(rows), goal, references)


def decisions_of(table: Table, goal: Goal, references: Mapping[str, str] | None = None) -> list[Decision]:
    """`decisions` of a coded table."""
    shared: dict[str, Any] = {c: table.only(c) for c in ("study", "recipe", "tier")}
    shared |= {"target": goal.target, "power": goal.power, "level": goal.level, "items": goal.items}
    every = without_derived(table)
    default = base_arm(table, every)
    last = [at_last_epoch(table, part) for _, part in table.groups(("arm", "eval"), every)]
    index = np.sort(np.concatenate(last)) if last else every
    found = []
    for labels, cell in table.groups(("eval", "temperature", "judge"), index):
        sides = {side["arm"]: part for side, part in table.groups(("arm",), cell)}
        for arm in sides:
            reference = (references or {}).get(arm, default)
            reference = reference if reference in sides and reference != arm else ""
            if default and arm == default and not reference and len(sides) > 1:
                continue
            fields = _decide(table, sides[arm], sides.get(reference), goal)
            found.append(Decision(**(shared | labels | {"arm": arm, "reference": reference} | fields)))
    return found


def base_arm(table: Table, index: Codes) -> str:
    """The arm that others are compared with: the only one without training seeds, or the one called "base"; else ""."""
    arms = {labels["arm"]: table.values("train_seed", part) for labels, part in table.groups(("arm",), index)}
    untrained = [arm for arm, seeds in arms.items() if seeds == [None]]
    if len(arms) > 1 and len(untrained) == 1:
        return str(untrained[0])
    return "base" if "base" in arms and len(arms) > 1 else ""


@dataclass(frozen=True)
class Side:
    """One arm: its matrix, and what its repetitions leave."""

    matrix_S_I: Floats
    seeds: list[int | None]
    stems: list[str]
    repetition: float  # variance of one response within its cell
    repetitions: float  # harmonic mean
    measured: bool


def _side(table: Table, index: Codes) -> Side:
    scores = table.scores(index, "all")
    shape = cube(table, index)
    within = shape.within[0] if shape else None
    keep = has_score(scores.matrix_S_I, axis=1)
    seeds = [s for s, k in zip(scores.seeds, keep, strict=True) if k]
    if within is None:
        return Side(scores.matrix_S_I[keep], seeds, scores.stems, 0.0, 1.0, measured=False)
    return Side(scores.matrix_S_I[keep], seeds, scores.stems, within.response, 1 / within.share, measured=within.known)


def _restrict(side: Side, stems: list[str]) -> Side:
    place = {t: i for i, t in enumerate(side.stems)}
    return replace(side, matrix_S_I=fill(side.matrix_S_I[:, [place[t] for t in stems]]), stems=stems)


def sides_of(table: Table, arm: Codes, reference: Codes | None) -> tuple[Side, Side | None] | None:
    """Both arms on the stems that both have; None if those are fewer than two, or most cells are empty.

    Other empty cells are filled by least squares.
    """
    a, b = _side(table, arm), None if reference is None else _side(table, reference)
    known = [{t for t, k in zip(s.stems, has_score(s.matrix_S_I, axis=0), strict=True) if k} for s in (a, b) if s is not None]
    stems = sorted(set.intersection(*known))
    if len(stems) < 2 or any(too_sparse(s.matrix_S_I) for s in (a, b) if s is not None):
        return None
    return _restrict(a, stems), None if b is None else _restrict(b, stems)


def _decide(table: Table, arm: Codes, reference: Codes | None, goal: Goal) -> dict[str, Any]:
    """The fields of one decision that the components decide."""
    sides = sides_of(table, arm, reference)
    if sides is None:
        return {"method": "not estimable", "note": "fewer than two items scored, or most of seed x item empty"}
    a, b = sides
    if len(a.seeds) < 2:
        note = "one training seed: how much seeds differ is unknown, and with it every number of seeds"
        return {"method": "not estimable", "note": note, "advice": "The next run is best spent on a second training seed."}
    parts, how = components_of_difference(a, b)
    present = Plan(len(a.seeds), max(1, round(a.repetitions)), len(a.stems))
    if parts.expected(present, goal.items).variance <= 0:
        return {"method": "not estimable", "note": "the difference does not vary"}
    notes = [] if a.measured else ["one repetition: its variance counts as that of seed x item"]
    found = _answer(parts, present, goal)
    notes = [*notes, found.get("note", "")]
    return found | {"note": "; ".join(filter(None, notes)), "method": f"noncentral t, {how}; seed = {goal.seed_cost:g} responses"}


def components_of_difference(a: Side, b: Side | None) -> tuple[Components, str]:
    """Components of arm - reference on their common stems, and how the two pair.

    Without a reference, of the difference between two arms like `a` with seeds of their own: what items do to both cancels.
    """
    mine = _crossed(a)
    if b is None:
        return Components(2 * mine.seed, 0.0, 2 * mine.seed_item, 2 * mine.repetition, sides=2), "two such arms, seeds of their own"
    shared = [s for s in a.seeds if s in b.seeds and s is not None]
    if len(shared) > 1:
        rows = [[side.seeds.index(s) for s in shared] for side in (a, b)]
        apart = a.matrix_S_I[rows[0]] - b.matrix_S_I[rows[1]]
        noise = a.repetition + b.repetition
        return _crossed(replace(a, matrix_S_I=apart, repetition=noise)), "paired by item and seed"
    d = a.matrix_S_I.mean(axis=0) - b.matrix_S_I.mean(axis=0)
    s_a, s_b = len(a.seeds), len(b.seeds)
    blur = (mine.seed_item + mine.repetition / a.repetitions) / s_a
    if s_b == 1:
        item = float(d.var(ddof=1)) - blur - b.repetition / b.repetitions
        return replace(
            mine, item=max(0.0, item), reference_repetition=b.repetition
        ), "paired by item, conditional on one run of the reference"
    other = _crossed(b)
    item = float(d.var(ddof=1)) - blur - (other.seed_item + other.repetition / b.repetitions) / s_b
    sums = [getattr(mine, n) + getattr(other, n) for n in ("seed", "seed_item", "repetition")]
    return Components(sums[0], max(0.0, item), sums[1], sums[2], sides=2), "paired by item, seeds of their own"


def _crossed(side: Side) -> Components:
    """Components of a full seeds x items matrix whose repetitions were averaged."""
    found = mean_squares(side.matrix_S_I, ("train_seed", "item"))
    s, i = side.matrix_S_I.shape
    seeds, items, both = (found[frozenset(e)].value for e in ({"train_seed"}, {"item"}, {"train_seed", "item"}))
    return Components(
        max(0.0, (seeds - both) / i),
        max(0.0, (items - both) / s),
        max(0.0, both - side.repetition / side.repetitions),
        side.repetition,
    )


def _answer(parts: Components, present: Plan, goal: Goal) -> dict[str, Any]:
    """The designs and the sentence."""
    points = f"{100 * goal.target:g} points at {100 * goal.power:g} % power"
    now = parts.expected(present, goal.items)
    fields: dict[str, Any] = {"detectable": detectable(now, power=goal.power, level=goal.level)}
    best, more = cheapest(parts, present, goal)
    spend = f"the next run is best spent on {next_run(parts, present, goal)}"
    if best:
        fields |= {"n_seeds": best.seeds, "n_repetitions": best.repetitions, "n_items": best.items}
        if power_of(goal.target, now, level=goal.level) >= goal.power:
            return fields | {"advice": f"The present design ({present}) resolves {points}; the cheapest that does has {best}."}
        return fields | {"advice": f"To resolve {points} you need {best}; {spend}."}
    if more:
        note = f"with {more.items} items, {more.seeds} seeds and {more.repetitions} repetitions would do"
        advice = f"No number of seeds resolves {points} with {present.items} items: you need about {more.items}; {spend}."
        return fields | {"n_items": more.items, "note": note, "advice": advice}
    return fields | {"note": "no design up to 1,000 seeds does", "advice": f"No design within reach resolves {points}; {spend}."}
