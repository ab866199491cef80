"""What has been planned for somebody who moves: it follows them, and nobody gets a mailing twice.

Only what was never tried goes to another address or row; what a claim has taken ends where it began.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, exists, select, update

from mlgroup_mail import addresses
from mlgroup_mail.model import DeliveryState, DeliveryStep, ExclusionReason
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY = schema.delivery
_TAKEN = frozenset({DeliveryState.ATTEMPTING, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN})
"""The person has it, or may have."""


def redirect(connection: Connection, contact_id: int, address: str, *, now: datetime) -> tuple[int, int]:
    """Let what was not tried yet go to the new address; returns how many do, and how many do not.

    Where another recipient of the mailing has that mailbox, theirs goes and this one is left out.
    """
    waiting = (
        _DELIVERY.c.contact_id == contact_id,
        schema.OF_ANY_MAILING,
        _DELIVERY.c.state == DeliveryState.PLANNED,
        _DELIVERY.c.attempts == 0,
        _DELIVERY.c.address_key != addresses.key(address),
    )
    other = _DELIVERY.alias()
    doubled = exists().where(
        other.c.mailing_id == _DELIVERY.c.mailing_id,
        other.c.address_key == addresses.key(address),
        other.c.batch_id.is_not(None),
    )
    theirs = connection.execute(select(_DELIVERY.c.id).where(*waiting, doubled)).scalars().all()
    left_out = _exclude(connection, dict.fromkeys(theirs, ExclusionReason.DUPLICATE), now=now)
    new = {"address": address, "address_key": addresses.key(address), "domain": addresses.domain(address)}
    result = connection.execute(update(_DELIVERY).where(*waiting).values(**new, changed_at=now))
    return int(result.rowcount), left_out


def unite(connection: Connection, kept_id: int, closed_id: int, *, now: datetime) -> int:
    """Two rows proved to be one person: of each mailing one delivery goes; returns how many do not.

    What was planned for the closed row alone becomes the other one's.
    """
    statement = select(_DELIVERY).where(_DELIVERY.c.contact_id.in_([kept_id, closed_id]), schema.OF_ANY_MAILING)
    by_mailing: dict[int, dict[int, RowMapping]] = defaultdict(dict)
    for row in rows(connection, statement):
        by_mailing[row["mailing_id"]][row["contact_id"]] = row
    left_out: dict[int, str] = {}
    for both in by_mailing.values():
        kept, closed = both.get(kept_id), both.get(closed_id)
        if closed is None:
            continue
        if kept is None:
            if _untried(closed):
                connection.execute(update(_DELIVERY).where(_DELIVERY.c.id == closed["id"]).values(contact_id=kept_id))
        elif _claimable(closed) and (_claimable(kept) or kept["state"] in _TAKEN):
            left_out[closed["id"]] = ExclusionReason.DUPLICATE
        elif _claimable(closed) and kept["state"] == DeliveryState.EXCLUDED:
            left_out[closed["id"]] = kept["reason"]
        elif _claimable(kept) and closed["state"] in _TAKEN:
            left_out[kept["id"]] = ExclusionReason.DUPLICATE
    return _exclude(connection, left_out, now=now)


def _claimable(row: RowMapping) -> bool:
    return DeliveryState(row["state"]).claimable


def _untried(row: RowMapping) -> bool:
    return bool(row["state"] == DeliveryState.PLANNED and row["attempts"] == 0)


def _exclude(connection: Connection, left_out: Mapping[int, str], *, now: datetime) -> int:
    moves = [{"id": key, "reason": reason} for key, reason in left_out.items()]
    return move_deliveries(connection, DeliveryStep.EXCLUDE, moves, now=now, also=("reason",))
