"""Judge from any Hugging Face sequence classifier.

In: `sequence_classifier:DIR_OR_ID`. Options behind "?": VERDICT=CLASS maps a class of the model to a label ("?refused=LABEL_1&
complied=LABEL_0"; classes whose names speak of refusal or compliance need none), `input=pair` shows the request as well as the
response, `keep=end` cuts a response that is too long at its beginning. Out: a label per class.
"""

from collections.abc import Sequence

from axenic.errors import UserError
from axenic.evals.judges.base import COMPLIANCE, Ruling, source_of, unparseable
from axenic.evals.judges.classifier.labels import infer
from axenic.evals.judges.shared.argument import Argument, parse, require_model
from axenic.evals.judges.shared.classify import SequenceClassifier, class_names
from axenic.evals.judges.shared.prompts import conversation
from axenic.schema import Item, Response, digest

OWN_OPTIONS = ("input", "keep")


class ClassifierJudge:
    """A judge whose labels are a classifier's classes.

    Args:
        argument: Which classifier, and how it is asked.
        labels: The label of each class, by index.
        name: In the result table; "" = made from the argument.
        positive: The label that scores 1 in an eval that asks for none of them.
    """

    def __init__(self, argument: Argument, labels: Sequence[str], *, name: str = "", positive: str | None = None) -> None:
        self._argument, self._by_class = argument, tuple(labels)
        self._pair = argument.one_of("input", ("response", "pair"), "response") == "pair"
        self._keep = argument.one_of("keep", ("start", "end"), "start")
        self._model: SequenceClassifier | None = None
        found = tuple(dict.fromkeys(labels))
        self.labels = COMPLIANCE if set(found) == set(COMPLIANCE) else found
        self.positive = positive or self.labels[0]
        asked = [argument.judge, argument.content, self._pair, self._keep, self._by_class]
        self.identity = digest([*asked, source_of(SequenceClassifier)])
        self.name = name or argument.short_name(self.identity)

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response; an empty one is unparseable."""
        if self._model is None:
            self._model = SequenceClassifier(self._argument.target, keep=self._keep)
        told = [(conversation(item) if self._pair else "", response.text) for item, response in zip(items, responses, strict=True)]
        unique = list(dict.fromkeys(pair for pair in told if pair[1].strip()))
        texts, requests = [text for _, text in unique], [request for request, _ in unique]
        classes = self._model.classes(requests, texts) if self._pair else self._model.classes(texts)
        label = {pair: self._by_class[c] for pair, c in zip(unique, classes, strict=True)}
        return [Ruling(label[pair]) if pair in label else unparseable("empty response") for pair in told]


def mapped(argument: Argument, classes: Sequence[str]) -> list[str]:
    """The label of each class: as the options say, else as its name says, else its name.

    Raises:
        UserError: An option names a class that the model does not have.
    """
    given: dict[str, str] = {}
    for label, name in argument.options.items():
        if label in OWN_OPTIONS:
            continue
        if name not in classes:
            raise UserError(f"The option '{label}={name}': the classifier has no class '{name}'. It has: {', '.join(classes)}.")
        given[name] = label
    return [given.get(name) or infer([name]) or name for name in classes]


def build(argument: str) -> ClassifierJudge:
    """The judge from a classifier."""
    asked = parse("sequence_classifier", argument, wants="DIR_OR_ID", options=None)
    require_model(asked)
    return ClassifierJudge(asked, mapped(asked, class_names(asked.target)))
