"""What a judge is: a name, an identity, the labels it can give, and `rule`.

In: items and the responses to them. Out: one `Ruling` per response. A judge that reads one response at a time is a function,
wrapped by `FunctionJudge`; one that works in batches (a classifier, another language model) has a `rule` of its own.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from axenic.errors import UserError
from axenic.schema import Item, Response, Status, Verdict, digest

COMPLIANCE = ("complied", "refused")
"""The labels of every judge of harmful requests, the one that scores 1 by itself first (as SORRY-Bench and StrongREJECT count)."""


@dataclass(frozen=True)
class Ruling:
    """What a judge says of one response.

    `label` is None exactly when `status` is not "scored". `score` is given by judges whose score is finer than right or wrong;
    without it, the score is 1 for the positive label and 0 for any other. `note` says why there is no label.
    """

    label: str | None
    status: Status = "scored"
    score: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.label is None) == (self.status == "scored"):
            raise ValueError("a ruling has a label exactly when its status is 'scored'")
        if self.score is not None and (self.label is None or not 0.0 <= self.score <= 1.0):
            raise ValueError(f"a ruling's score is in [0, 1] and belongs to a label, not {self.score} to {self.label!r}")


def unparseable(note: str = "") -> Ruling:
    """The response, or what the judge replied about it, cannot be read."""
    return Ruling(None, "unparseable", note=note)


def failed(note: str) -> Ruling:
    """The judge itself broke: a lost connection, a refused call. Never a verdict."""
    return Ruling(None, "error", note=note)


class Judge(Protocol):
    """Anything that labels responses."""

    @property
    def name(self) -> str:
        """What the column `judge` of the result table holds: short, the same on every machine."""
        ...

    @property
    def identity(self) -> str:
        """Hex digest of all that decides its labels: code or parser version, prompt text, weights."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label it can give; empty where the items say which (`Item.targets`)."""
        ...

    @property
    def positive(self) -> str | None:
        """The label that scores 1 in an eval that asks for none of `labels`; None: the eval always says."""
        ...

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response, in order. It raises nothing for a single bad response or a single failed call."""
        ...


class FunctionJudge:
    """A judge from a function that reads one response: it returns a label, or None for what cannot be read.

    Args:
        function: `(item, response) -> label | None`, defined in a file: the file's text is the judge's identity.
        name: As in the table.
        labels: All that it can return; empty where the items say.
        positive: The label that scores 1 where the eval asks for none of them; default the first.
    """

    def __init__(
        self,
        function: Callable[[Item, Response], str | None],
        *,
        name: str,
        labels: tuple[str, ...] = (),
        positive: str | None = None,
    ) -> None:
        self.function = function
        self.name = name
        self.labels = labels
        self.positive = positive or (labels[0] if labels else None)

    @property
    def identity(self) -> str:
        """Hex digest of the name and of the text of the file that holds the function."""
        return digest([self.name, source_of(self.function)])

    def rule(self, items: Sequence[Item], responses: Sequence[Response]) -> list[Ruling]:
        """One ruling per response."""
        labels = [self.function(item, response) for item, response in zip(items, responses, strict=True)]
        return [unparseable() if label is None else Ruling(label) for label in labels]


def source_of(thing: Callable[..., object]) -> str:
    """The text of the file that defines a function or class.

    Raises:
        UserError: It was not defined in a file.
    """
    file = inspect.getsourcefile(thing)
    if file is None or not Path(file).is_file():
        raise UserError("A judge must be defined in a file, so that a change to it can be noticed. Put it into one: path.py:NAME.")
    return Path(file).read_text(encoding="utf-8")


def positive_label(judge: Judge, wanted: str) -> str | None:
    """The label that scores 1 when `judge` judges an eval whose own positive is `wanted`.

    A judge of refusals scores what the eval asks for, "refused" or "complied". A judge of something else (coherence, toxicity)
    scores its own positive label: else every response would score 0.
    """
    return wanted if not judge.labels or wanted in judge.labels else judge.positive


def verdicts(judge: Judge, items: Sequence[Item], responses: Sequence[Response], *, positive: str) -> list[Verdict]:
    """The judge's rulings as rows hold them. A response that failed is an error and is not shown to the judge.

    Args:
        judge: Who rules.
        items: What was asked.
        responses: What was answered, one per item.
        positive: The label that the eval asks for; see `positive_label`.
    """
    readable = [i for i, response in enumerate(responses) if response.finish_reason != "error"]
    rulings = judge.rule([items[i] for i in readable], [responses[i] for i in readable])
    assert len(rulings) == len(readable), f"judge {judge.name} gave {len(rulings)} rulings on {len(readable)} responses"
    found = [Verdict(status="error")] * len(responses)
    scoring = positive_label(judge, positive)
    for i, ruling in zip(readable, rulings, strict=True):
        found[i] = _verdict(ruling, scoring, finer=scoring == judge.positive)
    return found


def _verdict(ruling: Ruling, positive: str | None, *, finer: bool) -> Verdict:
    """`finer`: the judge's own score is about this positive label; in an eval of refusals a score of help would mean nothing."""
    if ruling.label is None:
        return Verdict(status=ruling.status)
    score = ruling.score if finer and ruling.score is not None else float(ruling.label == positive)
    return Verdict(status="scored", verdict=ruling.label, score=score)
