"""Deaf is mute: while a configured road has not been read for a day, nobody is written to.

Whoever reads a road (a mailbox, a provider's list, a web store) says so here, each time. A road that people use and
nobody reads means opt-outs that we do not know of, and mail to people who have asked for none.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from mlgroup_mail.clock import Clock, SystemClock, boot_seconds
from mlgroup_mail.delivery.wall_clock import TOLERANCE
from mlgroup_mail.errors import DeafRoadError
from mlgroup_mail.model import Road
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.roads import RoadRow, all_roads, keep_roads, road_failed, road_heard

DEAF_AFTER = timedelta(hours=24)
"""How long a road may go unread; for a new one it counts from its configuration."""

SENDGRID = "sendgrid"
"""The road of SendGrid's suppression lists, where they are pulled."""

_ASK_AGAIN_SECONDS = 60.0


def register(store: Store, kind: Road, names: Collection[str], *, now: datetime) -> None:
    """Say which roads of one kind are configured: all of them, at every start. Whatever is missing counts no more.

    Where that is known nothing is written.
    """
    with store.reading() as connection:
        known = [road for road in all_roads(connection) if road.kind is kind]
    if {road.name for road in known} == set(names) and all(road.configured_at <= now for road in known):
        return
    with store.writing() as connection:
        keep_roads(connection, kind, names, now=now)


def heard(store: Store, name: str, *, at: datetime, clock: Clock | None = None) -> None:
    """A road was read to its end: everything that had come by it until `at` is in the ledger.

    Nothing is heard later than now, by `clock`: None is the machine's.
    """
    now = (clock or SystemClock()).now()
    with store.writing() as connection:
        road_heard(connection, name, at=at, now=now)


def failed(store: Store, name: str, *, at: datetime, error: str) -> None:
    """A road could not be read. `error` is shown to people and holds no address, name or secret."""
    with store.writing() as connection:
        road_failed(connection, name, at=at, error=error)


def deaf(connection: Connection, *, now: datetime) -> list[RoadRow]:
    """The configured roads that have not been read for so long that nothing may be sent.

    A reading that is still to come was noted by a wrong clock, and counts as none.
    """
    found = (_without_future(road, now=now) for road in all_roads(connection))
    return [road for road in found if now - road.silent_since >= DEAF_AFTER]


def _without_future(road: RoadRow, *, now: datetime) -> RoadRow:
    ahead = road.heard_at is not None and road.heard_at - now > TOLERANCE
    return replace(road, heard_at=None) if ahead else road


def told(road: RoadRow) -> str:
    """A deaf road, for people: since when, and what went wrong last."""
    since = f"{road.silent_since:%Y-%m-%d %H:%M} UTC"
    unread = (
        f"has not been read since {since}" if road.heard_at else f"has never been read, and is configured since {since}"
    )
    return f"the {road.kind} “{road.name}” {unread}" + (f" (last error: {road.error})" if road.error else "")


def require_hearing(connection: Connection, *, now: datetime) -> None:
    """Raise DeafRoadError while a configured road is deaf."""
    if found := deaf(connection, now=now):
        raise DeafRoadError(
            f"nothing is sent: {'; '.join(map(told, found))}. Whoever opted out there meanwhile is not known here",
            mend="Mend what keeps it from being read, and read it; or take it out of the settings, where nobody uses "
            "it any more.",
        )


class Hearing:
    """Asks whether all roads are heard, in the claims of a long run too, where once a minute is often enough."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ask_at = 0.0

    def require(self, connection: Connection) -> None:
        """Raise DeafRoadError while a configured road is deaf."""
        if boot_seconds() >= self._ask_at:
            require_hearing(connection, now=self._clock.now())
            self._ask_at = boot_seconds() + _ASK_AGAIN_SECONDS
