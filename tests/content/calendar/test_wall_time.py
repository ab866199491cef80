"""A sending time is a wall time in its zone; what a clock change makes of it is never guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.calendar.wall_time import parse_wall_time
from mlgroup_mail.zones import zone_named
from tests.content.calendar.clock_changes import ZONES, clock_changes


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2021-11-02 09:00 Europe/London", "2021-11-02T09:00"),
        ("2021-10-20 09:00 Europe/London", "2021-10-20T08:00"),
        ("2021-10-20 09:00:30 Europe/London", "2021-10-20T08:00:30"),
        ("2021-11-19 13:00 Europe/Zurich", "2021-11-19T12:00"),
        ("2021-11-02 09:00 UTC", "2021-11-02T09:00"),
        ("2021-11-02T09:00Z", "2021-11-02T09:00"),
        ("2021-11-02 09:00 +05:30", "2021-11-02T03:30"),
        ("2021-11-02 09:00-0330", "2021-11-02T12:30"),
    ],
)
def test_a_written_time_is_read_in_its_zone(text: str, utc: str) -> None:
    assert parse_wall_time(text).utc == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2021-11-02 09:00", "no time zone"),
        ("tomorrow", "not a date"),
        ("2021-11-31 09:00 UTC", "does not exist"),
        ("2021-11-02 25:00 UTC", "does not exist"),
        ("2021-11-02 09:00 Europe/Londn", "not an IANA time zone"),
        ("2021-11-02 09:00 +19:00", "not an IANA time zone"),
        ("2021-03-28 01:30 Europe/London", "go forward over it"),
        ("2021-10-31 01:30 Europe/London", "happens twice"),
    ],
)
def test_a_time_that_is_none_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_wall_time(text)


def test_an_hour_that_happens_twice_can_be_given_by_its_offset() -> None:
    with pytest.raises(ValueError, match=r"\+01:00 or \+00:00"):
        parse_wall_time("2021-10-31 01:30 Europe/London")
    assert parse_wall_time("2021-10-31 01:30 +01:00").utc.hour == 0


@given(
    st.datetimes(min_value=datetime.fromisoformat("1990-01-01"), max_value=datetime.fromisoformat("2037-01-01")),
    st.sampled_from(ZONES),
)
def test_what_is_read_is_written_the_same_and_names_one_moment(local: datetime, zone: str) -> None:
    local = local.replace(microsecond=0)
    try:
        wall = parse_wall_time(f"{local} {zone}")
    except ValueError as error:
        # Only a clock change may stand in the way.
        assert "happens twice" in str(error) or "go forward" in str(error)  # noqa: PT017
        return
    assert parse_wall_time(str(wall)) == wall
    assert wall.utc.astimezone(wall.aware.tzinfo).replace(tzinfo=None) == local


def test_what_a_clock_change_skips_or_repeats_is_refused_in_every_zone_and_nothing_beside_it() -> None:
    """All zones, all changes from 2020 to 2030, to the minute."""
    minute = timedelta(minutes=1)
    for change in clock_changes():
        first, behind = change.shown_twice_or_never
        reason = "go forward over it" if change.forward else "happens twice"
        for local in (first, behind - minute):
            with pytest.raises(ValueError, match=reason):
                parse_wall_time(f"{local:%Y-%m-%d %H:%M} {change.zone}")
        zone = zone_named(change.zone)
        for local in (first - minute, behind):
            wall = parse_wall_time(f"{local:%Y-%m-%d %H:%M} {change.zone}")
            assert wall.utc.astimezone(zone).replace(tzinfo=None) == local


def test_a_repeated_hour_can_be_given_by_either_offset_in_every_zone() -> None:
    for change in clock_changes():
        if not change.forward:
            first, _ = change.shown_twice_or_never
            moments = [
                parse_wall_time(
                    f"{first:%Y-%m-%d %H:%M} {timezone(offset).tzname(None).removeprefix('UTC') or '+00:00'}"
                )
                for offset in (change.before, change.after)
            ]
            assert [moment.utc for moment in moments] == [change.at - (change.before - change.after), change.at]
