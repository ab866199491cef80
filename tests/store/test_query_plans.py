"""What is asked for each window is found by an index, however many people, rules and deliveries there are."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from mlgroup_mail.delivery.sending import settle
from mlgroup_mail.store import Store
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.suppressions import standing_rules
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, REF, make_store, planned_mailing, reread

LARGE = ("delivery", "attempt", "contact", "contact_address", "suppression", "signal", "journal", "delivery_event")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 6)
        yield made


@contextmanager
def looked_at(store: Store) -> Iterator[dict[str, str]]:
    """Each statement that is run meanwhile, with how SQLite finds its rows."""
    ran: dict[str, object] = {}
    found: dict[str, str] = {}

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if not isinstance(values, list) and re.match(r"SELECT|UPDATE|DELETE", statement):
            ran[statement] = values

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)
    with store.reading() as connection:
        for statement, values in ran.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
            found[statement] = "\n".join(row[3] for row in plan)


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
    assert {statement: scanned(plan) for statement, plan in found.items() if scanned(plan)} == {}


def test_what_a_tick_asks_first_goes_through_no_table_either(store: Store) -> None:
    dispatch_all(store, RecordingTransport())
    with looked_at(store) as found:
        settle(store, REF, now=NOON)
        with store.reading() as connection:
            batches_of(connection, reread(store), to_go=True)
    # Batches are few: they may be put in order.
    through = [line for plan in found.values() for line in scanned(plan) if line.startswith("SCAN")]
    assert through == []


@pytest.mark.parametrize("many", [6, 200], ids=["a window", "a chunk"])
def test_opt_outs_of_people_who_are_on_no_list_cost_a_claim_nothing(store: Store, many: int) -> None:
    """An imported list may hold a hundred thousand of them. Looked for by what they lack, each claim would read all."""
    with looked_at(store) as found, store.reading() as connection:
        standing_rules(connection, {number: f"{number}@office.example" for number in range(1, many + 1)}, topic="calls")
    (plan,) = (plan for statement, plan in found.items() if "contact_address" in statement)
    tables = [line.split()[1] for line in plan.splitlines() if line.startswith("SEARCH")]
    assert tables == ["suppression", "contact", "suppression", "contact_address", "suppression"]
