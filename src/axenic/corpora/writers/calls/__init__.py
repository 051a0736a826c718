"""Paid calls to a language model: bounded, resumable, priced, and never lost. See `engine.Calls`."""

from axenic.corpora.limits import Limits, Price
from axenic.corpora.writers.calls.breaker import Breaker
from axenic.corpora.writers.calls.engine import Calls
from axenic.corpora.writers.calls.nouns import Answer, BudgetReached, Request

__all__ = ["Answer", "Breaker", "BudgetReached", "Calls", "Limits", "Price", "Request"]
