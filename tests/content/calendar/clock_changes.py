"""When the clocks of all zones are set, found by looking at them: what the tests of times turn around."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from mlgroup_mail.zones import iana_zones, zone_named

_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
ZONES = tuple(sorted(iana_zones()))


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """A zone's clocks are set at `at` (UTC) from one offset to another."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def shown_twice_or_never(self) -> tuple[datetime, datetime]:
        """The wall times (the first, and the one behind the last) that happen twice, or not at all."""
        at = self.at.replace(tzinfo=None)
        first, last = sorted((at + self.before, at + self.after))
        return first, last

    @property
    def forward(self) -> bool:
        return self.after > self.before


@cache
def clock_changes() -> tuple[ClockChange, ...]:
    """Every change from 2020 to 2030, of every zone."""
    return tuple(change for zone in ZONES for change in _changes(zone))


def _changes(name: str) -> list[ClockChange]:
    zone, changes, moment = zone_named(name), [], _FIRST
    offset = moment.astimezone(zone).utcoffset()
    while moment < _LAST:
        moment += timedelta(days=1)
        new = moment.astimezone(zone).utcoffset()
        if new != offset:
            at = moment
            while (at - _MINUTE).astimezone(zone).utcoffset() == new:
                at -= _MINUTE
            assert offset is not None
            assert new is not None
            changes.append(ClockChange(zone=name, at=at, before=offset, after=new))
        offset = new
    return changes
