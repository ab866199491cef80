"""Whom a mailing was accepted for: what segments ask the ledger."""

from sqlalchemy import Connection, select

from mlgroup_mail.model import DeliveryState
from mlgroup_mail.store import schema

_DELIVERY = schema.delivery


def accepted_between(connection: Connection, mailing_id: int, first: int, last: int) -> set[int]:
    """The ids from `first` to `last` of those whom a mailing was accepted for: a range, so that chunks are cheap."""
    statement = select(_DELIVERY.c.contact_id).where(
        _DELIVERY.c.mailing_id == mailing_id,
        _DELIVERY.c.contact_id.between(first, last),
        _DELIVERY.c.state == DeliveryState.ACCEPTED,
    )
    return set(connection.execute(statement).scalars())
