"""Planning: the audience as rows, in chunks that can be stopped between any two and go on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Integer, bindparam, exists, select, update

from mlgroup_mail import addresses
from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import Batch, Contact, DeliveryState, Exclusion, ExclusionReason, MailingState, MailingStep
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.mailings import MailingRow, has_any, lock_mailing
from mlgroup_mail.store.transactions import count, insert_returning_id, load, rows
from mlgroup_mail.store.transitions import move_mailing

_MAILING, _DELIVERY, _BATCH, _VARIANT = schema.mailing, schema.delivery, schema.batch, schema.variant


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRecipient:
    """A recipient with the variant they read and the values of their merge fields."""

    contact: Contact
    variant_id: int
    fields: dict[str, str]


def variants(connection: Connection, mailing_id: int) -> dict[str, int]:
    """The compiled variants of a mailing: key -> id."""
    statement = select(_VARIANT.c.key, _VARIANT.c.id).where(_VARIANT.c.mailing_id == mailing_id)
    return {row.key: row.id for row in connection.execute(statement)}


def compiled_variants(connection: Connection, mailing_id: int) -> dict[int, str]:
    """The compiled variants of a mailing: id -> compiled message as JSON."""
    statement = select(_VARIANT.c.id, _VARIANT.c.compiled).where(_VARIANT.c.mailing_id == mailing_id)
    return {row.id: row.compiled for row in connection.execute(statement)}


def add_variant(connection: Connection, mailing_id: int, *, key: str, compiled: str) -> int:
    """Store a compiled variant; returns its id."""
    return insert_returning_id(connection, _VARIANT, {"mailing_id": mailing_id, "key": key, "compiled": compiled})


def begin_planning(connection: Connection, mailing: MailingRow, *, now: datetime) -> None:
    """Open an approved mailing for planning; does nothing where another planner was faster.

    Raises MailingStateError where the mailing was approved anew since `mailing` was read: it holds another text then.
    """
    current = lock_mailing(connection, mailing.mailing_id)
    if current.digest != mailing.digest:
        raise MailingStateError(f"{mailing.ref} was approved anew meanwhile", mend="Run the same command again.")
    if current.state is MailingState.APPROVED:
        move_mailing(connection, mailing.mailing_id, MailingStep.BEGIN_PLANNING, now=now)


def without_planned_mailboxes(
    connection: Connection, mailing: MailingRow, people: Sequence[Contact]
) -> tuple[list[Contact], list[Exclusion]]:
    """Part off those whose mailbox this mailing has already: between two chunks it may have passed to somebody else."""
    keys = [addresses.key(person.address) for person in people]
    asked = {"mailing_id": mailing.mailing_id, "mailboxes": as_list(keys)}
    planned = set(connection.execute(_PLANNED_MAILBOXES, asked).scalars())
    free = [person for person, key in zip(people, keys, strict=True) if key not in planned]
    doubled = [person for person, key in zip(people, keys, strict=True) if key in planned]
    return free, [Exclusion(contact=person, reason=ExclusionReason.DUPLICATE) for person in doubled]


_PLANNED_MAILBOXES = select(_DELIVERY.c.address_key).where(
    _DELIVERY.c.mailing_id == bindparam("mailing_id", type_=Integer),
    among(_DELIVERY.c.address_key, "mailboxes"),
    schema.RECIPIENT,
)


def take_turn(connection: Connection, mailing: MailingRow) -> bool:
    """Keep other planners of this mailing away until this transaction ends; False where one was faster.

    Nor is it this one's turn where the mailing was approved anew meanwhile.
    """
    current = lock_mailing(connection, mailing.mailing_id)
    return (current.state, current.plan_cursor, current.digest) == (
        MailingState.PLANNING,
        mailing.plan_cursor,
        mailing.digest,
    )


def write_chunk(
    connection: Connection,
    mailing: MailingRow,
    *,
    recipients: Sequence[PlannedRecipient],
    exclusions: Sequence[Exclusion],
    cursor: int,
    batch_size: int,
    spacing: timedelta = timedelta(),
    now: datetime,
) -> None:
    """Write a chunk of the audience and move the cursor, after `take_turn` in the same transaction.

    `cursor` is the last contact id that the chunk looked at. Each batch is due so much later than the one before as
    `spacing` says.
    """
    connection.execute(
        update(_MAILING).where(_MAILING.c.id == mailing.mailing_id).values(plan_cursor=cursor, changed_at=now)
    )
    batches = _Batches(connection, mailing, batch_size, spacing)
    excluded = (excluded_delivery(mailing, each, now=now) for each in exclusions)
    planned = (planned_delivery(mailing, each, batches.next(), now=now) for each in recipients)
    insert_deliveries(connection, chain(excluded, planned))


def count_planned(connection: Connection, mailing: MailingRow) -> int:
    """How many deliveries the chunks have written so far. A million take longer than a claim may."""
    return count(connection, _DELIVERY, _DELIVERY.c.mailing_id == mailing.mailing_id)


def end_planning(connection: Connection, mailing: MailingRow, *, planned: int, now: datetime) -> None:
    """Open the mailing for dispatch, after `take_turn` in the same transaction.

    `planned` is what was counted at the same cursor, before there were canaries.
    """
    canaries = count(connection, _DELIVERY, _DELIVERY.c.mailing_id == mailing.mailing_id, schema.A_CANARY)
    move_mailing(connection, mailing.mailing_id, MailingStep.END_PLANNING, now=now, audience=planned + canaries)
    if not has_any(connection, mailing.mailing_id, [state for state in DeliveryState if state.open]):
        move_mailing(connection, mailing.mailing_id, MailingStep.FINISH, now=now)


def batches_of(connection: Connection, mailing: MailingRow, *, to_go: bool = False) -> list[Batch]:
    """The batches of a mailing in order; `to_go`: only those of which something may still go."""
    statement = select(_BATCH).where(_BATCH.c.mailing_id == mailing.mailing_id).order_by(_BATCH.c.number)
    if to_go:
        statement = statement.where(exists().where(_DELIVERY.c.batch_id == _BATCH.c.id, schema.CLAIMABLE))
    return [
        Batch(
            batch_id=row["id"],
            mailing_id=mailing.mailing_id,
            ref=mailing.ref,
            number=row["number"],
            due_at=row["due_at"],
        )
        for row in rows(connection, statement)
    ]


class _Batches:
    """Fills the last batch up, then opens the next."""

    def __init__(self, connection: Connection, mailing: MailingRow, size: int, spacing: timedelta) -> None:
        self._connection, self._mailing, self._size, self._spacing = connection, mailing, size, spacing
        last = connection.execute(
            select(_BATCH.c.id, _BATCH.c.number)
            .where(_BATCH.c.mailing_id == mailing.mailing_id)
            .order_by(_BATCH.c.number.desc())
            .limit(1)
        ).first()
        self._id: int = last.id if last else 0
        self._number: int = last.number if last else 0
        there = count(connection, _DELIVERY, _DELIVERY.c.batch_id == self._id, schema.CLAIMABLE) if last else 0
        self._left = size - there if last else 0

    def next(self) -> int:
        """The id of the batch for one more recipient."""
        if self._left <= 0:
            self._number += 1
            due_at = self._mailing.send_at + (self._number - 1) * self._spacing
            values = {"mailing_id": self._mailing.mailing_id, "number": self._number, "due_at": due_at}
            self._id = insert_returning_id(self._connection, _BATCH, values)
            self._left = self._size
        self._left -= 1
        return self._id


_OF_A_DELIVERY = (
    *("mailing_id", "contact_id", "address", "address_key", "domain", "state", "reason", "attempts"),
    *("batch_id", "variant_id", "fields", "changed_at", "canary"),
)
_NO_FIELDS = "{}"
Values = tuple[Any, ...]
"""A new delivery's values of these columns."""


def insert_deliveries(connection: Connection, deliveries: Iterable[Values]) -> None:
    """Insert deliveries as `planned_delivery` and `excluded_delivery` give them."""
    load(connection, _DELIVERY, deliveries, columns=_OF_A_DELIVERY)


def planned_delivery(
    mailing: MailingRow, recipient: PlannedRecipient, batch_id: int, *, now: datetime, canary: str = ""
) -> Values:
    """A delivery that is to go with a batch."""
    message = (batch_id, recipient.variant_id, orjson.dumps(recipient.fields).decode())
    return *_beginning(mailing, recipient.contact, DeliveryState.PLANNED), *message, now, canary


def excluded_delivery(mailing: MailingRow, exclusion: Exclusion, *, now: datetime, canary: str = "") -> Values:
    """A delivery that is not to go: it has no batch, and nothing that makes a message of it."""
    beginning = _beginning(mailing, exclusion.contact, DeliveryState.EXCLUDED, exclusion.reason)
    return *beginning, None, None, _NO_FIELDS, now, canary


def _beginning(mailing: MailingRow, contact: Contact, state: DeliveryState, reason: str = "") -> Values:
    """What every new delivery has: whose it is, and how it stands."""
    address = contact.address
    whose = (mailing.mailing_id, contact.contact_id, address, addresses.key(address), addresses.domain(address))
    return *whose, state, reason, 0
