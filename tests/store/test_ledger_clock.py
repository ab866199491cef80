"""The clock of rates does not jump, and a reboot neither forgets a day's mail nor the night that was between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from mlgroup_mail.store import Store, ledger_clock, schema
from mlgroup_mail.store.ledger_clock import ledger_now, ledger_now_guessed
from tests.factories import make_store

HOUR = 3600.0


class Machine:
    """A machine whose clocks a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boot, self.wall, self.up = "first", 1_700_000_000.0, 500.0
        monkeypatch.setattr(ledger_clock, "boot_id", lambda: self.boot)
        monkeypatch.setattr(ledger_clock, "boot_seconds", lambda: self.up)
        monkeypatch.setattr(ledger_clock.time, "time", lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def reboots(self, *, off_for: float) -> None:
        self.boot, self.up = "second", 10.0
        self.wall += off_for + 10.0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        yield made


def now(store: Store) -> float:
    with store.writing() as connection:
        return ledger_now(connection)


def use(store: Store, at: float) -> None:
    with store.writing() as connection:
        connection.execute(insert(schema.rate_use).values(limit="smtp, 86400 s", domain="", at=at, number=1))


def test_setting_the_clock_changes_nothing(store: Store, machine: Machine) -> None:
    before = now(store)
    machine.wall += 24 * HOUR
    machine.passes(60)
    assert now(store) == pytest.approx(before + 60)
    machine.wall -= 72 * HOUR
    assert now(store) == pytest.approx(before + 60)


def test_a_night_in_which_the_machine_was_off_counts(store: Store, machine: Machine) -> None:
    before = now(store)
    use(store, before)
    machine.reboots(off_for=8 * HOUR)
    assert now(store) == pytest.approx(before + 8 * HOUR + 10)


def test_after_a_reboot_with_a_clock_set_back_nothing_lies_in_the_future(store: Store, machine: Machine) -> None:
    before = now(store)
    use(store, before)
    machine.wall -= 72 * HOUR
    machine.reboots(off_for=60)
    assert now(store) == pytest.approx(before)
    machine.passes(30)
    assert now(store) == pytest.approx(before + 30)


def test_only_this_boot_is_remembered(store: Store, machine: Machine) -> None:
    now(store)
    machine.reboots(off_for=60)
    now(store)
    with store.reading() as connection:
        assert connection.execute(select(schema.ledger_clock.c.boot)).scalars().all() == ["second"]


def test_who_only_reads_writes_nothing(store: Store, machine: Machine) -> None:
    with store.reading() as connection:
        assert ledger_now_guessed(connection) == pytest.approx(machine.wall)
        assert connection.execute(select(schema.ledger_clock)).all() == []


def test_on_postgresql_it_is_the_database_s(tmp_path: Path, postgres_url: str, machine: Machine) -> None:
    with closing(make_store(tmp_path, postgres_url)) as store:
        before = now(store)
        machine.wall += 24 * HOUR
        machine.up += 24 * HOUR
        assert 0 <= now(store) - before < HOUR
