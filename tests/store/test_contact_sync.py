"""Who is who when the list is pulled again: nobody lost, nobody doubled, no opt-out undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, select

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.model import ALL_TOPICS, Contact, ExclusionReason, Road, Signal, SignalKind
from mlgroup_mail.store import Store, schema, staging
from mlgroup_mail.store.contact_changes import SyncResult, compare
from mlgroup_mail.store.contact_identity import identify
from mlgroup_mail.store.contact_sync import sync_contacts, write
from mlgroup_mail.store.contacts import contacts_after, find_contact
from mlgroup_mail.store.transactions import rows
from tests.factories import NOON, make_store

ROLE = "ml@office.example"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path)


def person(address: str, external_id: str = "", **values: object) -> Contact:
    return Contact(address=address, external_id=external_id, source="members", **values)  # type: ignore[arg-type]


def pull(store: Store, *people: Contact) -> SyncResult:
    with store.deciding() as connection:
        return sync_contacts(connection, people, sources=frozenset({"members"}), now=NOON)


def listed(store: Store) -> dict[int, str]:
    with store.reading() as connection:
        return {each.contact_id: each.address for each in contacts_after(connection, 0, 100)}


def opt_out(store: Store, address: str, kind: SignalKind = SignalKind.OPT_OUT) -> None:
    signal = Signal(kind=kind, topic=ALL_TOPICS, road=Road.HAND, at=NOON, address=address, evidence="a letter")
    apply_signal(store, signal, now=NOON)


def stopped(store: Store) -> dict[str, ExclusionReason]:
    with store.reading() as connection:
        people = {row["id"]: row["address"] for row in rows(connection, select(schema.contact))}
        return {people[key]: reason for key, reason in restrictions(connection, people, "newsletter").items()}


@pytest.mark.parametrize("successor_first", [True, False])
def test_a_mailbox_that_went_to_a_successor_leaves_both_people_on_the_list(store: Store, successor_first: bool) -> None:
    pull(store, person(ROLE, "1"))
    people = [person("a@office.example", "1"), person(ROLE, "7")]
    result = pull(store, *(people[::-1] if successor_first else people))
    assert (result.added, result.changed, result.left) == (1, 1, 0)
    assert listed(store) == {1: "a@office.example", 2: ROLE}


def test_without_ids_too_a_mailbox_s_new_holder_does_not_take_the_place_of_the_old_one(store: Store) -> None:
    pull(store, person("a@office.example", aliases=(ROLE,)))
    assert pull(store, person(ROLE, name="New"), person("a@office.example")).added == 1
    assert listed(store) == {1: "a@office.example", 2: ROLE}


def test_who_opted_out_at_a_mailbox_stays_so_when_it_passes_on(store: Store) -> None:
    pull(store, person(ROLE, "1"))
    opt_out(store, ROLE)
    pull(store, person(ROLE, "7"), person("a@office.example", "1"))
    assert stopped(store)["a@office.example"] is ExclusionReason.OPTED_OUT
    pull(store, person(ROLE, "7"), person("a@office.example", "1"))
    assert stopped(store)["a@office.example"] is ExclusionReason.OPTED_OUT


def test_a_successor_s_opt_out_is_not_the_former_holder_s(store: Store) -> None:
    pull(store, person(ROLE, "1"))
    pull(store, person("a@office.example", "1"), person(ROLE, "7"))
    opt_out(store, ROLE)
    assert stopped(store) == {ROLE: ExclusionReason.OPTED_OUT}


def test_an_opt_out_of_before_somebody_joined_goes_with_them(store: Store) -> None:
    opt_out(store, ROLE)
    pull(store, person(ROLE, "1"))
    pull(store, person("a@office.example", "1"))
    assert stopped(store) == {"a@office.example": ExclusionReason.OPTED_OUT}


def test_mailboxes_can_be_exchanged_in_one_pull(store: Store) -> None:
    pull(store, person("a@office.example", "1"), person("b@office.example", "2"))
    assert pull(store, person("b@office.example", "1"), person("a@office.example", "2")).changed == 2
    assert listed(store) == {1: "b@office.example", 2: "a@office.example"}


def test_a_mailbox_of_somebody_who_left_can_go_to_a_known_colleague(store: Store) -> None:
    pull(store, person(ROLE, "1"), person("b@office.example", "2"))
    pull(store, person("b@office.example", "2"))
    assert pull(store, person(ROLE, "2")).changed == 1
    assert listed(store) == {2: ROLE}
    with store.reading() as connection:
        found = find_contact(connection, ROLE)
    assert found is not None
    assert found.contact_id == 2, "whoever has it now, before whoever had it"


def test_who_comes_back_is_the_same_person(store: Store) -> None:
    pull(store, person(ROLE))
    pull(store)
    assert pull(store, person(ROLE.upper(), name="Back")).returned == 1
    assert list(listed(store)) == [1]


def test_who_vanished_and_comes_back_still_has_their_opt_out(store: Store) -> None:
    pull(store, person("a@office.example"), person("b@office.example"))
    opt_out(store, "a@office.example")
    assert pull(store, person("b@office.example")).left == 1
    assert pull(store, person("A@office.example"), person("b@office.example")).returned == 1
    assert stopped(store) == {"A@office.example": ExclusionReason.OPTED_OUT}


def test_a_mailbox_s_present_holder_comes_before_one_who_left(store: Store) -> None:
    pull(store, person(ROLE, "members:1"), person("b@office.example", "members:2"))
    pull(store, person(ROLE, "members:2"))
    result = pull(store, person(ROLE))
    assert (result.changed, result.returned, result.left) == (1, 0, 0)
    assert listed(store) == {2: ROLE}


def test_ids_of_two_sources_do_not_contradict_each_other(store: Store) -> None:
    pull(store, person(ROLE, "members:1"))
    assert pull(store, person(ROLE, "board:9")).changed == 1
    assert pull(store, person(ROLE, "board:8")).added == 1, "two ids of one source are two people"


def test_an_alias_that_is_the_address_in_other_letters_is_no_other_address(store: Store) -> None:
    pull(store, person("A@office.example", aliases=("a@OFFICE.example", "b@office.example")))
    with store.reading() as connection:
        known = rows(connection, select(schema.contact_address).order_by(schema.contact_address.c.address_key))
    assert [(row["address_key"], row["current"]) for row in known] == [
        ("a@office.example", True),
        ("b@office.example", False),
    ]


def test_a_new_alias_is_kept_without_the_person_having_changed(store: Store) -> None:
    pull(store, person("a@office.example"))
    assert pull(store, person("a@office.example", aliases=("b@office.example",))).unchanged == 1
    assert pull(store, person("b@office.example")).changed == 1
    assert listed(store) == {1: "b@office.example"}


def test_the_contacts_are_read_once_and_a_few_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "CHUNK", 3)

    def people() -> Iterator[Contact]:
        for number in range(10):
            with store.reading() as connection:
                assert connection.execute(select(schema.contact)).first() is None
            yield person(f"{number}@office.example", f"members:{number}", themes=("nlp",) * (number % 2))

    with store.preparing() as connection:
        with connection.begin():
            staging.make_tables(connection)
            told: list[int] = []
            staging.stage(connection, people(), progress=told.append)
        with store.deciding(on=connection):
            identify(connection)
            result = compare(connection, sources=frozenset({"members"}))
            write(connection, now=NOON)
    assert (result.added, told) == (10, [3, 6, 9, 10])
    assert list(listed(store).values()) == [f"{number}@office.example" for number in range(10)]


def test_what_was_prepared_ends_with_its_connection(store: Store) -> None:
    with store.preparing() as connection, connection.begin():
        staging.make_tables(connection)
    with store.preparing() as connection, connection.begin():
        assert "incoming" not in inspect(connection).get_temp_table_names()


def test_the_indexes_that_the_first_pull_makes_afterwards_are_there(store: Store) -> None:
    pull(store, person("a@office.example", "members:1"))
    with store.reading() as connection:
        found = inspect(connection)
        names = {index["name"] for table in ("contact", "contact_address") for index in found.get_indexes(table)}
    assert {"ix_contact_external_id", "ix_contact_address_mailbox"} <= names


def test_a_list_that_is_numbered_anew_gives_nobody_another_s_opt_outs(store: Store) -> None:
    names = ("Ana", "Ben", "Cleo", "Dan")
    everybody = [person(f"{name}@office.example".lower(), f"members:{n}", name=name) for n, name in enumerate(names)]
    pull(store, *everybody)
    opt_out(store, "cleo@office.example")
    left = [person(each.address, f"members:{n}", name=each.name) for n, each in enumerate(everybody[1:])]
    assert pull(store, *left).left == 1
    assert listed(store) == {2: "ben@office.example", 3: "cleo@office.example", 4: "dan@office.example"}
    assert stopped(store) == {"cleo@office.example": ExclusionReason.OPTED_OUT}


def test_an_id_holds_though_name_and_address_change(store: Store) -> None:
    """As after a wedding."""
    pull(
        store,
        person("ana.novak@office.example", "members:1", name="Ana Novak"),
        person("b@office.example", "members:2"),
    )
    pull(
        store,
        person("ana.costa@office.example", "members:1", name="Ana Costa"),
        person("b@office.example", "members:2"),
    )
    assert listed(store) == {1: "ana.costa@office.example", 2: "b@office.example"}
