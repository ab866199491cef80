"""How long a mailing takes, reckoned beforehand, against a simulation that hands messages over one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.durations import expected_seconds, in_words
from mlgroup_mail.store.limits import Limit, Use, room
from mlgroup_mail.store.rates import Rates

DAY = 86_400


def simulated(number: int, rates: Rates) -> float:
    """Send them one by one as soon as every limit allows it; returns when the last one goes."""
    now = 0.0
    next_at: dict[float, float] = {}
    sent: dict[float, list[Use]] = {limit.seconds: [] for limit in rates.limits}
    for _ in range(number):
        while wait := max((_wait(limit, sent, next_at, now) for limit in rates.limits), default=0.0):
            now += max(wait, 1e-6)
        for limit in rates.limits:
            sent[limit.seconds].append(Use(at=now, number=1))
            next_at[limit.seconds] = now + limit.seconds_each
    return now


def _wait(limit: Limit, sent: dict[float, list[Use]], next_at: dict[float, float], now: float) -> float:
    return room(limit, sent[limit.seconds], next_at=next_at.get(limit.seconds, 0.0), now=now).wait


@given(
    number=st.integers(1, 60),
    per_minute=st.none() | st.integers(1, 30),
    per_day=st.none() | st.integers(1, 30),
)
def test_what_is_expected_is_what_happens(number: int, per_minute: int | None, per_day: int | None) -> None:
    """To within a message's time: the first goes at once, and the estimate counts it like the others."""
    rates = Rates(per_minute=per_minute, per_day=per_day)
    took = simulated(number, rates)
    expected = expected_seconds({"office.example": number}, rates)
    each = 60 / per_minute if per_minute else 0
    days = number // per_day if per_day else 0
    # A day's first message goes a day after the first of the day before, which the estimate rounds up.
    assert took <= expected + 1
    assert expected <= took + each * (per_day or 1) * (days > 0) + each + 1


@pytest.mark.parametrize(
    ("number", "rates", "today", "last_batch", "seconds"),
    [
        (250, Rates(per_minute=29), 0, 0, 518),
        (25_000, Rates(per_minute=29, per_day=10_000), 0, 0, 2 * DAY + 10_345),
        (5_000, Rates(per_day=10_000), 8_000, 0, DAY),
        (100, Rates(per_minute=60), 0, 7200, 7200),
        (100, Rates(), 0, 0, 0),
        (0, Rates(per_minute=1), 0, 3600, 0),
    ],
)
def test_examples(number: int, rates: Rates, today: int, last_batch: float, seconds: int) -> None:
    domains = {"office.example": number} if number else {}
    assert expected_seconds(domains, rates, today=today, last_batch=last_batch) == seconds


def test_the_slowest_domain_counts() -> None:
    rates = Rates(per_minute=100, per_domain=10, domains={"slow.example": 1})
    assert expected_seconds({"fast.example": 50, "slow.example": 20, "sub.slow.example": 5}, rates) == 1200


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "about a minute"),
        (518, "about 9 minutes"),
        (7140, "about 119 minutes"),
        (3 * 3600, "about 3 hours"),
        (47 * 3600, "about 47 hours"),
        (2 * DAY, "about 2 days"),
        (2 * DAY + 10_345, "about 3 days"),
    ],
)
def test_a_duration_is_told_no_more_exactly_than_it_is_known(seconds: int, words: str) -> None:
    assert in_words(seconds) == words
