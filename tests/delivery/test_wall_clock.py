"""A clock that was set, or is wrong: live mail waits for a person, and a person's word ends it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mlgroup_mail.delivery import wall_clock
from mlgroup_mail.delivery.wall_clock import TOLERANCE, require_sound_clock, trust_clock
from mlgroup_mail.errors import ClockError
from mlgroup_mail.model import OutcomeKind
from mlgroup_mail.store import Store, clock_marks, schema
from tests.delivery.ledgers import RecordingTransport, deliveries, dispatch_all, journal
from tests.factories import NOON, make_store

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> "Machine":
    return Machine(monkeypatch)


class Machine:
    """How long this machine has been up, and which boot it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up, self.boot = 1000.0, "first"
        monkeypatch.setattr(clock_marks, "boot_seconds", lambda: self.up)
        monkeypatch.setattr(clock_marks, "boot_id", lambda: self.boot)


def test_the_first_live_mail_takes_the_clock_as_it_is(store: Store, machine: Machine) -> None:
    require_sound_clock(store, now=NOON)


@pytest.mark.parametrize(("step", "word"), [(DAY, "forward by 24 hours"), (-DAY, "back by 24 hours")])
def test_a_clock_that_jumps_is_noticed_by_the_time_since_boot(
    store: Store, machine: Machine, step: timedelta, word: str
) -> None:
    require_sound_clock(store, now=NOON)
    machine.up += 60
    require_sound_clock(store, now=NOON + MINUTE)
    with pytest.raises(ClockError, match=word) as caught:
        require_sound_clock(store, now=NOON + MINUTE + step)
    assert "db trust-clock --reason" in str(caught.value)
    with pytest.raises(ClockError):
        require_sound_clock(store, now=NOON + MINUTE + step)  # It does not get used to it.
    require_sound_clock(store, now=NOON + MINUTE)


def test_a_night_of_sleep_is_no_jump(store: Store, machine: Machine) -> None:
    require_sound_clock(store, now=NOON)
    machine.up += DAY.total_seconds()
    require_sound_clock(store, now=NOON + DAY)


def test_a_few_minutes_are_what_time_services_put_right(store: Store, machine: Machine) -> None:
    require_sound_clock(store, now=NOON)
    require_sound_clock(store, now=NOON + TOLERANCE)
    require_sound_clock(store, now=NOON)
    with pytest.raises(ClockError):
        require_sound_clock(store, now=NOON + TOLERANCE + SECOND)


def test_after_a_boot_the_clock_cannot_be_before_the_last_live_mail(store: Store, machine: Machine) -> None:
    require_sound_clock(store, now=NOON)
    machine.boot, machine.up = "second", 5.0
    with pytest.raises(ClockError, match="would be still to come"):
        require_sound_clock(store, now=NOON - timedelta(hours=1))
    require_sound_clock(store, now=NOON + timedelta(days=30))


def test_the_latest_attempt_that_was_to_leave_is_a_witness_and_one_into_the_outbox_is_none(
    store: Store, machine: Machine
) -> None:
    require_sound_clock(store, now=NOON - DAY)
    dispatch_all(store, RecordingTransport(), NOON + DAY)
    machine.boot = "second"
    with pytest.raises(ClockError, match="2021-10-21 12:00 UTC"):
        require_sound_clock(store, now=NOON)
    with store.writing() as connection:
        connection.execute(update(schema.attempt).values(transport="outbox"))
    require_sound_clock(store, now=NOON)


def test_a_person_s_word_ends_it_and_every_wait_that_the_wrong_clock_began(store: Store, machine: Machine) -> None:
    require_sound_clock(store, now=NOON)
    machine.up += DAY.total_seconds()
    require_sound_clock(store, now=NOON + DAY)
    dispatch_all(store, RecordingTransport(OutcomeKind.DEFERRED), NOON + DAY)
    with pytest.raises(ClockError):
        require_sound_clock(store, now=NOON)
    assert trust_clock(store, reason="the battery was empty", by="the editor", now=NOON) == 6
    assert {row["next_at"] for row in deliveries(store)} == {NOON}
    assert journal(store)[-1] == ("trust_clock", "the battery was empty", "the editor")
    require_sound_clock(store, now=NOON)
    transport = RecordingTransport()
    dispatch_all(store, transport, NOON)
    assert len(transport.begun) == 6
    require_sound_clock(store, now=NOON)


def test_the_database_s_own_clock_is_asked_where_it_has_one(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = make_store(tmp_path_factory.mktemp("clock"), postgres_url)
    now = datetime.now(UTC)
    try:
        require_sound_clock(store, now=now)
        for wrong in (now + 2 * TOLERANCE, now - 2 * TOLERANCE):
            with pytest.raises(ClockError, match="the database's clock"):
                require_sound_clock(store, now=wrong)
            with pytest.raises(ClockError, match="Set the one that is wrong"):
                trust_clock(store, reason="I say so", by="the editor", now=wrong)
        trust_clock(store, reason="both are right", by="the editor", now=now)
        require_sound_clock(store, now=now)
    finally:
        store.close()


def test_how_far_it_is_off_is_told_in_words() -> None:
    assert wall_clock._by(timedelta(minutes=7)) == "forward by 7 minutes"
    assert wall_clock._by(-timedelta(hours=49)) == "back by 49 hours"
