"""What is told of many people at once is what is known of each."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.consent.applying import apply_signal, lift_suppressions
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Road, Signal, SignalKind
from mlgroup_mail.store import Store, suppressions
from mlgroup_mail.store.answers import accepted_between
from mlgroup_mail.store.contact_overview import count_people, overviews, rules_between, sources_with_ids
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.moving import move_person
from mlgroup_mail.store.suppressions import standing_rules
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, REF, add_contacts, make_contact, make_store, planned_mailing, reread

SOURCES = frozenset({"members"})
ADDRESSES = ["ann@x.example", "ben@x.example", "cleo@x.example", "old@x.example", "nobody@x.example"]
SIGNALS = st.lists(
    st.builds(
        Signal,
        kind=st.sampled_from([SignalKind.OPT_OUT, SignalKind.BOUNCE, SignalKind.COMPLAINT, SignalKind.REVIEW]),
        topic=st.sampled_from(["*", "newsletter", "calls"]),
        road=st.sampled_from(Road),
        at=st.just(NOON),
        address=st.sampled_from(ADDRESSES),
        evidence=st.uuids().map(str),
    ),
    max_size=6,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path / "state")) as made:
        yield made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(before=SIGNALS, after=SIGNALS, lifted=st.sampled_from(ADDRESSES), many=st.sampled_from([0, 100]))
def test_the_rules_of_many_are_those_that_a_claim_finds(
    tmp_path_factory: pytest.TempPathFactory, before: list[Signal], after: list[Signal], lifted: str, many: int
) -> None:
    """Whatever was said before people joined, changed and moved, and after; asked for one by one, and as a range."""
    with closing(make_store(tmp_path_factory.mktemp("state"))) as store:
        people = [make_contact(n, address=address) for n, address in enumerate(ADDRESSES[:2], start=1)]
        for signal in before:
            apply_signal(store, signal, now=NOON)
        add_contacts(store, [people[0], make_contact(2, address="old@x.example", external_id="members:2")])
        add_contacts(store, [people[0], make_contact(2, address="ben@x.example", external_id="members:2")])
        with store.deciding() as connection:
            move_person(connection, "ann@x.example", "cleo@x.example", by="the editor", reason="x", now=NOON)
        for signal in after:
            apply_signal(store, signal, now=NOON)
        with suppress(UsageError):
            lift_suppressions(store, address=lifted, topic="*", by="the editor", reason="x", now=NOON)
        with store.reading() as connection, pytest.MonkeyPatch.context() as patch:
            patch.setattr(suppressions, "MANY", many)
            listed = contacts_after(connection, 0, 10)
            found = rules_between(connection, 1, 10)
            for topic in ("newsletter", "calls", "surveys"):
                claimed = standing_rules(connection, {each.contact_id: each.address for each in listed}, topic=topic)
                told = {
                    (contact_id, rule.restriction, rule.kind, rule.topic)
                    for contact_id, rules in found.items()
                    for rule in rules
                    if rule.topic in ("*", topic)
                }
                assert told == {*claimed}


def test_chunks_are_small_and_everybody_is_in_one(store: Store) -> None:
    people = add_contacts(store, [make_contact(number) for number in range(1, 8)])
    add_contacts(store, people[:5])
    with store.reading() as connection:
        assert [len(chunk) for chunk in overviews(connection, left=False, chunk=2)] == [2, 2, 1]
        assert [[each.contact.contact_id for each in chunk] for chunk in overviews(connection, left=True, chunk=2)] == [
            [6, 7]
        ]
        numbers = count_people(connection)
    assert (numbers.listed, numbers.left, numbers.erased) == (5, 2, 0)


def test_addresses_that_somebody_else_has_are_told_apart(store: Store) -> None:
    first = make_contact(1, address="ann@x.example", aliases=("office@x.example", "a@x.example"))
    add_contacts(store, [first, make_contact(2, address="office@x.example")])
    with store.reading() as connection:
        ann, office = next(overviews(connection, left=False))
    assert (sorted(ann.others), ann.shared) == (["a@x.example", "office@x.example"], ("office@x.example",))
    assert (office.others, office.shared) == ((), ())


def test_the_sources_with_ids_are_those_of_people_who_have_one(store: Store) -> None:
    add_contacts(store, [make_contact(1, external_id="members:1"), make_contact(2, source="board")])
    with store.reading() as connection:
        assert sources_with_ids(connection) == ["members"]


def test_whom_a_mailing_was_accepted_for_is_told_of_a_range(store: Store) -> None:
    mailing = planned_mailing(store, 6)
    with store.reading() as connection:
        assert accepted_between(connection, mailing.mailing_id, 1, 6) == set()
    dispatch_all(store, RecordingTransport())
    mailing_id = reread(store).mailing_id
    with store.reading() as connection:
        assert accepted_between(connection, mailing_id, 1, 6) == {1, 2, 3, 4, 5, 6}
        assert accepted_between(connection, mailing_id, 2, 4) == {2, 3, 4}
        assert accepted_between(connection, mailing_id + 1, 1, 6) == set()
        last = {each.contact.contact_id: each.accepted for chunk in overviews(connection, left=False) for each in chunk}
    assert last == dict.fromkeys(range(1, 7), REF)
