"""Links that are not ours: how many are answered, and that the log tells of them.

A link of a key that is lost is one of them. Its reader is told what everybody is told; the team must hear of it.
"""

import logging
import time
from collections.abc import Callable

from mlgroup_mail.web.pages.limits import WRONG_A_SECOND, WRONG_AT_ONCE, Allowance

log = logging.getLogger(__name__)

_TOLD_EVERY = 3600.0
"""Seconds between two lines in the log: whoever tries links at random does not fill it."""


class WrongLinks:
    """Those of one page. The first is told to the log at once, and from then on hourly how many there were."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._allowance = Allowance(per_second=WRONG_A_SECOND, burst=WRONG_AT_ONCE, seconds=seconds)
        self._untold = 0
        self._told_at: float | None = None

    def take(self) -> bool:
        """Count one more, and say whether it may be answered."""
        self._untold += 1
        now = self._seconds()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY:
            self._tell()
            self._untold, self._told_at = 0, now
        return self._allowance.take()

    def _tell(self) -> None:
        number = "1 link was" if self._untold == 1 else f"{self._untold} links were"
        log.warning(
            "%s used that nothing is known of: cut off, invented, or of a key that is lost (see mlgroup-mail doctor)",
            number,
        )
