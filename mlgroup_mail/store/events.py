"""Delivery events: what is learned after the attempt, each recorded once."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, insert, select

from mlgroup_mail.model import DeliveryStep
from mlgroup_mail.store import schema
from mlgroup_mail.store.transitions import move_deliveries


def record_evidence(
    connection: Connection, delivery_id: int, *, kind: str, source: str, detail: str, at: datetime, now: datetime
) -> bool:
    """Keep an event that shows that a delivery had been accepted; where that was in doubt, it no longer is.

    Returns whether doubt was settled. The same event told again changes nothing.
    """
    fingerprint = hashlib.sha256(
        "\x1f".join([str(delivery_id), kind, source, detail, at.isoformat()]).encode()
    ).hexdigest()
    table = schema.delivery_event
    if connection.execute(select(table.c.id).where(table.c.fingerprint == fingerprint)).first():
        return False
    connection.execute(
        insert(table).values(
            delivery_id=delivery_id, kind=kind, source=source, fingerprint=fingerprint, detail=detail, at=at
        )
    )
    move = {"id": delivery_id, "reason": f"shown by {source}: {kind}"}
    return bool(move_deliveries(connection, DeliveryStep.EVIDENCE, [move], now=now, also=("reason",)))
