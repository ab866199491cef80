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
from mlgroup_mail.store.joining import add_person
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


def test_an_opt_out_that_the_list_states_is_of_the_person_of_the_row(store: Store) -> None:
    """Whoever else has that mailbox."""
    anna = make_contact(1, external_id="members:1")
    pull(store, anna)
    with store.deciding() as connection:
        add_person(
            connection, replace(make_contact(9, source=""), address="team@office.example"), origin="hand", now=NOON
        )
    shared = replace(anna, address="team@office.example", status="left")
    assert pull(store, shared, accept_changes=True, at=NOON + timedelta(days=1)).opted_out == 1
    (rule,) = standing_suppressions(store)
    assert (rule.contact_id, rule.address) == (1, "team@office.example")


def test_erasing_somebody_does_not_remove_who_shares_a_mailbox_with_them(store: Store) -> None:
    anna, ben = make_contact(1, external_id="members:1"), make_contact(2, external_id="members:2")
    pull(store, replace(anna, address="team@office.example"), ben)
    ben = replace(ben, aliases=("team@office.example",))
    pull(store, anna, ben, accept_changes=True)
    erase_person(store, anna.address, key=KEY, by="x", reason="asked", now=NOON)
    for each in (ben, replace(ben, address="team@office.example", aliases=(ben.address,))):
        pulled = pull(store, each, accept_changes=True)
        assert (pulled.erased, listed(store)) == (0, [each.address])


def test_an_erased_address_is_only_taken_out_of_the_row_of_somebody_else(store: Store) -> None:
    anna, ben = make_contact(1), make_contact(2)
    pull(store, anna, ben)
    erase_person(store, anna.address, key=KEY, by="x", reason="asked", now=NOON)
    pulled = pull(store, replace(ben, aliases=(anna.address,)))
    assert (pulled.erased, listed(store)) == (0, [ben.address])
    with store.reading() as connection:
        known = [row["address_key"] for row in rows(connection, select(schema.contact_address))]
    assert known == [ben.address]


def test_people_of_a_source_that_is_configured_no_longer_are_told_and_leave_when_that_is_accepted(store: Store) -> None:
    pull(store, make_contact(1), make_contact(2, source="old"))
    with store.deciding() as connection:
        add_person(connection, make_contact(3, source=""), origin="page", now=NOON)
    told = pull(store, make_contact(1))
    assert (told.orphaned, told.orphans_left, len(listed(store))) == (1, 0, 3)
    accepted = pull(store, make_contact(1), accept_changes=True)
    assert (accepted.orphaned, accepted.orphans_left) == (0, 1)
    assert listed(store) == ["person1@office1.example", "person3@office3.example"]
    assert pull(store, make_contact(1)).orphaned == 0


def test_a_source_that_was_only_renamed_leaves_nobody_behind(store: Store) -> None:
    pull(store, make_contact(1, source="old"))
    assert pull(store, make_contact(1)).orphaned == 0


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (("Ana Costa", ""), ("Ana Costa", ""), True),
        (("Ana Costa", "Office"), ("Ana Costa", ""), True),
        (("Costa, Ana", "INE"), ("Ána COSTA", "I.N.E."), False),
        (("Costa, Ana", "INE"), ("Ána COSTA", "ine."), True),
        (("Ana Costa", "INE"), ("Ana Costa", "Statec"), False),
        (("Ana Costa", ""), ("Ana Sousa", ""), False),
        (("", ""), ("", ""), False),
        (("-", ""), ("-", ""), False),
    ],
)
def test_a_new_one_with_the_name_of_somebody_who_had_opted_out_is_held(
    store: Store, before: tuple[str, str], after: tuple[str, str], held: bool
) -> None:
    """However the name is written, and without an organisation too."""
    pull(store, make_contact(1, name=before[0], organisation=before[1], status="left"))
    new = make_contact(2, name=after[0], organisation=after[1])
    pulled = pull(store, new, accept_changes=True)
    assert pulled.suspected == held
    kinds = [rule.kind for rule in standing_suppressions(store, address=new.address)]
    assert kinds == [SignalKind.REVIEW] * held


def test_of_people_who_had_not_opted_out_a_name_alone_says_nothing(store: Store) -> None:
    pull(store, make_contact(1, name="Ana Costa", organisation=""))
    assert pull(store, make_contact(2, name="Ana Costa", organisation="Office"), accept_changes=True).suspected == 0
