"""Events that wait until it is known whose they are: they came before the one that tells."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, select

from mlgroup_mail.model import Bounce, EventKind, ProviderEvent, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.transactions import insert_new, rows

_UNPLACED = schema.unplaced_event

WAITING = timedelta(days=7)
"""How long an event waits: providers repeat what was not taken for a day or three, and no longer."""


def keep_unplaced(connection: Connection, events: Sequence[ProviderEvent], *, now: datetime) -> int:
    """Let events wait for what tells whose they are; returns how many. Who has waited too long is forgotten."""
    if not events:
        return 0
    connection.execute(delete(_UNPLACED).where(_UNPLACED.c.kept_at < now - WAITING))
    told = {_fingerprint(event): event for event in events}
    insert_new(
        connection,
        _UNPLACED,
        [
            (
                fingerprint,
                event.alias,
                event.kind,
                event.bounce or "",
                event.asks or "",
                event.every_topic,
                event.detail,
                event.at,
                now,
            )
            for fingerprint, event in sorted(told.items())
        ],
    )
    return len(told)


def find_unplaced(connection: Connection, aliases: Collection[str]) -> list[ProviderEvent]:
    """The events that wait under these aliases."""
    if not aliases or not connection.execute(_ANY).first():
        return []
    return [_event(row) for row in rows(connection, _WAITING_FOR, {"aliases": as_list(aliases)})]


_ANY = select(_UNPLACED.c.alias).limit(1)
_WAITING_FOR = select(_UNPLACED).where(among(_UNPLACED.c.alias, "aliases"))


def forget_unplaced(connection: Connection, events: Collection[ProviderEvent]) -> None:
    """They wait no more."""
    if events:
        connection.execute(
            delete(_UNPLACED).where(_UNPLACED.c.fingerprint.in_([_fingerprint(each) for each in events]))
        )


def _fingerprint(event: ProviderEvent) -> str:
    parts = (event.alias, event.kind, event.bounce, event.asks, event.detail, event.at.astimezone(UTC))
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def _event(row: RowMapping) -> ProviderEvent:
    return ProviderEvent(
        kind=EventKind(row["kind"]),
        at=row["at"],
        alias=row["alias"],
        bounce=Bounce(row["bounce"]) if row["bounce"] else None,
        asks=SignalKind(row["asks"]) if row["asks"] else None,
        every_topic=row["every_topic"],
        detail=row["detail"],
    )
