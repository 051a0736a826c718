"""Judge trained on answers that people labelled: TF-IDF and signs of refusal, logistic regression, no language model.

In: `trained:DIR`, a directory that `axenic judge train` made. Out: its two labels, "complied" and "refused" where the label values
spoke of these. How well it agrees with people on a model it never saw, and where it fails, is in docs/judges.md.
"""

from collections.abc import Sequence
from pathlib import Path

from axenic.evals.judges.base import COMPLIANCE, Ruling, unparseable
from axenic.evals.judges.classifier import model as models
from axenic.evals.judges.shared.argument import Argument, parse
from axenic.schema import Item, Response, digest


class TrainedJudge:
    """A judge from a directory.

    Attributes:
        positive_values: The people's label values that were positive in training.
        negative_values: The others.
        trained_positive: The verdict that stands for the positive values.
    """

    def __init__(self, argument: Argument) -> None:
        self._classifier, description = models.load(Path(argument.target))
        self.positive_values: tuple[str, ...] = tuple(description["positive_values"])
        self.negative_values: tuple[str, ...] = tuple(description["negative_values"])
        self.trained_positive: str = description["positive"]
        self._negative: str = description["negative"]
        self._threshold = float(description["threshold"])
        of_compliance = {self.trained_positive, self._negative} == set(COMPLIANCE)
        self.labels = COMPLIANCE if of_compliance else (self.trained_positive, self._negative)
        self.positive: str | None = self.labels[0]
        self.identity = digest([argument.content, models.features_hash()])
        self.name = argument.short_name(self.identity)

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response; an empty one is unparseable."""
        texts = [response.text for response in responses]
        told = [(prompt(item), text) for item, text in zip(items, texts, strict=True)]
        unique = list(dict.fromkeys(pair for pair in told if pair[1].strip()))
        found = self._classifier.probabilities([p for p, _ in unique], [t for _, t in unique])
        label = {
            pair: self.trained_positive if p > self._threshold else self._negative for pair, p in zip(unique, found, strict=True)
        }
        return [Ruling(label[pair]) if pair in label else unparseable("empty response") for pair in told]


def prompt(item: Item) -> str:
    """What the response answers: the last user turn, follow-ups included; "" where nothing is known of it."""
    if item.followups:
        return item.followups[-1]
    return next((m.content for m in reversed(item.messages) if m.role == "user"), "")


def build(argument: str) -> TrainedJudge:
    """The judge in a directory."""
    return TrainedJudge(parse("trained", argument, wants="DIR"))
