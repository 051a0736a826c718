"""Stops a run that gets nothing for its money: a model that always refuses, or never keeps to the form asked for.

In: one verdict per answer. Out: nothing, or an error once too many in a row were unusable.
"""

from collections import Counter
from threading import Lock

from axenic.errors import UserError


class Breaker:
    """Counts what came of answers, from any thread. One usable answer starts the count anew."""

    def __init__(self, model: str, most: int) -> None:
        """`most`: unusable answers in a row at which to stop."""
        self.model, self.most = model, most
        self._reasons: Counter[str] = Counter()
        self._lock = Lock()

    def count(self, reason: str = "") -> None:
        """Take one answer into account; no reason means that it was usable.

        Raises:
            UserError: `most` in a row were not.
        """
        with self._lock:
            if not reason:
                self._reasons.clear()
                return
            self._reasons[reason] += 1
            if self._reasons.total() >= self.most:
                raise self._error()

    def _error(self) -> UserError:
        why = ", ".join(f"{n} × {reason}" for reason, n in self._reasons.most_common(3))
        return UserError(
            f"The writing model '{self.model}' gave nothing usable in {self._reasons.total()} calls in a row ({why}), so the run "
            "stopped. Everything paid for is kept. Try another model, or look at what it was asked to write."
        )
