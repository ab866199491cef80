"""What the provider calls our deliveries, and the events that wait until that is known.

Some events (a bounce that came back by mail) cite nothing of ours but the provider's own name of the message. An alias
is a hash of that name and of the recipient: names alone are shared by a request, and nobody reads an address out of it.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, delete, select

from mlgroup_mail.model import Bounce, EventKind, ProviderEvent, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_new, rows

_ALIAS, _UNPLACED = schema.provider_alias, schema.unplaced_event

WAITING = timedelta(days=7)
"""How long an event waits: providers repeat what was not taken for a day or three, and no longer."""


def remember_aliases(connection: Connection, aliases: Mapping[str, int]) -> None:
    """Keep that these aliases mean these deliveries; what is known already stays."""
    # In one order: two processes that write the same ones would wait for each other.
    insert_new(connection, _ALIAS, sorted(aliases.items()))


def find_by_alias(connection: Connection, aliases: Collection[str]) -> dict[str, int]:
    """The deliveries that these aliases mean, as far as that is known: alias -> delivery."""
    if not aliases:
        return {}
    statement = select(_ALIAS.c.alias, _ALIAS.c.delivery_id).where(_ALIAS.c.alias.in_(list(aliases)))
    return {row.alias: row.delivery_id for row in connection.execute(statement)}


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
    if not aliases or not connection.execute(select(_UNPLACED.c.alias).limit(1)).first():
        return []
    return [_event(row) for row in rows(connection, _WAITING_FOR, {"aliases": list(aliases)})]


_WAITING_FOR = select(_UNPLACED).where(_UNPLACED.c.alias.in_(bindparam("aliases", expanding=True)))


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
