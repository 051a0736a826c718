"""The methods whose coverage `axenic stats simulate` shows, in one table.

In: a random generator and a `simulate.Design`. Out: the limits that a method gives for one simulated study, and the truth that they
should hold. A test counts as an interval that is everything (not rejected) or nothing: its "coverage" is 1 - its size.
To add a method: one function and one line of `METHODS`.
"""

import numpy as np
from scipy import special

from axenic.stats import simulate_persistence
from axenic.stats.bootstrap import pigeonhole
from axenic.stats.contrasts import with_one_run
from axenic.stats.crossed import CrossedMean, Floats, crossed_mean, independent_difference, known_mean
from axenic.stats.equivalence import tost
from axenic.stats.gap import gap_closed
from axenic.stats.intervals import Interval, difference_limits, t_interval, two_way, wilson
from axenic.stats.kappa import cohen_kappa
from axenic.stats.paired import cluster_robust, mcnemar, newcombe, newcombe_paired, permutation
from axenic.stats.prediction_powered import rate as corrected_rate
from axenic.stats.simulate import Design, Limits, Method
from axenic.stats.simulate_labels import Arm, Errors
from axenic.stats.simulate_variance import Logits, flip_limits, seed_share_limits
from axenic.stats.spread import limits, of_runs

RESAMPLES, FLIPS, MARGIN, REPETITIONS, LABELLED = 400, 400, 0.05, 5, 100
BARE, CEILING = 0.4, 0.95
JUDGE = Errors(sensitivity=0.9, specificity=0.95)


def _seed_by_item(rng: np.random.Generator, design: Design) -> Limits:
    return _of(two_way(_scores(rng, design)), design.p)


def _pigeonhole(rng: np.random.Generator, design: Design) -> Limits:
    return _of(pigeonhole(_scores(rng, design), rng=rng, resamples=RESAMPLES), design.p)


def _t_on_seeds(rng: np.random.Generator, design: Design) -> Limits:
    items_I = rng.normal(size=design.n_items)
    scores = design.lose(rng, design.population().draw(rng, design.n_seeds, items_I))
    scores = scores[(~np.isnan(scores)).any(axis=1)]
    return _of(t_interval(known_mean(scores, axis=1)), design.population().on(items_I)[0])


def _wilson(rng: np.random.Generator, design: Design) -> Limits:
    return _of(wilson(_run(rng, design, design.p).sum(), design.n_items), design.p)


def _newcombe(rng: np.random.Generator, design: Design) -> Limits:
    arm, reference = (int(_run(rng, design, p).sum()) for p in (design.p, _reference(design)))
    return _of(newcombe((arm, design.n_items), (reference, design.n_items)), design.p - _reference(design))


def _newcombe_paired(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _pair(rng, design)
    counts = (int((a * b).sum()), int((a * (1 - b)).sum()), int((b * (1 - a)).sum()), int(((1 - a) * (1 - b)).sum()))
    return _of(newcombe_paired(*counts), design.p - _reference(design))


def _cluster_robust(rng: np.random.Generator, design: Design) -> Limits:
    scores = np.concatenate(_pair(rng, design))
    stems = np.tile(np.arange(design.n_items), 2).tolist()
    arm = np.repeat([True, False], design.n_items).tolist()
    return _of(cluster_robust(scores, stems, arm=arm), design.p - _reference(design))


def _mcnemar(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _pair(rng, design)
    return _test(mcnemar(int((a > b).sum()), int((a < b).sum())))


def _mcnemar_mid_p(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _pair(rng, design)
    return _test(mcnemar(int((a > b).sum()), int((a < b).sum()), mid_p=True))


def _permutation(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _pair(rng, design)
    return _test(permutation(a - b, rng=rng, draws=FLIPS).p)


def _contrast(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _arms(rng, design, _reference(design))
    return _difference(crossed_mean(a - b), design.p - _reference(design))


def _contrast_to_base(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _arms(rng, design, _reference(design), base=True)
    found = crossed_mean(a - b)
    return _difference(found and with_one_run(found), design.p - _reference(design))


def _gap_closed(rng: np.random.Generator, design: Design) -> Limits:
    """`reference` is the bare model's rate; the ceiling is at 95 %."""
    items_I, bare = rng.normal(size=design.n_items), BARE if design.reference is None else design.reference
    arm = design.lose(rng, design.population().draw(rng, design.n_seeds, items_I))
    single = [design.population(p, seeds=False).draw(rng, 1, items_I)[0] for p in (bare, CEILING)]
    found = gap_closed(arm, *single)
    return found.low, found.high, (design.p - bare) / (CEILING - bare)


def _contrast_own_seeds(rng: np.random.Generator, design: Design) -> Limits:
    a, b = _arms(rng, design, _reference(design))
    known = (~np.isnan(a)).any(axis=0) & (~np.isnan(b)).any(axis=0)
    return _difference(independent_difference(a[:, known], b[:, known]), design.p - _reference(design))


def _tost(rng: np.random.Generator, design: Design) -> Limits:
    """At the worst point of its hypothesis: the arms differ by exactly the margin."""
    a, b = _arms(rng, design, design.p + (MARGIN if design.p < 0.5 else -MARGIN))
    found = crossed_mean(a - b)
    return _test(None if found is None else tost(found, margin=MARGIN).p_equivalent)


def _spread(rng: np.random.Generator, design: Design) -> Limits:
    items_I = rng.normal(size=design.n_items)
    arm, base = design.population(), design.population(_reference(design), seeds=False)
    a = of_runs(list(arm.draw(rng, design.n_seeds, items_I, repetitions=REPETITIONS).mean(axis=2)))
    b = of_runs(list(base.draw(rng, 1, items_I, repetitions=REPETITIONS).mean(axis=2)))
    (_, between, within), (_, _, alone) = arm.on(items_I), base.on(items_I)
    truth = float(np.sqrt(between + within) - np.sqrt(alone))
    return (None, None, truth) if a.problem or b.problem else (*limits(a, b, 0.025), truth)


def _judge_corrected(rng: np.random.Generator, design: Design) -> Limits:
    answers = Arm(design.population(), JUDGE).draw(
        rng, rng.normal(size=design.n_items), n_seeds=design.n_seeds, n_labelled=min(LABELLED, design.n_items)
    )
    found = corrected_rate(answers)
    return (None, None, design.p) if found is None else (*found[1:], design.p)


def _kappa(rng: np.random.Generator, design: Design) -> Limits:
    truth = (rng.random(design.n_items) < design.p).astype(np.float64)
    _, low, high = cohen_kappa(JUDGE.judge(rng, truth).astype(np.int64), truth.astype(np.int64), np.arange(design.n_items))
    positive = design.p * JUDGE.sensitivity + (1 - design.p) * (1 - JUDGE.specificity)
    same = design.p * JUDGE.sensitivity + (1 - design.p) * JUDGE.specificity
    chance = positive * design.p + (1 - positive) * (1 - design.p)
    return low, high, (same - chance) / (1 - chance)


def _flip_rate(rng: np.random.Generator, design: Design) -> Limits:
    return flip_limits(rng, _logits(design), n_seeds=design.n_seeds, n_items=design.n_items)["rate"]


def _seed_share(rng: np.random.Generator, design: Design) -> Limits:
    return seed_share_limits(rng, _logits(design), n_seeds=design.n_seeds, n_items=design.n_items, repetitions=REPETITIONS)


def _logits(design: Design) -> Logits:
    """As the variance components are simulated: the rate of a middling item under a middling seed is `p`."""
    return Logits(mean=float(special.logit(design.p)), seed_sd=design.seed_sd, item_sd=design.item_sd)


def _scores(rng: np.random.Generator, design: Design) -> Floats:
    return design.lose(rng, design.population().draw(rng, design.n_seeds, rng.normal(size=design.n_items)))


def _run(rng: np.random.Generator, design: Design, p: float) -> Floats:
    """One run on items of its own."""
    found: Floats = design.population(p, seeds=False).draw(rng, 1, rng.normal(size=design.n_items))[0]
    return found


def _pair(rng: np.random.Generator, design: Design) -> tuple[Floats, Floats]:
    """One run of each arm on the same items."""
    items_I = rng.normal(size=design.n_items)
    a, b = (design.population(p, seeds=False).draw(rng, 1, items_I)[0] for p in (design.p, _reference(design)))
    return a, b


def _arms(rng: np.random.Generator, design: Design, reference: float, *, base: bool = False) -> tuple[Floats, Floats]:
    """Both arms on the same items, each with seeds drawn anew; a base is one run without seed effect."""
    items_I = rng.normal(size=design.n_items)
    a = design.population().draw(rng, design.n_seeds, items_I)
    b = design.population(reference, seeds=not base).draw(rng, 1 if base else design.n_seeds, items_I)
    return design.lose(rng, a), b if base else design.lose(rng, b)


def _reference(design: Design) -> float:
    return design.p if design.reference is None else design.reference


def _of(interval: Interval, truth: float) -> Limits:
    return interval.low, interval.high, truth


def _difference(found: CrossedMean | None, truth: float) -> Limits:
    return (None, None, truth) if found is None else (*difference_limits(found)[:2], truth)


def _test(p: float | None) -> Limits:
    if p is None:
        return None, None, 0.0
    return (-np.inf, np.inf, 0.0) if p > 0.05 else (np.inf, np.inf, 0.0)


_ONE = ("n_items", "p", "item_sd")
_TWO = (*_ONE, "reference")
_TABLE = (*_ONE, "n_seeds", "seed_sd", "missing")

METHODS: dict[str, Method] = {
    "seed_by_item": Method(_seed_by_item, _TABLE, "mean of seeds x items: new seeds, new items (every cell of a report)"),
    "t_on_seed_means": Method(_t_on_seeds, _TABLE, "mean of seed means: new seeds, these items"),
    "pigeonhole": Method(_pigeonhole, _TABLE, f"two-way bootstrap, {RESAMPLES} resamples, t-calibrated"),
    "wilson": Method(_wilson, _ONE, "share of items of one run"),
    "newcombe": Method(_newcombe, _TWO, "difference of shares, other items"),
    "newcombe_paired": Method(_newcombe_paired, _TWO, "difference of shares, same items"),
    "cluster_robust": Method(_cluster_robust, _TWO, "difference of shares, same items, item-clustered error"),
    "mcnemar": Method(_mcnemar, _ONE, "exact test of equal shares: 1 - size"),
    "mcnemar_mid_p": Method(_mcnemar_mid_p, _ONE, "mid-p test of equal shares: 1 - size"),
    "permutation": Method(_permutation, _ONE, f"sign flips, {FLIPS} draws: 1 - size"),
    "contrast": Method(_contrast, (*_TABLE, "reference"), "difference of arms, paired by seed and item"),
    "contrast_to_base": Method(_contrast_to_base, (*_TABLE, "reference"), "difference from a base of one run"),
    "contrast_own_seeds": Method(_contrast_own_seeds, (*_TABLE, "reference"), "difference of arms with seeds of their own"),
    "gap_closed": Method(_gap_closed, (*_TABLE, "reference"), "share of the way from a bare model to a ceiling of 95 %"),
    "tost": Method(_tost, _TABLE, f"equivalence test, arms {100 * MARGIN:g} points apart, the margin: 1 - size"),
    "spread": Method(_spread, (*_TWO, "n_seeds", "seed_sd"), f"sd between runs, arm - base, {REPETITIONS} repetitions"),
    "flip_rate": Method(_flip_rate, ("n_seeds", "n_items", "seed_sd"), "items whose label changes over seeds, T = 0"),
    "seed_share": Method(_seed_share, ("n_seeds", "n_items", "seed_sd"), f"share of variance by seed, {REPETITIONS} repetitions"),
    "judge_corrected": Method(_judge_corrected, (*_ONE, "n_seeds", "seed_sd"), f"rate by a judge that errs, {LABELLED} labels"),
    "kappa": Method(_kappa, ("n_items", "p"), "agreement of a judge that errs with people"),
    **simulate_persistence.METHODS,
}
"""Name -> method. Extra methods are one more line."""
