"""A mail server's limit a minute is kept."""

import pytest

from mlgroup_mail.delivery.transports.pacing import Pace
from mlgroup_mail.settings.environment import Settings, SmtpProfile


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("per_minute", "messages"), [(29, 290), (60, 120), (1, 3)])
def test_no_more_messages_go_in_a_minute_than_are_allowed(per_minute: int, messages: int) -> None:
    time, sent = Time(), []
    pace = Pace(per_minute, clock=time, sleep=time.sleep)
    for _ in range(messages):
        pace.wait()
        sent.append(time.now)
        pace.spend(1)
    for start in sent:
        # A minute's end belongs to the next one; the sum of many small steps is not exact.
        assert sum(start <= at < start + 60 - 1e-6 for at in sent) <= per_minute


def test_without_a_limit_nothing_waits() -> None:
    time = Time()
    pace = Pace(None, clock=time, sleep=time.sleep)
    for _ in range(1000):
        pace.wait()
        pace.spend(1)
    assert time.now == 0


def test_a_pause_saves_nothing_up() -> None:
    time = Time()
    pace = Pace(60, clock=time, sleep=time.sleep)
    time.now = 3600
    pace.wait()
    pace.spend(2)
    pace.wait()
    assert time.now == 3602


def test_the_profile_of_a_service_limits_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_SMTP_PER_MINUTE", "100")
    assert Settings().messages_per_minute == 100
    monkeypatch.setenv("MLGROUP_SMTP_PROFILE", SmtpProfile.EXCHANGE_ONLINE)
    assert Settings().messages_per_minute == 29
