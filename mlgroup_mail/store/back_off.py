"""Who has to wait after a deferral, and how long: one person, a receiving domain, or everybody.

A domain that puts us off (greylisting, too many, out of order) would put off the next one there too: all of its
deliveries wait, longer after each failure, until one of them is accepted. The others go on meanwhile.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, Connection, Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list

_TABLE = schema.back_off

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
"""How long to wait after the first, second ... failure in a row; the last one stays."""

THE_SERVER = ""
"""Stands for the domain where the mail server or the provider itself has named a time to wait: nothing goes then."""


_AMONG = among(_TABLE.c.domain, "domains")
_TAKE_TURNS = select(_TABLE.c.domain).where(_AMONG).order_by(_TABLE.c.domain).with_for_update()
_END = delete(_TABLE).where(_AMONG)
_SERVER_WAITS = select(_TABLE.c.until).where(_TABLE.c.domain == THE_SERVER)
SERVER_UNTIL = _SERVER_WAITS.scalar_subquery()
"""Until when the mail server has asked for nothing, within another statement; may be over."""


def waiting_time(failures: int) -> timedelta:
    """How long to wait after so many failures in a row, one at least."""
    return BACK_OFF[min(failures, len(BACK_OFF)) - 1]


def waiting_domains(now: datetime | BindParameter[datetime]) -> Select[tuple[str]]:
    """The receiving domains that are given nothing now."""
    return select(_TABLE.c.domain).where(_TABLE.c.until > now)


def server_waits_until(connection: Connection) -> datetime | None:
    """Until when the mail server has asked for nothing; may be over."""
    return connection.execute(_SERVER_WAITS).scalar_one_or_none()


def take_turns(connection: Connection, domains: Collection[str]) -> set[str]:
    """Keep others away from these domains until this transaction ends; in order, so that nobody waits in a circle.

    Returns those that have backed off: there is nothing to keep of the others.
    """
    return set(connection.execute(_TAKE_TURNS, {"domains": as_list(domains)}).scalars())


def end_back_off(connection: Connection, domains: Collection[str]) -> None:
    """These domains have taken a message."""
    if domains:
        connection.execute(_END, {"domains": as_list(domains)})


def back_off(connection: Connection, domain: str, *, retry_after: float | None, now: datetime) -> datetime:
    """A domain has put us off; returns until when. Answers to one window are one failure, however many they are.

    `retry_after`: the number of seconds that the server named.
    """
    known = connection.execute(select(_TABLE.c.failures, _TABLE.c.until).where(_TABLE.c.domain == domain)).first()
    named = now + timedelta(seconds=retry_after or 0)
    if known and known.until > now:
        failures = known.failures
        until: datetime = max(known.until, named)
    else:
        failures = known.failures + 1 if known else 1
        until = named if retry_after else now + waiting_time(failures)
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(_TABLE)
    values = {"failures": failures, "until": until}
    connection.execute(
        insert.values(domain=domain, **values).on_conflict_do_update(index_elements=["domain"], set_=values)
    )
    return until
