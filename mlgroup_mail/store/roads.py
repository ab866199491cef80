"""Roads that are configured, and when each was last read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from mlgroup_mail.model import Road
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows

_TABLE = schema.road


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadRow:
    """One configured road. `failed_at` and `error`: the last try that failed, where none has succeeded since."""

    name: str
    kind: Road
    configured_at: datetime
    heard_at: datetime | None
    failed_at: datetime | None
    error: str

    @property
    def silent_since(self) -> datetime:
        """When it was last read; for one that never was, when it was configured."""
        return self.heard_at or self.configured_at


def keep_roads(connection: Connection, kind: Road, names: Collection[str], *, now: datetime) -> None:
    """The configured roads of one kind are exactly these: new ones count from now, others count no more."""
    mine = _TABLE.c.kind == kind
    connection.execute(delete(_TABLE).where(mine, _TABLE.c.name.not_in(names)))
    # By a clock that was wrong then: it would be waited for until that moment, and a day.
    connection.execute(update(_TABLE).where(mine, _TABLE.c.configured_at > now).values(configured_at=now))
    known = set(connection.execute(select(_TABLE.c.name).where(mine)).scalars())
    for name in sorted(set(names) - known):
        connection.execute(insert(_TABLE).values(name=name, kind=kind, configured_at=now, error=""))


def road_heard(connection: Connection, name: str, *, at: datetime, now: datetime) -> bool:
    """It was read to its end; False where no such road is configured.

    An earlier time changes nothing. None is later than now, and a stored one that is gives way.
    """
    at = min(at, now)
    known = connection.execute(select(_TABLE.c.heard_at).where(_TABLE.c.name == name).with_for_update()).first()
    if known is None:
        return False
    if known.heard_at is None or known.heard_at < at or known.heard_at > now:
        connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(heard_at=at, failed_at=None, error=""))
    return True


def road_failed(connection: Connection, name: str, *, at: datetime, error: str) -> bool:
    """It could not be read; False where no such road is configured."""
    result = connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(failed_at=at, error=error))
    return bool(result.rowcount)


def all_roads(connection: Connection) -> list[RoadRow]:
    """Every configured road, by name."""
    return [
        RoadRow(
            name=row["name"],
            kind=Road(row["kind"]),
            configured_at=row["configured_at"],
            heard_at=row["heard_at"],
            failed_at=row["failed_at"],
            error=row["error"],
        )
        for row in rows(connection, select(_TABLE).order_by(_TABLE.c.name))
    ]
