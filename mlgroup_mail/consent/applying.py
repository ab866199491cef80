"""From a signal to a standing rule, once."""

from dataclasses import dataclass, replace
from datetime import datetime

from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, Signal, SignalKind, Suppression
from mlgroup_mail.store import Store, suppressions
from mlgroup_mail.store.contacts import find_contact
from mlgroup_mail.store.transactions import next_number


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What came of a signal: the rule's id; `new` is false where the same evidence had been applied before."""

    suppression_id: int | None
    contact_id: int | None
    new: bool


def apply_signal(store: Store, signal: Signal, *, now: datetime) -> Applied:
    """Record the signal and the rule it leads to, in one serialised transaction.

    An address that is nobody's yet is suppressed all the same: whoever joins with it later is not written to.
    A complaint stops all topics, whatever it names.
    """
    if signal.kind is SignalKind.LIFT:
        raise ValueError("a lift is a person's act: see lift_suppressions")
    with store.deciding() as connection:
        if signal.contact_id is None and signal.address:
            contact = find_contact(connection, signal.address)
            signal = replace(signal, contact_id=contact.contact_id if contact else None)
        if signal.kind in {SignalKind.COMPLAINT, SignalKind.BOUNCE}:
            signal = replace(signal, topic=ALL_TOPICS)
        recorded = suppressions.record_signal(connection, signal, now=now)
        if recorded is None:
            return Applied(suppression_id=None, contact_id=signal.contact_id, new=False)
        signal_id, number = recorded
        restriction = Restriction.HOLD if signal.kind is SignalKind.REVIEW else Restriction.SUPPRESSION
        rule = suppressions.add_suppression(
            connection, signal, signal_id=signal_id, number=number, restriction=restriction
        )
    return Applied(suppression_id=rule, contact_id=signal.contact_id, new=True)


def lift_suppressions(store: Store, *, address: str, topic: str, by: str, reason: str, now: datetime) -> int:
    """End the rules on a person and topic (`ALL_TOPICS`: all of theirs); returns how many there were.

    Only a person does this, with a name and a reason: nothing that reads lists or files calls it. Raises UsageError,
    and keeps nothing, where none stands.
    """
    with store.deciding() as connection:
        contact = find_contact(connection, address)
        contact_id = contact.contact_id if contact else None
        evidence = Signal(
            kind=SignalKind.LIFT,
            topic=topic,
            road=Road.HAND,
            at=now,
            address=address,
            contact_id=contact_id,
            reason=reason,
            evidence=f"lift {next_number(connection)}",
            actor=by,
        )
        recorded = suppressions.record_signal(connection, evidence, now=now)
        assert recorded is not None, "the evidence of a lift is its own number"
        lifted = suppressions.lift(
            connection,
            address=address,
            contact_id=contact_id,
            topic=topic,
            by=by,
            reason=reason,
            number=recorded[1],
            now=now,
        )
        if not lifted:
            on = "all topics" if topic == ALL_TOPICS else topic
            raise UsageError(
                f"there is no standing opt-out of this person on {on}", mend="See: mlgroup-mail opt-out list ADDRESS"
            )
        return lifted


def standing_suppressions(store: Store, *, address: str | None = None) -> list[Suppression]:
    """All standing rules, or those on the person with this address."""
    with store.reading() as connection:
        contact = find_contact(connection, address) if address else None
        return suppressions.suppressions(
            connection, address=address, contact_id=contact.contact_id if contact else None
        )
