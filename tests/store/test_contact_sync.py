"""Who is who when the list is pulled again: nobody lost, nobody doubled, no opt-out undone."""

from pathlib import Path

import pytest
from sqlalchemy import select

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.model import ALL_TOPICS, Contact, ExclusionReason, Road, Signal, SignalKind
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.contact_sync import SyncResult, sync_contacts
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
