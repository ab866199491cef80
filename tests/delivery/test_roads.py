"""Deaf is mute: nobody is written to while a road by which people opt out goes unread."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery import roads
from mlgroup_mail.errors import DeafRoadError
from mlgroup_mail.model import Road
from mlgroup_mail.store import Store
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.factories import NOON

DAY, SECOND = timedelta(hours=24), timedelta(seconds=1)


def silent(store: Store, now: datetime) -> list[str]:
    with store.reading() as connection:
        return [road.name for road in roads.deaf(connection, now=now)]


def test_a_new_road_is_waited_for_for_a_day_from_its_configuration(store: Store) -> None:
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    assert silent(store, NOON + DAY - SECOND) == []
    assert silent(store, NOON + DAY) == ["shared"]
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON + DAY)
    assert silent(store, NOON + DAY) == ["shared"], "a start of the program is no reading"


def test_a_road_that_was_read_is_good_for_another_day(store: Store) -> None:
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    roads.heard(store, "shared", at=NOON + DAY)
    assert silent(store, NOON + 2 * DAY - SECOND) == []
    roads.heard(store, "shared", at=NOON)
    assert silent(store, NOON + 2 * DAY - SECOND) == [], "what was read before counts no less for an older reading"
    assert silent(store, NOON + 2 * DAY) == ["shared"]


def test_nothing_is_heard_later_than_now(store: Store) -> None:
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    roads.heard(store, "shared", at=NOON + 365 * DAY, clock=FixedClock(NOON + SECOND))
    assert silent(store, NOON + DAY) == []
    assert silent(store, NOON + DAY + SECOND) == ["shared"]


def test_what_a_clock_that_was_ahead_has_noted_counts_as_nothing_heard(store: Store) -> None:
    """Neither does it keep a road from being deaf, nor one that is read again from being heard."""
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    ahead = NOON + 365 * DAY
    roads.heard(store, "shared", at=ahead, clock=FixedClock(ahead))
    assert silent(store, NOON + DAY) == ["shared"]
    roads.heard(store, "shared", at=NOON + DAY, clock=FixedClock(NOON + DAY))
    assert silent(store, NOON + 2 * DAY - SECOND) == []
    assert silent(store, NOON + 2 * DAY) == ["shared"]


def test_a_road_configured_while_the_clock_was_ahead_counts_from_the_next_start(store: Store) -> None:
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON + 365 * DAY)
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    assert silent(store, NOON + DAY) == ["shared"]


def test_a_failure_is_told_and_counts_as_silence_until_it_is_read_again(store: Store) -> None:
    roads.register(store, Road.PROVIDER, ["bounces"], now=NOON)
    roads.heard(store, "bounces", at=NOON)
    roads.failed(store, "bounces", at=NOON + DAY, error="the login was refused")
    with store.reading() as connection, pytest.raises(DeafRoadError) as caught:
        roads.require_hearing(connection, now=NOON + DAY)
    for words in ("the provider “bounces”", "2021-10-20 12:00 UTC", "the login was refused", "out of the settings"):
        assert words in str(caught.value)
    roads.heard(store, "bounces", at=NOON + DAY)
    with store.reading() as connection:
        roads.require_hearing(connection, now=NOON + DAY)


def test_a_road_that_is_configured_no_more_counts_no_more_and_others_go_on_counting(store: Store) -> None:
    roads.register(store, Road.MAILBOX, ["shared", "old"], now=NOON)
    roads.register(store, Road.PAGE, ["pages"], now=NOON)
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    assert silent(store, NOON + DAY) == ["pages", "shared"]
    roads.register(store, Road.MAILBOX, [], now=NOON)
    assert silent(store, NOON + DAY) == ["pages"]
    roads.heard(store, "old", at=NOON + DAY)
    roads.failed(store, "old", at=NOON + DAY, error="gone")
    assert silent(store, NOON + DAY) == ["pages"], "whoever still reads it does not bring it back"


def test_a_long_run_asks_again_and_stops_when_a_road_falls_silent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    roads.register(store, Road.MAILBOX, ["shared"], now=NOON)
    passed = [0.0]
    monkeypatch.setattr(roads, "boot_seconds", lambda: passed[0])
    hearing = roads.Hearing(FixedClock(NOON + DAY))
    with store.reading() as connection, pytest.raises(DeafRoadError):
        hearing.require(connection)
    patient = roads.Hearing(FixedClock(NOON))
    with store.reading() as connection:
        patient.require(connection)
        patient._clock = FixedClock(NOON + DAY)
        patient.require(connection)  # Within the minute it does not ask again: claims are many.
        passed[0] = 60.0
        with pytest.raises(DeafRoadError):
            patient.require(connection)


@pytest.fixture
def ledger(letter: Path) -> Iterator[Store]:
    """The ledger of the project in the current directory."""
    with closing(Store(f"sqlite:///{letter / 'var' / 'mlgroup.db'}", state=letter / "var")) as opened:
        yield opened


def test_send_and_dispatch_hold_and_say_why_and_go_on_by_themselves(run: Run, ledger: Store, use: Settings) -> None:
    now = datetime(2021, 11, 2, 10, tzinfo=UTC)
    use({"MLGROUP_NOW": now.isoformat()})
    roads.register(ledger, Road.MAILBOX, ["shared"], now=now - DAY)
    roads.failed(ledger, "shared", at=now, error="the server does not answer")
    for order in (("send", LETTER, "--live"), ("dispatch", "--live"), ("send", LETTER, "--live", "--json")):
        held = run(*order)
        assert (held.code, held.out) == (1, "")
        assert "the mailbox “shared” has never been read" in held.text
        assert "the server does not answer" in held.text
    shown = run("status", LETTER, "--json").json
    assert (shown["state"], shown["counts"]["planned"]) == ("approved", 0), "nothing was even begun"
    assert any("the mailbox “shared” has never been read" in remark for remark in shown["remarks"])
    assert "the mailbox “shared” has never been read" in run("status").text
    roads.heard(ledger, "shared", at=now)
    done = run("dispatch", "--live", "--json")
    assert (done.code, done.json["mailings"][0]["state"]) == (0, "finished")


def test_doctor_tells_of_roads(run: Run, ledger: Store) -> None:
    def told() -> tuple[str, str]:
        (check,) = [each for each in run("doctor", "--json").json["checks"] if each["name"] == "roads"]
        return check["result"], check["detail"]

    assert told() == ("pass", "none is configured: opt-outs come by hand and by file")
    now = datetime.now(UTC)
    roads.register(ledger, Road.MAILBOX, ["shared"], now=now)
    assert told() == ("pass", "mailbox “shared”")
    roads.failed(ledger, "shared", at=now, error="the login was refused")
    assert told()[0] == "warn"
    with sqlite3.connect(str(ledger.file)) as connection:
        connection.execute("UPDATE road SET configured_at = '2021-01-01 00:00:00.000000'")
    connection.close()
    result, detail = told()
    assert result == "fail"
    assert "nothing is sent" in detail
