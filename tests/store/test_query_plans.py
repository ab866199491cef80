"""What is asked for each window is found by an index, however many people, rules and deliveries there are."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.settling import others_are_attempting, settle
from mlgroup_mail.model import OutcomeKind
from mlgroup_mail.store import Store, transitions
from mlgroup_mail.store.clock_marks import last_live_attempt_at
from mlgroup_mail.store.deliveries import deliveries, deliveries_to
from mlgroup_mail.store.failures import PauseRule, pause_where_too_much_fails
from mlgroup_mail.store.mailings import cancel_mailing, mailings_not_over
from mlgroup_mail.store.moved_deliveries import redirect, unite
from mlgroup_mail.store.owners import begin_owner, give_up_dead
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.soft_bounces import mailbox_events
from mlgroup_mail.store.suppressions import standing_rules
from tests.delivery.ledgers import RecordingTransport, counts, dispatch_all
from tests.factories import NOON, REF, make_store, planned_mailing, reread

LARGE = ("delivery", "attempt", "contact", "contact_address", "suppression", "signal", "journal", "delivery_event")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 6)
        yield made


@contextmanager
def looked_at(store: Store) -> Iterator[dict[str, str]]:
    """Each statement that is run meanwhile, with how the database finds its rows."""
    executed: dict[str, object] = {}
    found: dict[str, str] = {}

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if not isinstance(values, list) and re.match(r"SELECT|UPDATE|DELETE", statement):
            executed[statement] = values

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)
    explain, part = ("EXPLAIN QUERY PLAN", 3) if store.on_sqlite else ("EXPLAIN", 0)
    with store.reading() as connection:
        for statement, values in executed.items():
            plan = connection.exec_driver_sql(f"{explain} {statement}", values)  # type: ignore[arg-type]
            found[statement] = "\n".join(row[part] for row in plan)


@contextmanager
def ran(store: Store) -> Iterator[list[str]]:
    """Each statement that is run meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)


def all_scanned(found: dict[str, str]) -> dict[str, list[str]]:
    """Of each statement that does it, what it goes through."""
    return {statement: scanned(plan) for statement, plan in found.items() if scanned(plan)}


def scanned(plan: str) -> list[str]:
    """The large tables that are gone through from end to end, and what has to be sorted before the first is known."""
    return [
        line
        for line in plan.splitlines()
        if (line.startswith("SCAN ") and line.split()[1] in LARGE) or line.startswith("USE TEMP B-TREE")
    ]


def test_a_window_is_claimed_and_recorded_without_going_through_a_table(store: Store) -> None:
    with looked_at(store) as found:
        dispatch_all(store, RecordingTransport())
    assert len(found) > 15
    assert all_scanned(found) == {}


def test_what_a_tick_asks_first_goes_through_no_table_either(store: Store) -> None:
    dispatch_all(store, RecordingTransport())
    with looked_at(store) as found:
        settle(store, REF, now=NOON)
        with store.reading() as connection:
            batches_of(connection, reread(store), to_go=True)
    # Batches are few: they may be put in order.
    through = [line for plan in found.values() for line in scanned(plan) if line.startswith("SCAN")]
    assert through == []


def test_a_window_with_a_failure_looks_at_the_latest_answers_and_not_through_the_mailing(store: Store) -> None:
    dispatch_all(store, RecordingTransport(OutcomeKind.REFUSED))
    with looked_at(store) as found, store.writing() as connection:
        pause_where_too_much_fails(connection, reread(store).mailing_id, PauseRule(), now=NOON)
    assert all_scanned(found) == {}
    (latest,) = (plan for statement, plan in found.items() if "LIMIT" in statement and "delivery" in statement)
    assert "SEARCH delivery USING COVERING INDEX ix_delivery_attempt" in latest
    # Found by nothing but their mailing, they would be all of a million.
    assert not re.search(r"SEARCH delivery .*\(mailing_id=\?\)", "\n".join(found.values()))


def test_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Its planner looks at how many there are: of a few it reads all."""
    with closing(make_store(tmp_path, postgres_url)) as store:
        mailing = planned_mailing(store, 5000)
        everybody = text(
            "INSERT INTO attempt (id, delivery_id, owner_id, number, transport, begun_at, outcome, detail, scope) "
            "SELECT id, id, :owner, id, 'smtp', changed_at, 'accepted', '', 'recipient' FROM delivery"
        )
        owner = begin_owner(store, now=NOON)
        with owner.lock_file, store.writing() as connection:
            connection.execute(everybody, {"owner": owner.owner_id})
            connection.execute(text("UPDATE delivery SET state = 'accepted', attempts = 1, attempt_id = id"))
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        with looked_at(store) as found, store.writing() as connection:
            pause_where_too_much_fails(connection, mailing.mailing_id, PauseRule(), now=NOON)
        plans = "\n".join(found.values())
    assert "Index Scan Backward using ix_delivery_attempt" in plans
    assert re.findall(r"(?:Seq Scan on (?:delivery|attempt)|Sort) .*", plans) == []


@pytest.mark.parametrize("tried", [False, True], ids=["nothing tried", "all tried"])
def test_whoever_only_looks_how_a_mailing_stands_keeps_nobody_waiting(store: Store, tried: bool) -> None:
    """Nothing is written where nothing is to do: not for the mailing, and not for processes that are alive."""
    if tried:
        dispatch_all(store, RecordingTransport())
        settle(store, REF, now=NOON)
    owner = begin_owner(store, now=NOON)
    with owner.lock_file, ran(store) as statements:
        give_up_dead(store, now=NOON)
        settle(store, REF, now=NOON)
        assert not others_are_attempting(store, REF, now=NOON)
    assert len(statements) > 5
    assert [each for each in statements if not each.startswith(("SELECT", "BEGIN"))] == []
    assert "BEGIN IMMEDIATE" not in statements


def test_a_large_mailing_ends_in_short_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opts out waits for a few hundred deliveries at most, not for a million."""
    monkeypatch.setattr(transitions, "AT_ONCE", 2)
    with ran(store) as statements:
        assert ordering.cancel(store, REF, reason="wrong text", by="the editor", now=NOON) == 6
    assert counts(store) == {"cancelled": 6}
    assert statements.count("BEGIN IMMEDIATE") == 3


def test_what_an_interrupted_cancelling_left_is_cancelled_by_the_next_dispatch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions, "AT_ONCE", 2)
    with store.writing() as connection:
        cancel_mailing(connection, reread(store).mailing_id, reason="wrong text", by="the editor", now=NOON)
    assert counts(store) == {"cancelled": 2, "planned": 4}
    with store.reading() as connection:
        assert [mailing.ref for mailing in mailings_not_over(connection)] == [REF]
    settle(store, REF, now=NOON)
    assert counts(store) == {"cancelled": 6}


def test_somebody_s_deliveries_are_looked_up_mailing_by_mailing(store: Store) -> None:
    """`explain` does it, and a pull that moves a hundred people does it a hundred times, while others wait."""
    with looked_at(store) as found, store.writing() as connection:
        deliveries_to(connection, 1)
        redirect(connection, 1, "moved@office.example", now=NOON)
        unite(connection, 2, 3, now=NOON)
    assert not [line for plan in found.values() for line in scanned(plan) if line.startswith("SCAN")]
    assert sum("(mailing_id=? AND contact_id=?)" in plan for plan in found.values()) >= 4


def test_what_mailboxes_have_said_is_looked_up_by_their_addresses(store: Store) -> None:
    """A chunk of events or a page of a list asks it while every claim and every click waits."""
    with looked_at(store) as found, store.reading() as connection:
        mailbox_events(connection, ["person1@office1.example", "person2@office2.example"])
    (plan,) = (plan for statement, plan in found.items() if "delivery_event" in statement)
    # Found by nothing but their mailings, they would be all that were ever written to.
    assert "SEARCH delivery USING INDEX uq_delivery_mailing_address (mailing_id=? AND address_key=?)" in plan
    assert all_scanned(found) == {}


def test_the_log_of_a_mailing_is_read_from_where_its_index_has_it(store: Store) -> None:
    with looked_at(store) as found, store.reading() as connection:
        assert len(list(deliveries(connection, reread(store)))) == 6
    assert all_scanned(found) == {}


def test_what_a_tick_asks_of_all_mailings_goes_through_no_delivery_and_no_attempt(store: Store) -> None:
    dispatch_all(store, RecordingTransport())
    settle(store, REF, now=NOON)
    with looked_at(store) as found, store.reading() as connection:
        assert mailings_not_over(connection) == []
        last_live_attempt_at(connection, after=10**9)
    assert len(found) == 2
    through = [line for plan in found.values() for line in scanned(plan) if line.startswith("SCAN")]
    # From the latest backwards, to the first that left the machine.
    assert through == ["SCAN attempt"]
    assert all("LIMIT" in statement for statement, plan in found.items() if "SCAN attempt" in plan)


@pytest.mark.parametrize("many", [6, 200], ids=["a window", "a chunk"])
def test_opt_outs_of_people_who_are_on_no_list_cost_a_claim_nothing(store: Store, many: int) -> None:
    """An imported list may hold a hundred thousand of them. Looked for by what they lack, each claim would read all."""
    with looked_at(store) as found, store.reading() as connection:
        standing_rules(connection, {number: f"{number}@office.example" for number in range(1, many + 1)}, topic="calls")
    (plan,) = (plan for statement, plan in found.items() if "contact_address" in statement)
    tables = [line.split()[1] for line in plan.splitlines() if line.startswith("SEARCH")]
    assert tables == ["suppression", "contact", "suppression", "contact_address", "suppression"]
