"""What is written for many rows at once is what each of them was given."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, select

from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.row_updates import RowUpdate
from tests.factories import make_store, planned_mailing

_DELIVERY = schema.delivery
_UPDATE = RowUpdate(_DELIVERY, ("reason",), where=[_DELIVERY.c.state == "planned"], fixed={"domain": "new.example"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 30)
        yield made


def written(store: Store, reason_of: dict[int, str]) -> tuple[int, list[bool]]:
    """Write these reasons; returns how many rows were met, and of each statement whether it was of one row each."""
    statements: list[bool] = []

    def note(*arguments: object) -> None:
        if str(arguments[2]).startswith("UPDATE"):
            statements.append(bool(arguments[5]))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.writing() as connection:
        met = _UPDATE.run(connection, [{"id": key, "reason": reason} for key, reason in reason_of.items()])
    event.remove(store.engine, "before_cursor_execute", note)
    return met, statements


def kept(store: Store) -> dict[int, tuple[str, str]]:
    with store.reading() as connection:
        found = connection.execute(select(_DELIVERY.c.id, _DELIVERY.c.reason, _DELIVERY.c.domain)).all()
    return {row.id: (row.reason, row.domain) for row in found}


def test_rows_that_become_alike_take_one_statement_and_the_others_one_more(store: Store) -> None:
    ids = sorted(kept(store))
    reasons = dict.fromkeys(ids[:20], "alike") | {key: f"queued as {key}" for key in ids[20:]}
    assert written(store, reasons) == (30, [False, True])
    assert kept(store) == {key: (reason, "new.example") for key, reason in reasons.items()}


@pytest.mark.parametrize("reason", ["alike", "queued as {}"])
def test_rows_that_may_not_be_met_are_not_counted_and_stay(store: Store, reason: str) -> None:
    first, *others = before = kept(store)
    with store.writing() as connection:
        connection.execute(_DELIVERY.update().where(_DELIVERY.c.id == first).values(state="accepted"))
    met, _ = written(store, {key: reason.format(key) for key in before})
    assert met == 29
    assert kept(store)[first] == before[first]
    assert {kept(store)[key] for key in others} == {(reason.format(key), "new.example") for key in others}


def test_nothing_to_write_is_nothing_written(store: Store) -> None:
    assert written(store, {}) == (0, [])
