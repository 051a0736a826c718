"""What a person sees while calls are paid for: documents so far, and a live ledger of spend by stage with an estimate of the whole.

In: the progress of a run and its ledger. Out: on a terminal a table that redraws itself; elsewhere a line about every ten seconds.
"""

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from axenic.report import numbers

if TYPE_CHECKING:
    from axenic.corpora.writers.calls.ledger import Ledger

EVERY_SECONDS = 10.0


class Spending:
    """Takes `on_progress` calls. Use as a context manager."""

    def __init__(self, ledger: "Ledger", *, quiet: bool) -> None:
        self.ledger, self.quiet = ledger, quiet
        self.done = self.total = 0
        self._first: tuple[int, float] | None = None  # texts and USD when the first text was there
        self.note = ""
        self._began = self._said = time.monotonic()
        console = Console(stderr=True)
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=4, transient=True)
        self._shown: AbstractContextManager[object] = self._live if console.is_terminal and not quiet else nullcontext()

    def __enter__(self) -> "Spending":
        self._shown.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._shown.__exit__(None, None, None)

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """The progress of a run, as `schema.OnProgress`."""
        if self._first is None and done:
            self._first = done, self.ledger.cost or 0.0
        self.done, self.total, self.note = done, total, note
        if self._shown is self._live or self.quiet or time.monotonic() - self._said < EVERY_SECONDS:
            return
        self._said = time.monotonic()
        print(f"{done}/{total} {note} · {self.money()}", file=sys.stderr, flush=True)

    def money(self) -> str:
        """Spend so far and, once documents come, what all will cost at this rate."""
        spent = self.ledger.cost
        if spent is None:
            read, wrote = (sum(getattr(line, name) for line in self.ledger.lines) for name in ("input_tokens", "output_tokens"))
            return f"{read + wrote:,} tokens so far (price unknown)"
        whole = f", about {usd(self._whole(spent))} in all" if self._first and self.done > self._first[0] else ""
        cap = f" of at most {usd(self.ledger.budget)}" if self.ledger.budget is not None else ""
        return f"{usd(spent)} spent{cap}{whole}"

    def _whole(self, spent: float) -> float:
        """USD for all at the rate since the first text: what comes before it is paid once, not per text."""
        done, cost = self._first or (0, 0.0)
        return cost + (spent - cost) / (self.done - done) * (self.total - done)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        gone = numbers.seconds(time.monotonic() - self._began)
        table.add_row(f"{self.done}/{self.total} {self.note}", gone, self.money())
        for line in self.ledger.lines:
            tokens = f"{line.input_tokens:,} in, {line.output_tokens:,} out"
            lost = ", ".join(f"{n} {status}" for status, n in line.statuses.items() if status != "ok")
            table.add_row(f"  {line.stage}", f"{line.calls} calls", " · ".join(filter(None, [tokens, usd(line.cost), lost])))
        return table


def usd(value: float | None) -> str:
    """Dollars with as many digits as matter; "" for an unknown price."""
    if value is None:
        return ""
    return f"${value:.2f}" if value >= 1 or value == 0 else f"${value:.2g}"
