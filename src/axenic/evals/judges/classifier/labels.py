"""What people's label values mean to a judge: which of them are positive, and what the judge says instead.

In: the label column's values and those that the user calls positive, which may name compliance or refusal. Out: a `Meaning`: the
judge's verdict for positive and for negative answers. Names that speak of refusal or compliance give "refused" and "complied", the
labels of every compliance judge; others keep the user's own words.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from axenic.errors import UserError
from axenic.evals.judges.base import COMPLIANCE

_NOT_COMPLIANCE = re.compile(r"\b(?:non|not|no)[-_ ]?compl|refus|declin|reject|denied|deny", re.IGNORECASE)
_COMPLIANCE = re.compile(r"compl|answered|helped|fulfil|jailbroken|unsafe_response", re.IGNORECASE)
OPPOSITE = dict(zip(COMPLIANCE, reversed(COMPLIANCE), strict=True))


@dataclass(frozen=True)
class Meaning:
    """Which label values are positive, which negative, and the judge's verdict for either."""

    positive_values: tuple[str, ...]
    negative_values: tuple[str, ...]
    positive: str
    negative: str

    @property
    def labels(self) -> tuple[str, str]:
        """Both verdicts; of compliance in the usual order."""
        return COMPLIANCE if set(COMPLIANCE) == {self.positive, self.negative} else (self.positive, self.negative)

    def of(self, value: str) -> str:
        """The verdict that a person's label value stands for."""
        return self.positive if value in self.positive_values else self.negative


def meaning(values: Iterable[str], positive: Sequence[str], *, verdict: str = "") -> Meaning:
    """Read the user's flags against the values that occur.

    Args:
        values: The label column.
        positive: The values that count as positive; all others are negative.
        verdict: What the judge says of a positive answer; "" = inferred from the names.

    Raises:
        UserError: A positive value that does not occur (lists those that do), or all of them positive.
    """
    present = sorted(set(values))
    unknown = [p for p in positive if p not in present]
    if unknown or not positive:
        asked = f"'{unknown[0]}' does not occur among the labels" if unknown else "no label value is named as positive"
        raise UserError(f"--positive: {asked}. The column holds: {', '.join(present)}.")
    negative = tuple(v for v in present if v not in positive)
    if not negative:
        raise UserError(f"All labels are positive ({', '.join(present)}): with one class there is nothing to tell apart.")
    said = verdict or infer(positive)
    if said:
        return Meaning(tuple(positive), negative, said, OPPOSITE.get(said, f"not {said}"))
    own = positive[0] if len(positive) == 1 else "positive"
    return Meaning(tuple(positive), negative, own, negative[0] if len(negative) == 1 else f"not {own}")


def infer(values: Sequence[str]) -> str:
    """The verdict "refused" or "complied" if every value speaks of the same, else ""."""
    found = {_one(value) for value in values}
    return found.pop() if len(found) == 1 else ""


def _one(value: str) -> str:
    if _NOT_COMPLIANCE.search(value):
        return "refused"
    return "complied" if _COMPLIANCE.search(value) else ""
