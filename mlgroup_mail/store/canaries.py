"""Canaries in the ledger: who holds their addresses, and their deliveries in batches of their own."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Connection, exists, func, literal_column, or_, select

from mlgroup_mail.model import Contact, DeliveryState, Exclusion
from mlgroup_mail.model.canary import CanaryPlace
from mlgroup_mail.store import schema
from mlgroup_mail.store.contacts import contact_from
from mlgroup_mail.store.joining import add_person
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.plans import PlannedRecipient, excluded_delivery, insert_deliveries, planned_delivery
from mlgroup_mail.store.transactions import insert_returning_id, rows

_CONTACT, _KNOWN, _DELIVERY, _BATCH = schema.contact, schema.contact_address, schema.delivery, schema.batch

FIRST_BATCH = 0
"""The number of the batch before everybody's: those of the list begin with 1."""


# Written out, as `schema.A_CANARY` has it: SQLite plans a statement anew at each run where a parameter is compared with
# what a partial index is about, because another value might have that index serve.
_LAST: ColumnElement[str] = literal_column(f"'{CanaryPlace.LAST}'")


def rides_now(mailing_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """What holds for all deliveries of a mailing that need not wait for others of it: the last canaries do.

    They ride when everybody else has had a try. Whoever was put off then has had one: that may take days.
    """
    other = _DELIVERY.alias("other")
    untried = exists().where(
        other.c.mailing_id == mailing_id,
        other.c.state == DeliveryState.PLANNED,
        other.c.canary != _LAST,
    )
    return or_(_DELIVERY.c.canary != _LAST, ~untried)


def holders(connection: Connection, mailboxes: Collection[str]) -> dict[str, list[Contact]]:
    """Whose these mailboxes are now, by address key: whoever is on the list first, none where they are nobody's."""
    statement = (
        select(_CONTACT, _KNOWN.c.address_key.label("mailbox"))
        .join(_KNOWN, _KNOWN.c.contact_id == _CONTACT.c.id)
        .where(_KNOWN.c.address_key.in_(list(mailboxes)), _KNOWN.c.current)
        .order_by(_CONTACT.c.left_at.is_not(None), _CONTACT.c.id)
    )
    found: dict[str, list[Contact]] = defaultdict(list)
    for row in rows(connection, statement):
        found[row["mailbox"]].append(contact_from(row))
    return dict(found)


def add_canary(connection: Connection, address: str, *, now: datetime) -> int:
    """Give an address that is nobody's a contact of its own, which is on no list; inside `deciding`."""
    contact = Contact(address=address, status="")
    return add_person(connection, contact, origin=schema.CANARY, now=now, listed=False)


def write_canaries(
    connection: Connection,
    mailing: MailingRow,
    place: CanaryPlace,
    *,
    recipients: Sequence[PlannedRecipient],
    exclusions: Sequence[Exclusion],
    now: datetime,
) -> None:
    """Write the canaries of one place, in the transaction that ends planning; whoever is planned already stays so."""
    planned = _planned_already(
        connection, mailing, [*(each.contact for each in recipients), *(each.contact for each in exclusions)]
    )
    riding = [each for each in recipients if each.contact.contact_id not in planned]
    left_out = [each for each in exclusions if each.contact.contact_id not in planned]
    batch_id = _open_batch(connection, mailing, place) if riding else 0
    insert_deliveries(
        connection,
        [
            *(excluded_delivery(mailing, each, now=now, canary=place) for each in left_out),
            *(planned_delivery(mailing, each, batch_id, now=now, canary=place) for each in riding),
        ],
    )


def _planned_already(connection: Connection, mailing: MailingRow, people: Sequence[Contact]) -> set[int]:
    statement = select(_DELIVERY.c.contact_id).where(
        _DELIVERY.c.mailing_id == mailing.mailing_id,
        _DELIVERY.c.contact_id.in_([person.contact_id for person in people]),
    )
    return set(connection.execute(statement).scalars())


def _open_batch(connection: Connection, mailing: MailingRow, place: CanaryPlace) -> int:
    number, due_at = FIRST_BATCH, mailing.send_at
    if place is CanaryPlace.LAST:
        latest = select(func.max(_BATCH.c.number), func.max(_BATCH.c.due_at)).where(
            _BATCH.c.mailing_id == mailing.mailing_id
        )
        last, last_due = connection.execute(latest).one()
        number, due_at = (last or FIRST_BATCH) + 1, last_due or mailing.send_at
    values = {"mailing_id": mailing.mailing_id, "number": number, "due_at": due_at}
    return insert_returning_id(connection, _BATCH, values)
