"""Forgetting on a real PostgreSQL: by a person's wish, by the clock, and while somebody else decides."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.consent.files import Import, import_file
from mlgroup_mail.delivery import tidying
from mlgroup_mail.delivery.forgetting import forget_person
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.model.retention import Retained
from mlgroup_mail.settings.retention import Retention
from mlgroup_mail.store import Store, schema, verification, verification_order
from mlgroup_mail.store.belongings import belongings
from mlgroup_mail.store.opt_out_timing import timed_opt_outs
from mlgroup_mail.store.person_record import read_record
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, make_store, planned_mailing

KEY = "k" * 32
LATER = NOON + timedelta(days=10 * 365)


@pytest.fixture
def store(tmp_path: Path, postgres_url: str) -> Iterator[Store]:
    """Forty people who got a mailing; the last ten have left since, of whom two had opted out."""
    with closing(make_store(tmp_path, postgres_url)) as made:
        planned_mailing(made, 40)
        dispatch_all(made, RecordingTransport())
        for number in (39, 40):
            apply_signal(made, opt_out(number), now=NOON)
        with made.writing() as connection:
            connection.execute(text("UPDATE contact SET left_at = :at WHERE id > 30"), {"at": NOON})
            connection.execute(text("UPDATE mailing SET state = 'finished'"))
            connection.execute(insert(schema.join_request), [wish_to_join(number) for number in range(7)])
            connection.execute(insert(schema.provider_entry), [list_entry(number) for number in range(1, 41)])
        yield made


def wish_to_join(number: int) -> dict[str, object]:
    address = f"curious{number}@else.example"
    blank = dict.fromkeys(("name", "organisation", "country", "language", "kept_back"), "")
    return {**blank, "address": address, "address_key": address, "mailbox": address, "asked_at": NOON, "tries": 0}


def list_entry(number: int) -> dict[str, object]:
    address = f"person{number}@office{number % 7}.example"
    return {"address_key": address, "address": address, "list": "blocks", "created": NOON, "bounce": "soft"}


def opt_out(number: int) -> Signal:
    return Signal(
        kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.HAND, at=NOON, contact_id=number, reason="r", evidence="e"
    )


def violations(store: Store) -> list[str]:
    checks = (
        *(verification.accepted_twice, verification.lost, verification.attempted_after_opt_out),
        *(verification.unexplained, verification.lifted_by_nobody, verification.not_forgotten),
        *(verification_order.misplaced, verification_order.attempts_astray, verification_order.numbers_out_of_order),
    )
    with store.reading() as connection:
        return [violation for check in checks for violation in check(connection)]


def test_what_is_held_is_told_forgotten_and_known_again(store: Store, tmp_path: Path) -> None:
    with store.reading() as connection:
        record = read_record(connection, belongings(connection, "3"))
    (address,) = (row["address"] for row in record.contacts)
    assert [each.row["address"] for each in record.deliveries] == [address]
    forget_person(store, tmp_path / "outbox", address, key=KEY, by="x", reason="asked", now=NOON)
    with store.reading() as connection:
        assert read_record(connection, belongings(connection, address)).is_empty
    path = tmp_path / "out.csv"
    path.write_text(f"address\n{address.upper()}\n", encoding="utf-8")
    imported = import_file(store, path, Import(topics=(), erasure_key=KEY), now=NOON)
    assert (imported.applied, imported.erased) == (0, 1)
    assert violations(store) == []


def test_the_clock_forgets_in_small_steps_while_others_decide(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "STEP", 3)
    limits = Retention().limits(LATER)
    overdue = tidying.count_overdue(store, tmp_path, limits)
    assert overdue.numbers[Retained.LEFT_CONTACTS] == 10, "two of them only in part"
    assert overdue.numbers[Retained.DELIVERY_DETAILS] == 40
    assert overdue.numbers[Retained.JOIN_REQUESTS] == 7
    assert overdue.numbers[Retained.PROVIDER_LISTS] == 38, "two of them are still opted out"
    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(tidying.tidy, store, tmp_path, limits, by="x", now=LATER, stop=Stop())
        deciding = [pool.submit(apply_signal, store, opt_out(number), now=LATER) for number in range(1, 10)]
        assert all(each.result(60).new for each in deciding)
        assert working.result(60).numbers[Retained.LEFT_CONTACTS] == 10
    assert tidying.count_overdue(store, tmp_path, limits).total == 0
    assert violations(store) == []
    with store.reading() as connection:
        standing = {each.contact_id for each in timed_opt_outs(connection)}
    assert standing == {*range(1, 10), *range(31, 41)}


def test_erasing_and_tidying_the_same_people_at_once_leaves_them_forgotten(store: Store, tmp_path: Path) -> None:
    limits = Retention().limits(LATER)
    with ThreadPoolExecutor(3) as pool:
        working = pool.submit(tidying.tidy, store, tmp_path, limits, by="x", now=LATER, stop=Stop())
        erased = [
            pool.submit(erase_person, store, str(number), key=KEY, by="x", reason="asked", now=LATER)
            for number in (1, 2, 39, 40)
        ]
        assert [each.result(60).contact_id for each in erased] == [1, 2, 39, 40]
        working.result(60)
    assert tidying.count_overdue(store, tmp_path, limits).total == 0
    assert violations(store) == []
