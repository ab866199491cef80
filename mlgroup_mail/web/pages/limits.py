"""What keeps a flood of wrong links from the others. A valid one-click POST is never refused."""

import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread
from starlette.responses import PlainTextResponse, Response

_Found = TypeVar("_Found")

WRONG_A_SECOND, WRONG_AT_ONCE = 20, 200
"""Links that are not ours, on each page, in the whole process."""


class Allowance:
    """So many a second, a burst of so many: for the whole process, since a mail provider clicks for all its readers
    from a few addresses, and an attacker from many."""

    def __init__(self, *, per_second: float, burst: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._seconds = per_second, burst, seconds
        self._left, self._at = float(burst), seconds()

    def take(self) -> bool:
        """Whether one more is allowed."""
        now = self._seconds()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


LOOKING_AT_ONCE, MAY_WAIT = 4, 200
"""So many people read the ledger at once, and so many more wait for it, or for their turn to write."""


class Turns:
    """Whose turn it is at the ledger, over all pages: who writes may wait for a long claim, and who looks does not."""

    def __init__(self) -> None:
        self._looking = anyio.CapacityLimiter(LOOKING_AT_ONCE)
        self._writing = anyio.CapacityLimiter(1)
        self._waiting = 0

    @property
    def full(self) -> bool:
        """Whether whoever comes now is one too many: they are told `later()`."""
        return self._waiting >= LOOKING_AT_ONCE + MAY_WAIT

    async def look(self, work: Callable[[], _Found]) -> _Found:
        """Do what reads, in a thread."""
        return await self._run(work, self._looking)

    async def write(self, work: Callable[[], _Found]) -> _Found:
        """Do what writes, in a thread, one after the other."""
        return await self._run(work, self._writing)

    async def _run(self, work: Callable[[], _Found], limiter: anyio.CapacityLimiter) -> _Found:
        self._waiting += 1
        try:
            return await to_thread.run_sync(work, limiter=limiter)
        finally:
            self._waiting -= 1


class Pace:
    """The same time for what is written and what is not: nobody can tell by it whether a link is valid."""

    LONGEST = 1.0
    """Seconds: a ledger that is busy for long holds up those who have something to write, and nobody else."""
    _WEIGHT = 0.1

    def __init__(self) -> None:
        self._usual = 0.0

    async def keep(self, seconds: float, *, wrote: bool) -> None:
        """Note how long a write took, or wait as long as one usually takes; `seconds` have gone by already."""
        if wrote:
            self._usual += (min(seconds, self.LONGEST) - self._usual) * (self._WEIGHT if self._usual else 1.0)
        else:
            await anyio.sleep(max(0.0, self._usual - seconds))


def later() -> Response:
    """The answer to one too many."""
    headers = {"Retry-After": "60"}
    return PlainTextResponse("Too many at once. Please try again in a minute.\n", status_code=429, headers=headers)
