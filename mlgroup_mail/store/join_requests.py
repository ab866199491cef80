"""People who have asked to join and have not confirmed it yet, and the mails that are to go to them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from mlgroup_mail import addresses
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import waiting_time
from mlgroup_mail.store.transactions import count, rows

_TABLE = schema.join_request

LINK_LIVES = timedelta(days=7)
"""How long somebody can confirm. After that nothing is left of the request."""
ONCE_IN = timedelta(days=1)
"""A mailbox is asked once in so long, whoever asks for it how often."""
MOST_TRIES = 4
CONFIRMATION = "confirmation"
"""The kind of courtesy that asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequest:
    """A request as it stands. `contact_id` is who they are since they have confirmed; None before."""

    request_id: int
    address: str
    name: str
    organisation: str
    country: str
    language: str
    tries: int
    contact_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """What somebody has filled in: a normalised address, and texts on one line, each "" where they left it out."""

    address: str
    name: str = ""
    organisation: str = ""
    country: str = ""
    language: str = ""


def is_full(connection: Connection, *, per_hour: int, now: datetime) -> bool:
    """Whether so many have been asked in the last hour that nobody more is: whoever they are."""
    return count(connection, _TABLE, _TABLE.c.asked_at > now - timedelta(hours=1)) >= per_hour


def asked_lately(connection: Connection, address: str, *, now: datetime) -> bool:
    """Whether this mailbox was asked within the last day."""
    recent = select(_TABLE.c.id).where(_TABLE.c.mailbox == _mailbox(address), _TABLE.c.asked_at > now - ONCE_IN)
    return connection.execute(recent.limit(1)).first() is not None


def add_request(connection: Connection, applicant: Applicant, *, now: datetime) -> bool:
    """Keep a request, its mail due at once; False where this mailbox was asked within the last day."""
    if asked_lately(connection, applicant.address, now=now):
        return False
    connection.execute(
        insert(_TABLE).values(
            address=applicant.address,
            address_key=addresses.key(applicant.address),
            mailbox=_mailbox(applicant.address),
            name=applicant.name,
            organisation=applicant.organisation,
            country=applicant.country,
            language=applicant.language,
            asked_at=now,
            next_at=now,
            tries=0,
        )
    )
    return True


def take_next(connection: Connection, *, now: datetime, lock: bool = True) -> JoinRequest | None:
    """The next one to whom a mail is to go; with `lock`, nobody else gets the same one until the transaction ends."""
    statement = select(_TABLE).where(_TABLE.c.next_at <= now).order_by(_TABLE.c.next_at, _TABLE.c.id).limit(1)
    if lock:
        statement = statement.with_for_update(skip_locked=True)
    row = connection.execute(statement).mappings().first()
    return _request(row) if row else None


def note_try(connection: Connection, request_id: int, *, courtesy_id: int, token: str) -> None:
    """A mail to them is being tried: it is not due any more. `token` is the link's, "" in a welcome."""
    values: dict[str, Any] = {"courtesy_id": courtesy_id, "next_at": None, "tries": _TABLE.c.tries + 1}
    if token:
        values |= {"token_hash": _hash(token)}
    connection.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(**values))


def no_mail(connection: Connection, request_id: int) -> None:
    """Nothing is to go to them."""
    connection.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(next_at=None))


def try_again(connection: Connection, request: JoinRequest, *, now: datetime) -> None:
    """The mail was surely not accepted: it is due again later, unless there were tries enough."""
    tries = request.tries + 1
    if tries < MOST_TRIES:
        again = now + waiting_time(tries)
        connection.execute(update(_TABLE).where(_TABLE.c.id == request.request_id).values(next_at=again))


def find_request(connection: Connection, token: str, *, now: datetime) -> JoinRequest | None:
    """The request that a link is of; None where it is none of ours, or too old."""
    alive = _TABLE.c.asked_at > now - LINK_LIVES
    row = connection.execute(select(_TABLE).where(_TABLE.c.token_hash == _hash(token), alive)).mappings().first()
    return _request(row) if row else None


def confirm_request(connection: Connection, request_id: int, *, contact_id: int, now: datetime) -> None:
    """They have confirmed it: a welcome is due."""
    values = {"confirmed_at": now, "contact_id": contact_id, "next_at": now, "tries": 0}
    connection.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(**values))


def forget_requests(connection: Connection, *, before: datetime) -> int:
    """Take away what was asked before then, confirmed or not, and where to; returns how many requests there were."""
    sent = schema.courtesy.c
    asked = sent.kind == CONFIRMATION, sent.begun_at <= before, sent.address != ""
    connection.execute(update(schema.courtesy).where(*asked).values(address="", detail=""))
    return int(connection.execute(delete(_TABLE).where(_TABLE.c.asked_at <= before)).rowcount)


def requests_of(connection: Connection, address: str) -> list[datetime]:
    """When somebody asked to join with this address, and nobody has confirmed it yet."""
    statement = select(_TABLE.c.asked_at).where(
        _TABLE.c.address_key == addresses.key(address), _TABLE.c.confirmed_at.is_(None)
    )
    return [row["asked_at"] for row in rows(connection, statement)]


def _request(row: RowMapping) -> JoinRequest:
    return JoinRequest(
        request_id=row["id"],
        address=row["address"],
        name=row["name"],
        organisation=row["organisation"],
        country=row["country"],
        language=row["language"],
        tries=row["tries"],
        contact_id=row["contact_id"],
    )


def _mailbox(address: str) -> str:
    local, _, domain = addresses.key(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
