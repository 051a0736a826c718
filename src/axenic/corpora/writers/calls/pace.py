"""How many calls are in flight: at most as many as allowed, and fewer after the provider said that it is too much.

In: calls that begin and end, and "slow down". Out: permission to begin. Additive increase, multiplicative decrease (Chiu and Jain
1989): each rate limit halves the number, each window of good calls adds one.
"""

import asyncio
from collections import deque

_TICK = 0.01  # seconds: a timer may fire that much early, and whoever it woke must then find the door open


class Pace:
    """A semaphore whose size follows the provider's answers. For one event loop."""

    def __init__(self, most: int) -> None:
        """`most`: calls in flight at best."""
        self.most = most
        self.limit = float(most)
        self.flying = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed_until = 0.0
        self._cut_at = float("-inf")

    async def __aenter__(self) -> float:
        """Wait for a place; gives the time at which it was taken."""
        loop = asyncio.get_running_loop()
        while not self._open(loop.time()):
            turn = loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()
                raise
        self.flying += 1
        return loop.time()

    async def __aexit__(self, *exc: object) -> None:
        self.flying -= 1
        self._wake()

    def well(self) -> None:
        """A call went well."""
        self.limit = min(float(self.most), self.limit + 1.0 / max(self.limit, 1.0))

    def slow_down(self, began: float, wait: float) -> None:
        """The provider refused a call for its rate.

        Args:
            began: When that call began; calls that began before the last cut say nothing new.
            wait: Seconds in which no call begins.
        """
        loop = asyncio.get_running_loop()
        if began > self._cut_at:
            self.limit = max(1.0, self.limit / 2.0)
            self._cut_at = loop.time()
        until = loop.time() + wait
        if until > self._closed_until:
            self._closed_until = until
            loop.call_later(wait, self._wake)

    def _open(self, now: float) -> bool:
        return now >= self._closed_until - _TICK and self.flying < int(self.limit)

    def _wake(self) -> None:
        """Let as many try as there are places; whoever finds none waits again."""
        free = int(self.limit) - self.flying
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
