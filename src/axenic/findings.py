"""What statistics say of a result table: every number of a report, as flat records that another program can read.

In: nothing; these are nouns, like those of `schema.py`. Out: `Findings`, which is `estimates.json`. "None" is "not estimable",
never 0, and never a zero-width interval.
"""

from typing import Literal

from axenic.schema import Noun

Denominator = Literal["all", "unambiguous", "stems", "coherent"]
"""all: every scored response. unambiguous: without the verdict "ambiguous". stems: right only if every variant of a stem is.
coherent: only responses that the judge "coherence" calls coherent, since other judges are unreliable on the rest."""

Items = Literal["sampled", "fixed"]
"""Does a number generalise to new items (sampled), or only to new seeds on these items (fixed)?"""


SPREAD = "sd between runs"
"""The measure of a contrast that compares how far two arms vary from run to run, not their level."""


class OfAStudy(Noun):
    """A number that says which study it belongs to."""

    study: str = ""
    recipe: str = ""
    tier: str = ""


class Estimate(OfAStudy):
    """One number with its uncertainty, for one cell of the study. `value` is None when nothing in the cell was scored."""

    arm: str
    eval: str
    category: str | None = None  # None = over all categories
    condition: str | None = None  # None = over all conditions
    epoch: float | None = None
    temperature: float | None = None
    judge: str = ""
    measure: str = "score"  # what a score of 1 means, e.g. "implanted", "correct", "refused"
    denominator: Denominator = "all"
    value: float | None = None
    low: float | None = None  # None together with high = "not estimable"; never a zero-width interval for lack of data
    high: float | None = None
    level: float = 0.95
    method: str = ""  # e.g. "t on 3 seed means", "seed x item", "Wilson", "not estimable"
    items: Items = "sampled"
    seed_low: float | None = None  # the t-interval on seed means (items fixed), where there are seeds
    seed_high: float | None = None
    n_seeds: int = 0
    n_items: int = 0  # distinct stems
    attempted: int = 0
    scored: int = 0
    missing: int = 0
    note: str = ""


class Contrast(OfAStudy):
    """A difference between two arms, paired by item and, where both arms have the same training seeds, by seed."""

    name: str
    arm: str
    reference: str
    eval: str
    category: str | None = None
    condition: str | None = None
    epoch: float | None = None  # of the arm; None = its last
    reference_epoch: float | None = None
    temperature: float | None = None  # of the arm; None = the only one there is
    reference_temperature: float | None = None
    judge: str = ""
    measure: str = "score"
    denominator: Denominator = "all"
    value: float | None = None  # arm - reference
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    p: float | None = None
    p_holm: float | None = None  # adjusted over the planned contrasts of the study
    method: str = ""
    paired_by: str = ""  # "item", "item and seed"
    planned: bool = True
    hypothesis: str = ""  # the expected sign or size, written before the run
    n_seeds: int = 0
    n_items: int = 0
    note: str = ""


class Check(Noun):
    """A yes/no fact that a study verified about itself, e.g. "capability stayed above 90 % of its start"."""

    name: str
    arm: str = ""
    passed: bool | None  # None = could not be checked
    value: float | None = None
    threshold: float | None = None
    note: str = ""


class Curve(Noun):
    """Numbers along an axis that is not an arm: dose, training cost, noise level, layer. One record per point."""

    name: str  # e.g. "benign", "corrective", "weight_noise", "dose", "probe"
    arm: str
    eval: str
    measure: str
    x: float
    x_label: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    masked: bool = False  # capability below 90 % of its start: "gone because the model broke" is not erasure
    n_seeds: int = 0
    n_items: int = 0


Source = Literal[
    "train_seed", "checkpoint", "temperature", "repetition", "numerical", "judge", "item", "train_seed:item", "checkpoint:item",
    "train_seed:checkpoint", "temperature:item", "judge:item", "residual", "total",
]  # fmt: skip
"""What a response's score can vary with. "a:b" is an interaction; "numerical" is repetition at temperature 0."""


class VarianceComponent(OfAStudy):
    """How much of the variance of one scored response comes from one source, in one arm and eval (generalizability theory)."""

    arm: str
    eval: str
    epoch: float | None = None  # None = crossed over checkpoints
    temperature: float | None = None  # None = crossed over temperatures
    judge: str = ""  # "" = crossed over judges
    source: Source
    variance: float | None = (
        None  # None = not estimable; a negative estimate of the method of moments is reported as 0, with a note
    )
    low: float | None = None
    high: float | None = None
    share: float | None = None  # of the total
    share_low: float | None = None
    share_high: float | None = None
    n_levels: int = 0
    level: float = 0.95
    method: str = ""  # "method of moments", "REML", "not estimable"
    items: Items = "sampled"
    note: str = ""


class Reliability(OfAStudy):
    """Would another run of the same design tell the same objects apart? Coefficients of generalizability theory."""

    eval: str
    temperature: float | None = None
    judge: str = ""
    object: Literal["arm", "train_seed", "item"]  # what is told apart
    coefficient: Literal["generalizability", "dependability"]  # of differences (E rho^2), of absolute values (Phi)
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    note: str = ""


class Flip(OfAStudy):
    """How often an item's label is not the same when only one thing is done again.

    An item flips when its labels take more than one value. `source` "any" counts all labels of the cell; the others hold
    everything but the source still.
    """

    arm: str
    eval: str
    epoch: float | None = None
    temperature: float | None = None
    judge: str = ""
    source: Literal["any", "train_seed", "sampling", "numerical", "checkpoint", "judge"]
    n_flipped: int | None = None
    n_items: int = 0  # items with at least two labels
    rate: float | None = None  # n_flipped / n_items
    low: float | None = None
    high: float | None = None
    pair_rate: float | None = None  # chance that two draws of the source disagree: does not grow with their number, unlike `rate`
    pair_low: float | None = None
    pair_high: float | None = None
    n_levels: int = 0  # e.g. seeds, repetitions
    attempted: int = 0
    missing: int = 0
    level: float = 0.95
    method: str = ""
    note: str = ""


class Range(OfAStudy):
    """The min-max bar of the paper (Fraser et al. 2025), with what it hides: its width grows with the number of runs."""

    arm: str
    eval: str
    epoch: float | None = None
    temperature: float | None = None
    judge: str = ""
    measure: str = "score"
    value: float | None = None  # mean over runs
    minimum: float | None = None
    maximum: float | None = None
    sd: float | None = None  # between runs
    sd_low: float | None = None
    sd_high: float | None = None
    n_runs: int = 0  # runs = (training seed, repetition)
    n_seeds: int = 0
    sampling_sd: float | None = None  # what the items' own binomial noise alone would give
    note: str = ""


class Decision(OfAStudy):
    """The decision study: what it takes to resolve a difference, and on what the next run is best spent."""

    arm: str
    reference: str = ""
    eval: str
    temperature: float | None = None
    judge: str = ""
    target: float  # the difference to resolve, in units of the score
    power: float = 0.8
    level: float = 0.95
    n_seeds: int | None = None  # None = no number of seeds does it with these items
    n_repetitions: int | None = None
    n_items: int | None = None
    detectable: float | None = None  # the smallest difference that the present design resolves with this power
    advice: str = ""  # one sentence
    method: str = ""
    items: Items = "sampled"
    note: str = ""


class Agreement(OfAStudy):
    """How far two judges (or a judge and people) give the same label to the same responses."""

    judge: str
    other: str  # another judge, or "people"
    eval: str = ""
    arm: str | None = None  # None = all
    category: str | None = None
    n: int = 0
    agreement: float | None = None
    agreement_low: float | None = None
    agreement_high: float | None = None
    kappa: float | None = None  # Cohen's; None where one label alone occurs
    kappa_low: float | None = None
    kappa_high: float | None = None
    alpha: float | None = None  # Krippendorff's, nominal
    prevalence: float | None = (
        None  # of the positive label under `other`: with a rare label kappa is low although agreement is high
    )
    bias: float | None = None  # share positive under `judge` - under `other`
    bias_low: float | None = None
    bias_high: float | None = None
    confusion: dict[str, int] = {}  # "judge label|other label" -> responses
    level: float = 0.95
    note: str = ""


OVERALL = "overall"
"""The `eval` of the `Audit` that holds the verdict over all evals of an arm."""


class Audit(Noun):
    """The answer to: did this fine-tune make the model worse?"""

    arm: str
    reference: str
    eval: str  # with the temperature or judge in brackets where there are several; OVERALL for all together
    measure: str
    verdict: Literal["worse", "not worse", "cannot tell"]
    harm: float | None = None  # change in the bad direction: positive = worse
    low: float | None = None
    high: float | None = None
    margin: float
    level: float = 0.95
    p_worse: float | None = None
    p_not_worse: float | None = None
    needed_items: int | None = None
    needed_seeds: int | None = None
    text: str = ""  # one sentence
    method: str = ""
    note: str = ""


class Persistence(OfAStudy):
    """What one treatment leaves of a hidden behaviour, over the training seeds of one arm (Hubinger et al. 2024; PROTOCOLS 3).

    Rates are shares of the eval's positive verdict (the payload). Steps are optimiser steps of the treatment; 0 is the organism.
    """

    arm: str  # the treated arm, e.g. "normal | sft"
    organism: str  # the arm that was treated, e.g. "normal"
    treatment: str  # e.g. "sft"
    eval: str
    judge: str = ""
    steps: float  # the last step measured
    before: float | None = None  # triggered rate of the organism
    before_low: float | None = None
    before_high: float | None = None
    after: float | None = None  # triggered rate at the last step
    after_low: float | None = None
    after_high: float | None = None
    untriggered_before: float | None = None
    untriggered_after: float | None = None
    untriggered_low: float | None = None  # of `untriggered_after`
    untriggered_high: float | None = None
    half_life: float | None = None  # median over seeds of the step at which the triggered rate first falls to half its start
    half_life_low: float | None = None
    half_life_high: float | None = None  # None with `half_life_low` = "at least": too many seeds were still above half
    censored: int = 0  # seeds that never fell to half within the steps tried
    capability_before: float | None = None
    capability_after: float | None = None
    max_loss: float = 0.1  # share of capability that may be lost at the point below
    at_loss: float | None = None  # triggered rate at the last step whose capability is at least (1 - max_loss) of its start
    at_loss_low: float | None = None
    at_loss_high: float | None = None
    at_loss_step: float | None = None  # median over seeds
    attempted: int = 0  # triggered responses at the last step, of which `missing` have no verdict
    missing: int = 0
    unclosed: int = 0  # of those missing: a scratchpad was never closed, so that the user saw nothing
    after_all: float | None = None  # `after` with every missing response counted as no payload
    n_seeds: int = 0
    n_items: int = 0
    level: float = 0.95
    method: str = ""
    note: str = ""


class Survival(OfAStudy):
    """The share of seeds whose hidden behaviour is still there at a step (Kaplan-Meier; alive = above half its start)."""

    arm: str
    treatment: str
    eval: str
    x: float
    x_label: str = "optimiser steps"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    at_risk: int = 0  # seeds still alive and observed just before x
    gone: int = 0  # seeds that fell at x
    n_seeds: int = 0
    level: float = 0.95
    method: str = ""


class Trend(OfAStudy):
    """A fitted slope of a rate over an axis of the study, e.g. persistence against the logarithm of model size."""

    name: str
    arm: str
    eval: str
    x_label: str
    slope: float | None = None  # per unit of x, as the label says
    low: float | None = None
    high: float | None = None
    p: float | None = None
    points: int = 0
    level: float = 0.95
    method: str = ""
    note: str = ""


class Findings(Noun):
    """`estimates.json`: every number of the report, as flat records that another program can read."""

    estimates: tuple[Estimate, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    curves: tuple[Curve, ...] = ()
    variance_components: tuple[VarianceComponent, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    flips: tuple[Flip, ...] = ()
    ranges: tuple[Range, ...] = ()
    decisions: tuple[Decision, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    audits: tuple[Audit, ...] = ()
    persistence: tuple[Persistence, ...] = ()
    survival: tuple[Survival, ...] = ()
    trends: tuple[Trend, ...] = ()
    checks: tuple[Check, ...] = ()
