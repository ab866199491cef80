"""Time, as something that is passed in."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells what time it is, in UTC."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still: demonstrations and tests."""

    at: datetime

    def now(self) -> datetime:
        """The moment it was set to, in UTC."""
        return self.at.astimezone(UTC)


def boot_seconds() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps.

    `time.monotonic` stops during suspend on Linux and macOS, so a laptop that slept an hour between a claim and the
    first byte would not notice. CLOCK_BOOTTIME counts sleep (clock_gettime(2)); macOS's CLOCK_MONOTONIC does, unlike
    the clock that Python's `monotonic` reads there; Windows's does anyway.
    """
    return time.clock_gettime(_COUNTS_SLEEP) if _COUNTS_SLEEP is not None else time.monotonic()


_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
