"""VTIMEZONE: what a calendar program must know of a zone's clock to place one event (RFC 5545, 3.6.5).

Outlook reads one STANDARD and one DAYLIGHT with a yearly rule each, and takes no dates beside their start (MS-OXCICAL,
2.1.3.1.1.19): so a zone is written that way wherever it keeps such a rule, and change by change where it does not.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from mlgroup_mail.zones import zone_named

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_YEAR = timedelta(days=370)
_RULE_HOLDS = 5
"""Years after which a yearly change is taken for a rule."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_Observance = TimezoneDaylight | TimezoneStandard


def vtimezone(name: str, first: datetime, last: datetime) -> Timezone:
    """The component for an IANA zone, right from `first` to `last` (aware).

    A rule is written from the first year in which it held, so that all mails of these years say the same of a zone:
    programs keep what they have read under its name.
    """
    zone = zone_named(name)
    before = _changes(zone, first - _YEAR, first)
    component = Timezone()
    component.add("tzid", name)
    for observance in _by_rule(zone, before[-2:]) or _one_by_one(zone, before, _changes(zone, first, last), first):
        component.add_component(observance)
    return component


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    """A moment (UTC) at which a zone's clocks are set, from one offset to another."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def forward(self) -> bool:
        return self.after > self.before

    @property
    def local(self) -> datetime:
        """What the clocks show as they are set."""
        return (self.at + self.before).replace(tzinfo=None)


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> list[_Change]:
    """Every change after `first` and not after `last`, in order."""
    begin, end = first.astimezone(UTC), last.astimezone(UTC)
    changes = []
    while begin < end:
        step = min(begin + timedelta(days=1), end)
        if _offset(zone, step) != _offset(zone, begin):
            changes.append(_change_between(zone, begin, step))
        begin = step
    return changes


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> _Change:
    offset = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
    at = after.replace(microsecond=0)
    return _Change(at=at, before=offset, after=_offset(zone, at), name=_name(zone, at))


def _name(zone: ZoneInfo, moment: datetime) -> str:
    return moment.astimezone(zone).tzname() or ""


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _by_rule(zone: ZoneInfo, changes: Sequence[_Change]) -> list[_Observance]:
    """Summer time and its end, where both come every year; none where they do not."""
    counts = [_weekday_in_month(zone, change) for change in changes]
    if len(changes) != 2 or not all(counts) or changes[0].forward == changes[1].forward:
        return []
    since = max(_first_year(zone, change, count) for change, count in zip(changes, counts, strict=True))
    observances = []
    for change, count in zip(changes, counts, strict=True):
        day = _DAYS[change.local.weekday()]
        rule = {"FREQ": "YEARLY", "BYMONTH": change.local.month, "BYDAY": f"{count}{day}"}
        start = _nth(change.local, count, since)
        assert start is not None, "the rule held in that year"
        observances.append(_observance(change, start, daylight=change.forward, rule=rule))
    return sorted(observances, key=lambda observance: observance.DTSTART)


def _one_by_one(
    zone: ZoneInfo, before: Sequence[_Change], within: Sequence[_Change], first: datetime
) -> list[_Observance]:
    """Each change by itself; the clock of today from the beginning on where there is none."""
    changes = [*before, *within]
    if not before:
        offset = _offset(zone, first)
        changes.insert(0, _Change(at=_BEGINNING - offset, before=offset, after=offset, name=_name(zone, first)))
    # Where all changes go one way, as when a country moves to another zone, no clock is a summer clock.
    both_ways = len({change.forward for change in changes}) == 2
    return [_observance(change, change.local, daylight=both_ways and change.forward) for change in changes]


def _weekday_in_month(zone: ZoneInfo, change: _Change) -> int:
    """On which of the month's weekdays of its kind a change comes every year: the last (-1), or the first (1) ...

    0 where it comes by no such rule.
    """
    for count in (-1, (change.local.day - 1) // 7 + 1):
        if all(_holds(zone, change, count, change.local.year + years) for years in range(_RULE_HOLDS)):
            return count
    return 0


def _first_year(zone: ZoneInfo, change: _Change, count: int) -> int:
    year = change.local.year
    while year > _BEGINNING.year and _holds(zone, change, count, year - 1):
        year -= 1
    return year


def _holds(zone: ZoneInfo, change: _Change, count: int, year: int) -> bool:
    local = _nth(change.local, count, year)
    return local is not None and _is_change(zone, local, change)


def _nth(model: datetime, count: int, year: int) -> datetime | None:
    """The time of day and weekday of `model` in a year, the month's first (1) ... or last (-1) one."""
    length = calendar.monthrange(year, model.month)[1]
    first = model.replace(year=year, day=1)
    days: Sequence[int] = range(1 + (model.weekday() - first.weekday()) % 7, length + 1, 7)
    index = count if count < 0 else count - 1
    return first.replace(day=days[index]) if index < len(days) else None


def _is_change(zone: ZoneInfo, local: datetime, like: _Change) -> bool:
    at = local.replace(tzinfo=UTC) - like.before
    return _offset(zone, at - timedelta(seconds=1)) == like.before and _offset(zone, at) == like.after


def _observance(
    change: _Change, start: datetime, *, daylight: bool, rule: dict[str, object] | None = None
) -> _Observance:
    component = TimezoneDaylight() if daylight else TimezoneStandard()
    component.add("dtstart", start)
    component.add("tzoffsetfrom", change.before)
    component.add("tzoffsetto", change.after)
    component.add("tzname", change.name)
    if rule:
        component.add("rrule", rule)
    return component
