"""From a signal to a rule, once; what the rules mean for whom; and how a rule ends."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from mlgroup_mail.consent import applying
from mlgroup_mail.consent.applying import apply_signal, apply_signals, lift_suppressions, standing_suppressions
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, ExclusionReason, Road, Signal, SignalKind
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.moving import move_person
from mlgroup_mail.store.transactions import next_number, rows
from tests.factories import NOON, make_contact

LATER = NOON + timedelta(days=1)


def signal(**values: object) -> Signal:
    given = {"kind": SignalKind.OPT_OUT, "topic": ALL_TOPICS, "road": Road.HAND, "at": NOON, "evidence": "a letter"}
    return Signal(**(given | values))  # type: ignore[arg-type]


def stopped(store: Store, topic: str = "newsletter") -> dict[int, ExclusionReason]:
    with store.reading() as connection:
        people = {row["id"]: row["address"] for row in rows(connection, select(schema.contact))}
        return restrictions(connection, people, topic)


def pull(store: Store, *people: object) -> None:
    with store.deciding() as connection:
        sync_contacts(connection, people, sources=frozenset({"members"}), now=LATER)  # type: ignore[arg-type]


def lift(store: Store, address: str, topic: str = ALL_TOPICS) -> int:
    return lift_suppressions(store, address=address, topic=topic, by="the editor", reason="asked", now=LATER)


def test_an_opt_out_stops_mail_to_that_person_only(store: Store) -> None:
    apply_signal(store, signal(address="person2@office2.example"), now=NOON)
    assert stopped(store) == {2: ExclusionReason.OPTED_OUT}
    assert stopped(store, "calls") == {2: ExclusionReason.OPTED_OUT}


def test_an_opt_out_of_one_topic_leaves_the_others(store: Store) -> None:
    apply_signal(store, signal(contact_id=2, topic="newsletter"), now=NOON)
    assert stopped(store) == {2: ExclusionReason.OPTED_OUT_TOPIC}
    assert stopped(store, "calls") == {}


def test_an_opt_out_by_link_holds_for_the_mailbox_when_the_ids_of_the_source_are_others(store: Store) -> None:
    """A link names the contact only; the rule must not depend on whom the source's ids name next year."""
    apply_signal(store, signal(contact_id=2), now=NOON)
    with store.reading() as connection:
        (row,) = rows(connection, select(schema.signal))
        assert (row["address"], row["contact_id"]) == ("", 2), "evidence stays as it was received"
        assert restrictions(connection, {77: "Person2@office2.example"}, "newsletter") == {
            77: ExclusionReason.OPTED_OUT
        }
        assert restrictions(connection, {77: "person3@office3.example"}, "newsletter") == {}


def test_a_bounce_that_names_the_person_only_says_nothing_of_their_mailbox(store: Store) -> None:
    apply_signal(store, signal(contact_id=2, kind=SignalKind.BOUNCE), now=NOON)
    (rule,) = standing_suppressions(store)
    assert (rule.address, rule.contact_id) == ("", None)


def test_the_same_evidence_counts_once_though_the_address_has_changed(store: Store) -> None:
    apply_signal(store, signal(contact_id=2), now=NOON)
    pull(store, make_contact(2, external_id="members:2"))
    with store.deciding() as connection:
        move_person(connection, "2", "new@elsewhere.example", by="x", reason="x", now=LATER)
    assert not apply_signal(store, signal(contact_id=2), now=LATER).new


def test_the_same_evidence_counts_once(store: Store) -> None:
    first = apply_signal(store, signal(contact_id=2), now=NOON)
    again = apply_signal(store, signal(contact_id=2), now=LATER)
    assert (first.new, again.new) == (True, False)
    assert len(standing_suppressions(store)) == 1


def test_the_same_evidence_told_again_does_not_undo_a_lift(store: Store) -> None:
    apply_signal(store, signal(contact_id=2), now=NOON)
    assert lift(store, "person2@office2.example") == 1
    apply_signal(store, signal(contact_id=2), now=LATER)
    assert stopped(store) == {}
    apply_signal(store, signal(contact_id=2, at=LATER), now=LATER)
    assert stopped(store) == {2: ExclusionReason.OPTED_OUT}, "they opted out anew"


def test_an_address_of_nobody_is_kept_for_when_they_join(store: Store) -> None:
    applied = apply_signal(store, signal(address="New.Member@office.example"), now=NOON)
    assert applied.contact_id is None
    pull(store, *(make_contact(number) for number in (1, 2, 3)), make_contact(4, address="new.member@office.example"))
    assert stopped(store) == {4: ExclusionReason.OPTED_OUT}


def test_who_opted_out_stays_so_with_a_new_address(store: Store) -> None:
    pull(store, make_contact(1, external_id="m-1"))
    apply_signal(store, signal(address="person1@office1.example"), now=NOON)
    pull(store, make_contact(1, external_id="m-1", address="moved@elsewhere.example"))
    assert stopped(store) == {1: ExclusionReason.OPTED_OUT}


def test_a_bounce_speaks_of_the_mailbox_so_a_new_address_is_free(store: Store) -> None:
    pull(store, make_contact(1, external_id="m-1"))
    bounce = signal(kind=SignalKind.BOUNCE, address="person1@office1.example", topic="newsletter")
    apply_signal(store, bounce, now=NOON)
    assert stopped(store) == {1: ExclusionReason.BOUNCED}
    assert stopped(store, "calls") == {1: ExclusionReason.BOUNCED}, "no mailbox, no topic"
    pull(store, make_contact(1, external_id="m-1", address="moved@elsewhere.example"))
    assert stopped(store) == {}
    pull(store, make_contact(1, external_id="m-1"))
    assert stopped(store) == {1: ExclusionReason.BOUNCED}, "back to the dead mailbox"


def test_a_complaint_stops_every_topic(store: Store) -> None:
    apply_signal(store, signal(kind=SignalKind.COMPLAINT, contact_id=3, topic="calls"), now=NOON)
    assert stopped(store) == {3: ExclusionReason.COMPLAINED}


def test_a_message_that_waits_for_a_decision_is_a_hold(store: Store) -> None:
    apply_signal(store, signal(kind=SignalKind.REVIEW, contact_id=3), now=NOON)
    assert stopped(store) == {3: ExclusionReason.HELD}
    assert lift(store, "person3@office3.example") == 1
    assert stopped(store) == {}


def test_of_several_reasons_the_gravest_is_shown(store: Store) -> None:
    for kind in (SignalKind.REVIEW, SignalKind.BOUNCE, SignalKind.COMPLAINT, SignalKind.OPT_OUT):
        apply_signal(store, signal(kind=kind, address="person1@office1.example"), now=NOON)
    assert stopped(store) == {1: ExclusionReason.OPTED_OUT}


def test_many_signals_count_as_each_alone_would(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several transactions, with some twice, some known, some of nobody, a bounce and a complaint among them."""
    monkeypatch.setattr(applying, "CHUNK", 3)
    pull(store, make_contact(1, external_id="m-1"), make_contact(2, external_id="m-2"))
    pull(store, make_contact(1, external_id="m-1", address="moved@elsewhere.example"), make_contact(2))
    signals = [
        signal(address="PERSON1@office1.example", topic="newsletter"),
        signal(address="moved@elsewhere.example", topic="newsletter"),
        signal(address="person2@office2.example", topic="calls", kind=SignalKind.BOUNCE),
        signal(address="nobody@elsewhere.example"),
        signal(contact_id=2, topic="calls", kind=SignalKind.COMPLAINT),
        signal(contact_id=2, kind=SignalKind.REVIEW),
        signal(address="nobody@elsewhere.example"),
        signal(address="moved@elsewhere.example", topic="newsletter", at=LATER),
    ]
    apply_signal(store, signals[3], now=NOON)
    assert apply_signals(store, iter(signals), now=NOON) == 6
    assert apply_signals(store, signals, now=LATER) == 0
    together = [(rule.kind, rule.topic, rule.address, rule.contact_id) for rule in standing_suppressions(store)]
    with store.deciding() as connection:
        connection.execute(delete(schema.suppression))
        connection.execute(delete(schema.signal))
    for each in (signals[3], *signals):
        apply_signal(store, each, now=NOON)
    alone = [(rule.kind, rule.topic, rule.address, rule.contact_id) for rule in standing_suppressions(store)]
    assert together == alone
    assert len(alone) == 7


def test_a_lift_ends_the_rules_of_its_topic_only(store: Store) -> None:
    for topic in ("newsletter", "calls"):
        apply_signal(store, signal(contact_id=2, topic=topic), now=NOON)
    assert lift(store, "person2@office2.example", "calls") == 1
    assert (stopped(store, "newsletter"), stopped(store, "calls")) == ({2: ExclusionReason.OPTED_OUT_TOPIC}, {})
    with pytest.raises(UsageError, match="no standing opt-out of this person on calls"):
        lift(store, "person2@office2.example", "calls")
    with store.reading() as connection:
        lifts = rows(connection, select(schema.signal).where(schema.signal.c.kind == SignalKind.LIFT))
    assert len(lifts) == 1, "what lifted nothing is not kept"
    assert lift(store, "person2@office2.example") == 1


def test_a_lift_by_an_old_address_reaches_the_person(store: Store) -> None:
    pull(store, make_contact(1, external_id="m-1"))
    apply_signal(store, signal(contact_id=1), now=NOON)
    pull(store, make_contact(1, external_id="m-1", address="moved@elsewhere.example"))
    assert lift(store, "person1@office1.example") == 1
    assert stopped(store) == {}


def test_a_lift_is_never_a_mere_signal(store: Store) -> None:
    with pytest.raises(ValueError, match="person's act"):
        apply_signal(store, signal(kind=SignalKind.LIFT, contact_id=1), now=NOON)
    with pytest.raises(ValueError, match="person's act"):
        apply_signals(store, [signal(contact_id=2), signal(kind=SignalKind.LIFT, contact_id=1)], now=NOON)
    assert standing_suppressions(store) == []


def test_pulling_the_list_again_lifts_nothing(store: Store) -> None:
    apply_signal(store, signal(address="person1@office1.example"), now=NOON)
    pull(store)
    pull(store, *(make_contact(number) for number in (1, 2, 3)))
    assert stopped(store) == {1: ExclusionReason.OPTED_OUT}


def test_what_was_decided_is_numbered_in_the_order_in_which_it_was(store: Store) -> None:
    """One sequence for claims and consent: `verify` compares these numbers, not clocks."""
    for person in (3, 1, 2):
        apply_signal(store, signal(contact_id=person), now=NOON)
    lift(store, "person1@office1.example")
    with store.claiming() as connection:
        last = next_number(connection)
    with store.reading() as connection:
        found = rows(connection, select(schema.suppression).order_by(schema.suppression.c.id))
    numbers = [row["number"] for row in found]
    lifted = [row["lifted_number"] for row in found if row["lifted_number"]]
    assert [row["contact_id"] for row in found] == [3, 1, 2]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < lifted[0] < last


def test_a_rule_keeps_where_it_comes_from(store: Store) -> None:
    apply_signal(
        store, signal(address="person1@office1.example", reason="no time", evidence="letter of 3 May"), now=LATER
    )
    (rule,) = standing_suppressions(store, address="person1@office1.example")
    assert (rule.reason, rule.evidence, rule.road, rule.at) == ("no time", "letter of 3 May", Road.HAND, NOON)
    lift(store, "person1@office1.example")
    with store.reading() as connection:
        (row,) = rows(connection, select(schema.suppression))
    assert (row["lifted_by"], row["lifted_reason"], row["lifted_at"]) == ("the editor", "asked", LATER)
