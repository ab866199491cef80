"""The arithmetic of a limit: so many messages in any minute, in any 24 hours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MINUTE = 60.0
DAY = 86_400.0

_GRAINS = 600
"""Into how many steps a limit's time is cut: moments are rounded up to one, so that a day is a few hundred rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most `number` messages in any `seconds`. `even`: spread over them, instead of as fast as it goes."""

    number: int
    seconds: float
    even: bool = False

    @property
    def seconds_each(self) -> float:
        """How long one message fills; 0 where nothing is spread."""
        return self.seconds / self.number if self.even else 0.0

    def rounded(self, moment: float) -> float:
        """The end of the grain that a moment lies in: later, never earlier, so that the limit holds."""
        grain = self.seconds / _GRAINS
        return math.ceil(moment / grain) * grain


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """`number` messages, the last of which began at `at` at the latest."""

    at: float
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How many messages may begin now; where none may, how many seconds to `wait` before looking again."""

    places: int
    wait: float = 0.0


def room(limit: Limit, uses: Sequence[Use], *, next_at: float, now: float) -> Room:
    """What a limit still allows, given what went before. `next_at` is when the next may go where it is even.

    A use counts until its latest possible beginning is as long ago as the limit's time: so the limit holds in every
    stretch of that length, wherever it begins, and also where a message began later than it was allowed to.
    """
    if limit.even and next_at > now:
        return Room(places=0, wait=next_at - now)
    counted = sorted((use for use in uses if use.at > now - limit.seconds), key=lambda use: use.at)
    left = limit.number - sum(use.number for use in counted)
    if left > 0:
        return Room(places=left)
    for use in counted:
        left += use.number
        if left > 0:
            return Room(places=0, wait=use.at + limit.seconds - now)
    raise AssertionError("a limit is at least 1, and without uses there is room")
