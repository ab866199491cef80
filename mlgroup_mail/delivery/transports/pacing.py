"""Keeping to a number of messages a minute."""

import time
from collections.abc import Callable

_MINUTE = 60.0


class Pace:
    """Spreads messages evenly, in this process alone: several at once keep the rate each for itself."""

    def __init__(
        self,
        per_minute: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`per_minute`: None for as fast as it goes."""
        self._seconds_each = _MINUTE / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free_at = clock()

    def wait(self) -> None:
        """Wait until the next message may go. Called before a claim, so that nothing claimed has to wait."""
        if (seconds := self._free_at - self._clock()) > 0:
            self._sleep(seconds)

    def free(self) -> bool:
        """Whether the next message may go now."""
        return self._free_at <= self._clock()

    def spend(self, messages: int) -> None:
        """Note that so many have been handed over."""
        self._free_at = max(self._free_at, self._clock()) + messages * self._seconds_each
