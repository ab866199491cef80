"""What is written for many rows at once is what each of them was given."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.row_updates import RowUpdate
from tests.factories import NOON, make_store, planned_mailing

_DELIVERY = schema.delivery
_UPDATE = RowUpdate(_DELIVERY, ("reason",), where=[_DELIVERY.c.state == "planned"], fixed={"domain": "new.example"})
_SEVERAL = RowUpdate(_DELIVERY, ("reason", "next_at", "claim_group"), common=["changed_at"])
_TEXTS = ["", 'he said "no"', "back\\slash \\u0000", "Grüße, 統計, 🎉", "a\u2028b\tc\nd", "it's", "$[0]", "null", "7"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 30)
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, 30)
        yield made


def written(store: Store, reason_of: dict[int, str]) -> tuple[int, int]:
    """Write these reasons; returns how many rows were met, and by how many statements."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        if str(arguments[2]).startswith("UPDATE"):
            statements.append(str(arguments[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.writing() as connection:
        met = _UPDATE.run(connection, [{"id": key, "reason": reason} for key, reason in reason_of.items()])
    event.remove(store.engine, "before_cursor_execute", note)
    return met, len(statements)


def kept(store: Store) -> dict[int, tuple[str, str]]:
    with store.reading() as connection:
        found = connection.execute(select(_DELIVERY.c.id, _DELIVERY.c.reason, _DELIVERY.c.domain)).all()
    return {row.id: (row.reason, row.domain) for row in found}


def test_rows_that_become_alike_take_one_statement_and_the_others_one_more(store: Store) -> None:
    ids = sorted(kept(store))
    reasons = dict.fromkeys(ids[:20], "alike") | {key: f"queued as {key}" for key in ids[20:]}
    assert written(store, reasons) == (30, 2)
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
    assert written(store, {}) == (0, 0)


Values = tuple[str, datetime | None, int | None]


def write_several(store: Store, values: dict[int, Values], *, at: datetime) -> None:
    rows = [
        {"id": key, "reason": reason, "next_at": next_at, "claim_group": group}
        for key, (reason, next_at, group) in values.items()
    ]
    with store.writing() as connection:
        assert _SEVERAL.run(connection, rows, {"changed_at": at}) == len(rows)


def several(store: Store) -> dict[int, tuple[object, ...]]:
    columns = (_DELIVERY.c.reason, _DELIVERY.c.next_at, _DELIVERY.c.claim_group, _DELIVERY.c.changed_at)
    with store.reading() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(select(_DELIVERY.c.id, *columns))}


@pytest.mark.parametrize("many", [1, 15], ids=["each its own", "many alike"])
def test_every_kind_of_value_comes_back_as_it_was_given(either: Store, many: int) -> None:
    """Texts with quotes, breaks and signs of every script, moments to the microsecond, large numbers, and nothing."""
    ids = sorted(several(either))
    at = NOON + timedelta(microseconds=1)
    for text in _TEXTS:
        values: list[Values] = [(text, NOON + timedelta(microseconds=7), 2**62), (text, None, None)]
        given = {key: values[number % 2] for number, key in enumerate(ids[: 2 * many])}
        write_several(either, given, at=at)
        found = several(either)
        assert {key: found[key] for key in given} == {key: (*value, at) for key, value in given.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), max_size=30))
def test_any_text_comes_back_as_it_was_given(store: Store, texts: list[str]) -> None:
    values: dict[int, Values] = {
        key: (text, None, None) for key, text in zip(sorted(several(store)), texts, strict=False)
    }
    write_several(store, values, at=NOON)
    found = several(store)
    assert {key: found[key][0] for key in values} == {key: value[0] for key, value in values.items()}
