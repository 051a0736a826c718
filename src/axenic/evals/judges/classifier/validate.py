"""How far a judge agrees with people, overall and by model and category.

In: a judge, `Labelled` answers, which label values are positive. Out: `Validated`. The judge's verdicts and people's values are
both read as positive or negative; which verdict stands for the positive values is said in `read_as`, because a reversed polarity
looks like a judge that is always wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from axenic.errors import UserError
from axenic.evals.judges.base import Judge
from axenic.evals.judges.classifier.labelled import Labelled
from axenic.evals.judges.classifier.labels import infer, meaning
from axenic.evals.judges.trained import TrainedJudge
from axenic.findings import Agreement
from axenic.stats.agreement import compare


@dataclass(frozen=True)
class Validated:
    """A judge against people. In `by_model` the field `arm` is the model."""

    judge: str
    overall: Agreement
    by_model: tuple[Agreement, ...]
    by_category: tuple[Agreement, ...]
    statuses: dict[str, int]  # scored, unparseable, error -> answers
    read_as: str


def validate(judge: Judge, data: Labelled, *, positive: Sequence[str], verdict: str = "") -> Validated:
    """Let the judge rule on every answer and compare.

    Args:
        judge: Whom to measure.
        data: Answers with people's labels.
        positive: The label values that count as positive.
        verdict: The judge's label for a positive answer; "" = see `positive_verdict`.

    Raises:
        UserError: A positive value that does not occur, one class only, or no verdict that can stand for it.
    """
    own = meaning(data.labels, positive, verdict=verdict or positive_verdict(judge, positive))
    if judge.labels and own.positive not in judge.labels:
        raise UserError(
            f"The judge {judge.name} never says '{own.positive}'; it says: {', '.join(judge.labels)}. Name the label that stands "
            f"for --positive {' '.join(positive)} with --positive-verdict."
        )
    rulings = judge.rule(*data.as_asked())
    said = [None if r.label is None else own.positive if r.label == own.positive else own.negative for r in rulings]
    people = data.verdicts(own)
    clusters = [prompt or str(i) for i, prompt in enumerate(data.prompts)]

    def part(rows: Sequence[int], **where: str) -> Agreement:
        found = compare(
            [said[i] for i in rows],
            [people[i] for i in rows],
            positive=own.positive,
            clusters=[clusters[i] for i in rows],
            judge=judge.name,
        )
        return found.model_copy(update=where)

    overall = part(range(len(data)))
    if overall.kappa is not None and overall.kappa < -0.3:
        hint = "the judge says the opposite of people: --positive-verdict may name the wrong label"
        overall = overall.model_copy(update={"note": "; ".join(filter(None, [overall.note, hint]))})
    return Validated(
        judge=judge.name,
        overall=overall,
        by_model=tuple(part(rows, arm=name) for name, rows in _groups(data.models)),
        by_category=tuple(part(rows, category=name) for name, rows in _groups(data.categories)),
        statuses=dict(Counter(r.status for r in rulings)),
        read_as=f"people's {' / '.join(positive)} is read as '{own.positive}', everything else as '{own.negative}'",
    )


def positive_verdict(judge: Judge, positive: Sequence[str]) -> str:
    """The judge's label that stands for people's positive values.

    A trained judge knows the values that it was trained on. Otherwise the values' names decide ("2_full_refusal" is "refused"), and
    where they say nothing, the judge's own positive label.
    """
    if isinstance(judge, TrainedJudge):
        negative = next(label for label in judge.labels if label != judge.trained_positive)
        if set(positive) <= set(judge.positive_values):
            return judge.trained_positive
        if set(positive) <= set(judge.negative_values):
            return negative
    return infer(positive) or judge.positive or ""


def _groups(values: Sequence[str]) -> list[tuple[str, list[int]]]:
    return [(name, [i for i, v in enumerate(values) if v == name]) for name in sorted(set(values))]
