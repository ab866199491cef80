"""Somebody moves: their number, opt-outs and history stay, what was planned follows them, and nobody is doubled."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import (
    ALL_TOPICS,
    Contact,
    ExclusionReason,
    MailingRef,
    MailingStep,
    Outcome,
    OutcomeKind,
    Road,
    Signal,
    SignalKind,
)
from mlgroup_mail.store import Store, schema, verification, verification_order
from mlgroup_mail.store.claims import Claims
from mlgroup_mail.store.contact_changes import SyncResult
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.joining import add_person
from mlgroup_mail.store.moving import Moved, keep_apart, move_person
from mlgroup_mail.store.owners import begin_owner, end_owner
from mlgroup_mail.store.plans import PlannedRecipient, add_variant, batches_of, count_planned, end_planning, write_chunk
from mlgroup_mail.store.suspected_moves import SUSPICION, likeness
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_mailing
from tests.factories import NOON, approved_mailing, make_contact, make_store, planned_mailing, reread

OLD, NEW = "ana@office.example", "ana@elsewhere.example"
LETTER = MailingRef("letter", "issue")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty ledger on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        yield made
        with made.reading() as connection:
            checks = (
                verification.accepted_twice,
                verification.lost,
                verification.attempted_after_opt_out,
                verification.unexplained,
                verification.lifted_by_nobody,
                verification_order.rules_astray,
            )
            assert [found for check in checks for found in check(connection)] == []


def ana(address: str = OLD, **values: object) -> Contact:
    given = {"name": "Ana Costa", "organisation": "Office", "source": "members"} | values
    return Contact(address=address, **given)  # type: ignore[arg-type]


def pull(store: Store, *people: Contact) -> SyncResult:
    with store.deciding() as connection:
        return sync_contacts(connection, people, sources=frozenset({"members"}), now=NOON)


def move(store: Store, old: str = OLD, new: str = NEW) -> Moved:
    with store.deciding() as connection:
        return move_person(connection, old, new, by="the editor", reason="she wrote", now=NOON)


def opt_out(store: Store, *, topic: str = ALL_TOPICS, kind: SignalKind = SignalKind.OPT_OUT, **whom: object) -> None:
    signal = Signal(kind=kind, topic=topic, road=Road.HAND, at=NOON, evidence="a letter", **whom)  # type: ignore[arg-type]
    apply_signal(store, signal, now=NOON)


def stopped(store: Store, topic: str = "newsletter") -> dict[str, ExclusionReason]:
    with store.reading() as connection:
        people = {row["id"]: row["address"] for row in rows(connection, select(schema.contact))}
        return {people[key]: reason for key, reason in restrictions(connection, people, topic).items()}


def listed(store: Store) -> dict[int, str]:
    with store.reading() as connection:
        found = rows(connection, select(schema.contact).where(schema.contact.c.left_at.is_(None)))
    return {row["id"]: row["address"] for row in found}


def deliveries(store: Store) -> list[tuple[int, str, str, str]]:
    with store.reading() as connection:
        found = rows(connection, select(schema.delivery).order_by(schema.delivery.c.id))
    return [(row["contact_id"], row["address"], row["state"], row["reason"]) for row in found]


@contextmanager
def claimed(store: Store, ref: MailingRef, size: int) -> Iterator[Callable[..., list[str]]]:
    """Claim `size` deliveries as a process would; the function that comes out records an answer for each."""
    owner = begin_owner(store, now=NOON)
    with owner.lock_file:
        claims = Claims(store, owner, transport="outbox", restrictions=restrictions)
        with store.reading() as connection:
            (batch,) = batches_of(connection, reread(store, ref))
        window = claims.next(batch, size, record=[], now=lambda: NOON)
        taken = window.deliveries if window else ()

        def answer(kind: OutcomeKind = OutcomeKind.ACCEPTED) -> list[str]:
            claims.record([Outcome(attempt_id=each.attempt_id, kind=kind) for each in taken], now=NOON)
            return [each.address for each in taken]

        yield answer
        end_owner(store, owner, now=NOON)


def attempt(store: Store, ref: MailingRef, kind: OutcomeKind = OutcomeKind.ACCEPTED, size: int = 50) -> list[str]:
    with claimed(store, ref, size) as answer:
        return answer(kind)


def test_the_number_and_the_opt_outs_stay(store: Store) -> None:
    pull(store, ana())
    opt_out(store, address=OLD, topic="newsletter")
    moved = move(store)
    assert (moved.contact_id, moved.closed_id, moved.listed) == (1, 0, True)
    assert listed(store) == {1: NEW}
    assert stopped(store) == {NEW: ExclusionReason.OPTED_OUT_TOPIC}
    with store.reading() as connection:
        known = rows(connection, select(schema.contact_address).order_by(schema.contact_address.c.address_key))
        (entry,) = rows(connection, select(schema.journal))
    assert [(row["address_key"], row["current"], row["moved_away"]) for row in known] == [
        (NEW, True, False),
        (OLD, False, True),
    ]
    assert (entry["act"], entry["contact_id"], entry["actor"], entry["reason"]) == (
        "move",
        1,
        "the editor",
        "she wrote",
    )


def test_a_bounce_of_the_old_mailbox_stays_with_it(store: Store) -> None:
    pull(store, ana())
    opt_out(store, address=OLD, kind=SignalKind.BOUNCE)
    assert stopped(store) == {OLD: ExclusionReason.BOUNCED}
    move(store)
    assert stopped(store) == {}


@pytest.mark.parametrize("external_id", ["", "members:17"])
def test_a_list_that_is_not_up_to_date_does_not_move_them_back(store: Store, external_id: str) -> None:
    pull(store, ana(external_id=external_id))
    move(store)
    assert pull(store, ana(external_id=external_id)) == SyncResult(
        added=0, changed=0, unchanged=1, left=0, returned=0, outdated=1
    )
    assert listed(store) == {1: NEW}
    assert pull(store, ana(NEW, external_id=external_id)).unchanged == 1
    assert pull(store, ana("ana@third.example", external_id="", aliases=(NEW,))).changed == 1
    assert listed(store) == {1: "ana@third.example"}


def test_a_successor_in_the_old_mailbox_is_another_person(store: Store) -> None:
    pull(store, ana())
    move(store)
    assert pull(store, ana(name="Ben"), ana(NEW)).added == 1
    assert listed(store) == {1: NEW, 2: OLD}


def test_who_moves_back_has_the_old_address_again(store: Store) -> None:
    pull(store, ana())
    move(store)
    move(store, NEW, OLD)
    assert listed(store) == {1: OLD}
    assert pull(store, ana()).unchanged == 1
    assert pull(store, ana(NEW)).outdated == 1


def test_what_is_planned_goes_to_the_new_address(store: Store) -> None:
    planned_mailing(store, 2, ref=LETTER)
    moved = move(store, "person2@office2.example")
    assert moved.redirected == 1
    assert attempt(store, LETTER) == ["person1@office1.example", NEW]


def test_what_was_tried_at_the_old_address_ends_there(store: Store) -> None:
    planned_mailing(store, 3, ref=LETTER)
    attempt(store, LETTER, OutcomeKind.DEFERRED, 1)
    attempt(store, LETTER, OutcomeKind.ACCEPTED, 1)
    for number in (1, 2, 3):
        move(store, str(number), f"{number}@elsewhere.example")
    assert deliveries(store) == [
        (1, "person1@office1.example", "deferred", ""),
        (2, "person2@office2.example", "accepted", ""),
        (3, "3@elsewhere.example", "planned", ""),
    ]


def test_a_mailbox_gets_a_mailing_once_whoever_moves_into_it(store: Store) -> None:
    """Somebody took over the mailbox of a colleague who left after it was planned."""
    planned_mailing(store, 2, ref=LETTER)
    pull(store, make_contact(1))
    moved = move(store, "person1@office1.example", "person2@office2.example")
    assert (moved.closed_id, moved.redirected, moved.left_out) == (0, 0, 1)
    assert deliveries(store)[0][2:] == ("excluded", "duplicate")
    assert attempt(store, LETTER) == ["person2@office2.example"]


def suspect(store: Store, **rule: object) -> None:
    """Ana's row vanishes and a new one looks like hers; she had opted out before if there is a rule."""
    pull(store, ana())
    if rule:
        opt_out(store, address=OLD, **rule)
    pull(store, ana(NEW))
    opt_out(store, contact_id=2, kind=SignalKind.REVIEW)
    with store.writing() as connection:
        hold = schema.suppression.c.kind == SignalKind.REVIEW
        connection.execute(schema.suppression.update().where(hold).values(evidence=f"{SUSPICION}1"))


def test_two_rows_of_one_person_become_the_older_one(store: Store) -> None:
    suspect(store, topic="newsletter")
    moved = move(store, "1", "2")
    assert (moved.contact_id, moved.closed_id, moved.listed) == (1, 2, True)
    assert listed(store) == {1: NEW}
    assert stopped(store)[NEW] is ExclusionReason.OPTED_OUT_TOPIC
    assert stopped(store, "calls") == {}, "the hold is over"
    assert pull(store, ana(NEW)) == SyncResult(added=0, changed=0, unchanged=1, left=0, returned=0)
    assert pull(store, ana(OLD)).outdated == 1, "the closed row does not come back"
    with store.reading() as connection:
        (closed,) = rows(connection, select(schema.contact).where(schema.contact.c.id == 2))
        (lifted,) = rows(connection, select(schema.suppression).where(schema.suppression.c.lifted_at.is_not(None)))
    assert (closed["moved_to"], closed["left_at"]) == (1, NOON)
    assert (lifted["lifted_by"], lifted["lifted_reason"]) == ("the editor", "moved")


def test_the_newer_row_s_opt_outs_pass_on(store: Store) -> None:
    suspect(store)
    opt_out(store, contact_id=2, topic="calls")
    assert move(store, "1", "2").passed_on == 1
    pull(store, ana("third@elsewhere.example", aliases=(NEW,)))
    assert stopped(store, "calls") == {
        NEW: ExclusionReason.OPTED_OUT_TOPIC,
        "third@elsewhere.example": ExclusionReason.OPTED_OUT_TOPIC,
    }
    assert stopped(store) == {}


def test_an_opt_out_by_a_link_that_names_the_closed_row_reaches_the_person(store: Store) -> None:
    suspect(store)
    move(store, "1", "2")
    opt_out(store, contact_id=2)
    assert stopped(store)[NEW] is ExclusionReason.OPTED_OUT
    pull(store, ana("third@elsewhere.example", aliases=(NEW,)))
    assert stopped(store)["third@elsewhere.example"] is ExclusionReason.OPTED_OUT


def test_rows_can_prove_to_be_one_person_again_and_again(store: Store) -> None:
    suspect(store, topic="newsletter")
    move(store, "1", "2")
    pull(store, ana("third@elsewhere.example"))
    assert move(store, "2", "third@elsewhere.example").closed_id == 3
    assert listed(store) == {1: "third@elsewhere.example"}
    opt_out(store, contact_id=3, topic="calls")
    assert stopped(store, "calls")["third@elsewhere.example"] is ExclusionReason.OPTED_OUT_TOPIC


def test_a_suspected_move_that_was_none(store: Store) -> None:
    suspect(store, topic="newsletter")
    opt_out(store, contact_id=2, topic="calls")
    assert stopped(store)[NEW] is ExclusionReason.HELD
    with store.deciding() as connection:
        assert keep_apart(connection, "1", NEW, by="the editor", reason="two Anas", now=NOON) == 2
    assert NEW not in stopped(store)
    assert stopped(store, "calls")[NEW] is ExclusionReason.OPTED_OUT_TOPIC, "what they said themselves stays"
    with store.deciding() as connection, pytest.raises(UsageError, match="not held as a suspected move"):
        keep_apart(connection, "1", NEW, by="the editor", reason="two Anas", now=NOON)


def people(store: Store, *addresses: str) -> None:
    """Rows of the same name and organisation, and a mailing to them."""
    pull(store, *(ana(address) for address in addresses))
    plan(store)


def plan(store: Store) -> None:
    """A mailing to everybody on the list."""
    mailing = approved_mailing(store, ref=LETTER)
    with store.writing() as connection:
        move_mailing(connection, mailing.mailing_id, MailingStep.BEGIN_PLANNING, now=NOON)
    with store.writing() as connection:
        variant = add_variant(connection, mailing.mailing_id, key="[]", compiled="{}")
        everybody = contacts_after(connection, 0, 100)
        write_chunk(
            connection,
            reread(store, LETTER),
            recipients=[PlannedRecipient(contact=each, variant_id=variant, fields={}) for each in everybody],
            exclusions=[],
            cursor=everybody[-1].contact_id,
            batch_size=500,
            now=NOON,
        )
        end_planning(connection, mailing, planned=count_planned(connection, mailing), now=NOON)


@pytest.mark.parametrize(
    ("answer", "to", "expected"),
    [
        (None, 0, [(1, NEW, "planned", ""), (2, NEW, "excluded", "duplicate")]),
        (OutcomeKind.ACCEPTED, 1, [(1, OLD, "accepted", ""), (2, NEW, "excluded", "duplicate")]),
        (OutcomeKind.UNCERTAIN, 1, [(1, OLD, "uncertain", ""), (2, NEW, "excluded", "duplicate")]),
        (OutcomeKind.DEFERRED, 1, [(1, OLD, "deferred", ""), (2, NEW, "excluded", "duplicate")]),
        (OutcomeKind.REFUSED, 1, [(1, OLD, "refused", ""), (2, NEW, "planned", "")]),
        (OutcomeKind.ACCEPTED, 2, [(1, OLD, "accepted", ""), (2, NEW, "accepted", "")]),
    ],
    ids=["nothing tried", "the old one has it", "perhaps", "deferred", "refused", "both have it"],
)
def test_of_two_deliveries_to_one_person_one_goes(
    store: Store, answer: OutcomeKind | None, to: int, expected: list[tuple[int, str, str, str]]
) -> None:
    people(store, OLD, NEW)
    if answer:
        attempt(store, LETTER, answer, to)
    pull(store, ana(NEW))
    move(store, "1", "2")
    assert deliveries(store) == expected


def test_the_new_row_s_delivery_that_was_begun_is_the_one(store: Store) -> None:
    people(store, NEW, OLD)
    attempt(store, LETTER, OutcomeKind.ACCEPTED, 1)
    pull(store, ana(NEW))
    assert move(store, "2", "1").contact_id == 1
    assert deliveries(store) == [(1, NEW, "accepted", ""), (2, OLD, "excluded", "duplicate")]


def test_what_only_the_new_row_was_to_get_meets_the_old_one_s_opt_out(store: Store) -> None:
    """Planned for the new row before anybody knew that it is Ana, who opted out of this."""
    pull(store, ana())
    opt_out(store, address=OLD, topic="newsletter")
    pull(store, ana(NEW, name=""))
    plan(store)
    with store.writing() as connection:
        connection.execute(schema.contact.update().where(schema.contact.c.id == 2).values(name="Ana Costa"))
    move(store, "1", "2")
    assert deliveries(store) == [(1, NEW, "planned", "")]
    assert attempt(store, LETTER) == []
    assert deliveries(store) == [(1, NEW, "excluded", "opted_out_topic")]


@pytest.mark.parametrize(("topic", "later"), [("newsletter", 2), ("calls", 1), ("calls", 3)])
def test_what_the_new_row_s_server_deferred_meets_the_old_one_s_opt_out(store: Store, topic: str, later: int) -> None:
    """Whether that was there before, or comes later by a link that names the one that goes on."""
    pull(store, ana(), ana("ben@office.example", name="Ben", status="lead"))
    opt_out(store, address=OLD, topic=topic)
    pull(store, ana(NEW))
    plan(store)
    attempt(store, LETTER, OutcomeKind.DEFERRED)
    move(store, "1", "3")
    opt_out(store, contact_id=later, topic="newsletter")
    with store.writing() as connection:
        connection.execute(schema.delivery.update().values(next_at=NOON))
    assert attempt(store, LETTER) == []
    assert deliveries(store) == [(3, NEW, "excluded", "opted_out_topic")]


@pytest.mark.parametrize(
    ("name", "organisation"), [("Ben", "Office"), ("Ana Costa", "Bureau")], ids=["name", "organisation"]
)
def test_somebody_s_address_is_not_given_to_somebody_else(store: Store, name: str, organisation: str) -> None:
    other = ana("ben@office.example", name=name, organisation=organisation)
    pull(store, ana(), other)
    with pytest.raises(UsageError, match="both on the list"):
        move(store, OLD, "ben@office.example")
    pull(store, other)
    with pytest.raises(UsageError, match="another name or organisation"):
        move(store, OLD, "ben@office.example")
    assert listed(store) == {2: "ben@office.example"}


def test_a_row_that_does_not_say_who_it_is_may_be_anybody_s(store: Store) -> None:
    pull(store, ana())
    pull(store, ana(NEW, name="", organisation=""))
    assert move(store).closed_id == 2
    assert listed(store) == {1: NEW}


def test_a_mailbox_of_somebody_who_left_goes_to_a_colleague_without_making_them_one(store: Store) -> None:
    pull(store, ana(), ana("ben@office.example", name="Ben"))
    opt_out(store, contact_id=2, topic="calls")
    pull(store, ana())
    assert move(store, OLD, "ben@office.example").closed_id == 0
    assert listed(store) == {1: "ben@office.example"}
    assert stopped(store, "calls") == {"ben@office.example": ExclusionReason.OPTED_OUT_TOPIC}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nobody@office.example", NEW, "nobody has or had the old address"),
        ("99", NEW, "nobody has or had the old address"),
        (OLD, OLD.upper(), "has this address already"),
        (OLD, "ana at elsewhere", "not a mail address"),
        (OLD, "99", "there is no contact 99"),
    ],
)
def test_what_cannot_be_is_refused(store: Store, old: str, new: str, words: str) -> None:
    pull(store, ana())
    with pytest.raises(UsageError, match=words):
        move(store, old, new)
    assert listed(store) == {1: OLD}


def test_an_address_that_several_have_had_does_not_say_who_is_meant(store: Store) -> None:
    pull(store, ana(external_id="members:1"))
    pull(store, ana(external_id="members:2", name="Ben"))
    with pytest.raises(UsageError, match=r"contacts 1 \(left the list\), 2"):
        move(store)
    assert move(store, "2").contact_id == 2


def test_who_left_may_move_too_and_does_not_come_back_by_that(store: Store) -> None:
    pull(store, ana())
    pull(store)
    assert move(store).listed is False
    assert listed(store) == {}
    assert pull(store, ana(NEW)).returned == 1


def test_who_came_by_themselves_stays_whatever_the_lists_say(store: Store) -> None:
    with store.deciding() as connection:
        assert add_person(connection, ana(), origin="page", now=NOON) == 1
    assert pull(store).left == 0
    assert pull(store, ana(country="PT", external_id="members:17")).changed == 1
    assert pull(store).left == 0
    assert listed(store) == {1: OLD}


def test_of_two_rows_the_way_somebody_came_by_themselves_stays(store: Store) -> None:
    pull(store, ana())
    pull(store)
    with store.deciding() as connection:
        add_person(connection, ana(NEW, source=""), origin="page", now=NOON)
    move(store, "1", "2")
    pull(store)
    assert listed(store) == {1: NEW}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (("Ana Costa", "Office"), ("ANA  costa ", "office"), True),
        (("Zoe\u0308", "Straße"), ("Zoë", "STRASSE"), True),
        (("Ana Costa", "Office"), ("Ana Costa", "Bureau"), False),
        (("Ana", "Costa Office"), ("Ana Costa", "Office"), False),
    ],
)
def test_names_are_compared_without_case_blanks_and_ways_of_writing_marks(
    one: tuple[str, str], other: tuple[str, str], alike: bool
) -> None:
    assert (likeness(*one) == likeness(*other)) is alike
