"""What writing with a language model may cost, and how hard its provider is asked. Imports nothing heavy.

In: numbers of a user. Out: `Price` and `Limits`, which `calls.Calls` keeps to.
"""

from pydantic import Field

from axenic.schema import Noun


class Price(Noun):
    """USD per million tokens."""

    input: float = Field(ge=0.0)
    output: float = Field(ge=0.0)

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """USD."""
        return (input_tokens * self.input + output_tokens * self.output) / 1e6


class Limits(Noun):
    """How hard a provider is asked, and when to give up."""

    concurrency: int = Field(16, ge=1, le=4096)  # calls in flight at most; rate limits make it fewer for a while
    retries: int = Field(6, ge=0)  # further attempts of one call after a failure that may pass
    timeout: float = Field(180.0, gt=0.0)  # seconds that one attempt may take
    patience: float = Field(1800.0, gt=0.0)  # seconds that one call waits out rate limits
    pause: float = Field(1.0, gt=0.0)  # seconds before the first retry; doubles with each
    fruitless: int = Field(50, ge=1)  # answers in a row with nothing usable in them, after which the run stops
    budget: float | None = Field(None, ge=0.0)  # USD for everything in the folder, earlier runs included
    batch: bool = False  # use the provider's batch API where it has one
