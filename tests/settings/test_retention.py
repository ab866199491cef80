"""How long something is kept, as people write it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.model.retention import Period, Retained
from mlgroup_mail.settings.retention import FIXED, Retention, read_period
from mlgroup_mail.store.join_requests import LINK_LIVES

MOMENTS = st.datetimes(min_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("written", "before"),
    [
        ("90 days", datetime(2023, 12, 31, tzinfo=UTC)),
        ("6 weeks", datetime(2024, 2, 18, tzinfo=UTC)),
        ("1 month", datetime(2024, 2, 29, tzinfo=UTC)),
        ("13 Months", datetime(2023, 2, 28, tzinfo=UTC)),
        (" 3  years ", datetime(2021, 3, 31, tzinfo=UTC)),
    ],
)
def test_a_period_goes_by_the_calendar(written: str, before: datetime) -> None:
    """Back from the 31st of March 2024; a month that has no such day counts to its last one."""
    period = read_period(written)
    assert period is not None
    now = datetime(2024, 3, 31, tzinfo=UTC) if "days" not in written else datetime(2024, 3, 30, tzinfo=UTC)
    assert period.before(now) == before


@given(st.text() | st.integers() | st.none())
def test_anything_else_is_refused_in_words(written: object) -> None:
    with suppress(ValueError):
        period = read_period(written)
        assert period is None or (datetime(2030, 1, 1) - period.before(datetime(2030, 1, 1))).days >= 28  # noqa: DTZ001


@given(st.integers(1, 300), st.sampled_from(["day", "week", "month", "year"]), MOMENTS)
def test_what_is_written_out_reads_the_same_and_a_period_ends_before_it_began(
    number: int, unit: str, moment: datetime
) -> None:
    period = Period(number, unit)
    assert period.before(moment) < moment
    with suppress(ValueError):
        assert read_period(str(period)) == period


def test_a_request_to_join_is_kept_as_long_as_its_link_can_be_followed() -> None:
    now = datetime(2024, 3, 31, tzinfo=UTC)
    assert now - Retention().limits(now)[Retained.JOIN_REQUESTS] == LINK_LIVES


def test_every_kind_has_a_time_unless_somebody_says_for_ever() -> None:
    now = datetime(2024, 3, 31, tzinfo=UTC)
    assert set(Retention().limits(now)) == set(Retained)
    long = {kind: before for kind, before in Retention().limits(now).items() if kind not in FIXED}
    assert all(now - before >= timedelta(days=365) for before in long.values())
    assert set(Retention(events="for ever").limits(now)) == set(Retained) - {Retained.EVENTS}  # type: ignore[arg-type]
