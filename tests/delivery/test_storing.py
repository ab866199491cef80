"""A pulled list is stored as a whole or not at all, on either database; what it says about opt-outs with it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mlgroup_mail.consent.applying import lift_suppressions, standing_suppressions
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.contacts.cleaning.cleaned import Cleaned
from mlgroup_mail.contacts.config import PullLimits
from mlgroup_mail.delivery import storing
from mlgroup_mail.delivery.storing import PullResult, store_list
from mlgroup_mail.errors import MailError
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, Signal, SignalKind
from mlgroup_mail.store import Connection, Store, schema
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.transactions import rows
from tests.factories import NOON, make_contact, make_store

KEY = "an erasure key for tests and nothing else"


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        yield made


def cleaned(people: Sequence[Contact], at: datetime = NOON) -> Cleaned:
    """A list as cleaning leaves it: a status "left" is an opt-out."""
    opt_outs = tuple(
        Signal(
            kind=SignalKind.OPT_OUT,
            topic=ALL_TOPICS,
            road=Road.FILE,
            at=at,
            address=contact.address,
            evidence=f"members, row {row}",
        )
        for row, contact in enumerate(people, start=2)
        if contact.status == "left"
    )
    return Cleaned(
        rows=len(people),
        contacts=people,  # type: ignore[arg-type]
        rejected=(),
        noted=(),
        merged=(),
        opt_outs=opt_outs,
        columns=(),
    )


def pull(store: Store, *people: Contact, accept_changes: bool = False, at: datetime = NOON) -> PullResult:
    return store_list(
        store,
        cleaned(people, at),
        sources=["members"],
        now=at,
        limits=PullLimits(),
        accept_changes=accept_changes,
        erasure_key=KEY,
    )


def listed(store: Store) -> list[str]:
    with store.reading() as connection:
        return [each.address for each in contacts_after(connection, 0, 1000)]


def many(count: int, **values: object) -> list[Contact]:
    return [make_contact(number, **values) for number in range(1, count + 1)]


def test_a_status_opts_a_new_person_out_in_the_transaction_that_stores_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(connection: Connection, **_: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(storing, "hold_suspects", fails)
    with pytest.raises(RuntimeError):
        pull(store, make_contact(1, status="left"))
    assert (listed(store), standing_suppressions(store)) == ([], [])
    monkeypatch.undo()
    assert pull(store, make_contact(1, status="left")).opted_out == 1
    (rule,) = standing_suppressions(store)
    assert rule.contact_id is not None
    assert rule.address == "person1@office1.example"


def test_a_status_counts_when_it_is_new_for_that_person(store: Store) -> None:
    assert pull(store, make_contact(1)).opted_out == 0
    assert pull(store, make_contact(1, status="left")).opted_out == 1
    lift_suppressions(
        store, address="person1@office1.example", topic=ALL_TOPICS, by="x", reason="asked to be back", now=NOON
    )
    assert pull(store, make_contact(1, status="left")).opted_out == 0, "the list merely goes on saying it"
    assert pull(store, make_contact(1)).opted_out == 0
    assert pull(store, make_contact(1, status="left"), at=NOON + timedelta(days=9)).opted_out == 1


def test_whoever_somebody_is_by_their_id_decides_whether_a_status_is_new(store: Store) -> None:
    one = make_contact(1, status="left", external_id="members:1")
    assert pull(store, one).opted_out == 1
    lift_suppressions(store, address=one.address, topic=ALL_TOPICS, by="x", reason="asked to be back", now=NOON)
    assert pull(store, replace(one, address="moved@elsewhere.example")).opted_out == 0


def test_many_statuses_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than go through the database in one piece."""
    monkeypatch.setattr("mlgroup_mail.store.staging.CHUNK", 10)
    monkeypatch.setattr("mlgroup_mail.consent.applying.CHUNK", 7)
    people = [make_contact(number, status="left" if number % 3 else "member") for number in range(1, 101)]
    assert pull(store, *people).opted_out == 67
    with store.reading() as connection:
        signals = rows(connection, select(schema.signal).order_by(schema.signal.c.id))
        rules = rows(connection, select(schema.suppression).order_by(schema.suppression.c.id))
    assert [row["contact_id"] for row in rules] == [number for number in range(1, 101) if number % 3]
    assert [row["signal_id"] for row in rules] == [row["id"] for row in signals]
    numbers = [row["number"] for row in rules]
    assert numbers == sorted(set(numbers)) == [row["number"] for row in signals]
    again = pull(store, *people)
    assert (again.opted_out, again.stored.unchanged) == (0, 100)


def test_too_much_change_stops_a_pull_on_either_database(store: Store) -> None:
    pull(store, *many(10))
    stopped = pull(store, *many(3), make_contact(4, country="PT", name="Other"))
    assert stopped.stop is not None
    assert (stopped.stored.left, stopped.stored.changed, stopped.stored.unchanged) == (6, 1, 3)
    assert stopped.stop.people == 10
    assert stopped.stop.fields == {"name": 1, "country": 1}
    assert [each.contact_id for each in stopped.stop.examples] == [5, 6, 7, 8, 9, 10, 4]
    assert stopped.stop.examples[-1].fields == ("name", "country")
    assert len(listed(store)) == 10
    went_on = pull(store, *many(3), make_contact(4, country="PT", name="Other"), accept_changes=True)
    assert (went_on.stop, went_on.stored) == (None, stopped.stored)
    assert len(listed(store)) == 4


def test_ten_examples_show_both_who_leaves_and_who_changes(store: Store) -> None:
    pull(store, *many(40))
    stop = pull(store, *many(20, country="PT")).stop
    assert stop is not None
    assert [bool(each.fields) for each in stop.examples] == [False] * 5 + [True] * 5


def test_suspected_moves_are_found_and_held_on_either_database(store: Store) -> None:
    staff = [make_contact(number, organisation="Office") for number in range(1, 6)]
    pull(store, *staff, make_contact(6, organisation="Office", status="left"))
    moved = [
        replace(make_contact(number, organisation="OFFICE "), address=f"{number}@new.example") for number in (5, 6)
    ]
    first = pull(store, *staff[:4], *moved)
    assert [(move.from_id, move.to_id, move.held) for move in first.moves] == [(6, 8, True), (5, 7, False)]
    (hold,) = [rule for rule in standing_suppressions(store) if rule.kind is SignalKind.REVIEW]
    assert (hold.contact_id, hold.evidence) == (8, "suspected move of contact 6")
    assert pull(store, *staff[:4], *moved).suspected == 0


def test_an_erasure_while_a_list_is_read_is_not_undone_by_it(store: Store) -> None:
    pull(store, *many(3))

    def erase_meanwhile() -> Iterator[Contact]:
        yield from many(3)
        erase_person(store, "2", key=KEY, by="x", reason="asked", now=NOON)

    class List(Sequence[Contact]):
        def __iter__(self) -> Iterator[Contact]:
            return erase_meanwhile()

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: object) -> Contact:  # type: ignore[override]
            raise AssertionError("a list is read once, in its order")

    with pytest.raises(MailError, match="erased while the list was read"):
        store_list(
            store,
            replace(cleaned(()), contacts=List()),  # type: ignore[arg-type]
            sources=["members"],
            now=NOON,
            limits=PullLimits(),
            erasure_key=KEY,
        )
    assert listed(store) == ["person1@office1.example", "person3@office3.example"]
    again = pull(store, *many(3))
    assert (again.erased, again.erased_masked) == (1, ("p…@office2.example",))


def test_whoever_waits_is_told_how_far_it_is(store: Store) -> None:
    told: list[tuple[int, int]] = []
    store_list(
        store,
        cleaned(many(5)),
        sources=["members"],
        now=NOON,
        limits=PullLimits(),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(5, 15), (10, 15), (15, 15)]
