"""What calls cost: by stage, so far and at most.

In: calls that begin and end. Out: tokens and USD by stage, and the hard stop of a budget: no call begins whose dearest outcome,
together with those of all calls in flight, would go over what is left.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from axenic.corpora.limits import Limits, Price
from axenic.corpora.writers.calls.nouns import Answer, Request
from axenic.errors import UserError
from axenic.written import StageLine

_PRICES = Path(__file__).with_name("prices.yaml")
FREE = ("hf", "vllm", "sglang", "ollama", "llama-cpp-python", "mockllm")
"""Providers whose models run on the user's own machines."""


def price_of(model: str, given: Price | None = None) -> Price | None:
    """The price of a model: as given, else free for one's own machines, else from the table; None where it is unknown."""
    if given is not None:
        return given
    if model.split("/")[0] in FREE:
        return Price(input=0.0, output=0.0)
    table = yaml.safe_load(_PRICES.read_text(encoding="utf-8"))["models"]
    row = table.get(model)
    return Price(input=row[0], output=row[1]) if row else None


class Ledger:
    """The account of one folder. For one event loop."""

    def __init__(self, model: str, price: Price | None, limits: Limits) -> None:
        """Open an account.

        Raises:
            UserError: There is a budget and no price to hold against it.
        """
        if limits.budget is not None and price is None:
            raise UserError(
                f"A budget needs prices, and none is known for '{model}'. Give them in USD per million tokens with --price-in and "
                "--price-out (in a study: --set 'writer_price={input: 1, output: 2}'), or drop the budget."
            )
        self.model, self.price, self.budget = model, price, limits.budget
        self.spent = 0.0  # USD, paid or perhaps paid
        self.perhaps = 0.0  # USD of those that were never answered
        self.held = 0.0  # USD that calls in flight may cost at most
        self._stages: dict[str, dict[str, Any]] = {}

    def took(self, answer: Answer, *, fresh: bool) -> None:
        """A finished call, of this run or an earlier one."""
        line = self._line(answer.stage)
        line["calls"] += 1
        line["fresh"] += fresh
        line["input_tokens"] += answer.input_tokens
        line["output_tokens"] += answer.output_tokens
        line["statuses"][answer.status] += 1
        if answer.cost is not None:
            line["cost"] = (line["cost"] or 0.0) + answer.cost
            self.spent += answer.cost

    def may_have_taken(self, cost: float) -> None:
        """A call that was sent and never answered."""
        self.spent += cost
        self.perhaps += cost

    def reused(self, answer: Answer) -> None:
        """An answer that came from the folder."""
        self._line(answer.stage)["reused"] += 1

    def failed(self, stage: str) -> None:
        """A call that gave no reply after all retries."""
        self._line(stage)["statuses"]["error"] += 1

    def worst(self, request: Request) -> float:
        """USD that a call costs at most; 0 where the price is unknown."""
        return self.price.of(request.most_input_tokens, request.max_tokens) if self.price else 0.0

    def fits(self, worst: float) -> bool:
        """Whether a call that costs `worst` at most may begin now."""
        return self.budget is None or self.spent + self.held + worst <= self.budget + 1e-12

    @property
    def lines(self) -> list[StageLine]:
        """One line per stage, in the order in which they were first asked."""
        # copied first: a display reads them while calls come in
        return [StageLine(stage=name, **{**line, "statuses": dict(line["statuses"])}) for name, line in list(self._stages.items())]

    @property
    def cost(self) -> float | None:
        """USD so far, of all answered calls and those perhaps charged; None where the price is unknown."""
        return self.spent if self.price is not None else None

    def to_json(self) -> dict[str, Any]:
        """The account as `ledger.json` holds it."""
        return {
            "model": self.model,
            "price_per_million_tokens": self.price.model_dump() if self.price else None,
            "budget": self.budget,
            "cost": self.cost,
            "perhaps_charged": self.perhaps if self.price else None,
            "stages": [line.model_dump() for line in self.lines],
        }

    def _line(self, stage: str) -> dict[str, Any]:
        if stage not in self._stages:
            counts = dict.fromkeys(("calls", "fresh", "reused", "input_tokens", "output_tokens"), 0)
            self._stages[stage] = {**counts, "cost": None, "statuses": Counter()}
        return self._stages[stage]
