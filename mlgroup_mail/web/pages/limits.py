"""What keeps a flood of wrong links from the others. A valid one-click POST is never refused."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from starlette.responses import PlainTextResponse, Response


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


class Crowd:
    """How many people are being shown something, or wait for it."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """One more, until this ends."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


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
