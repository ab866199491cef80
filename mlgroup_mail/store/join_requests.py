"""People who have asked to join and have not confirmed it yet, and the mails that are to go to them."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, and_, delete, exists, func, insert, select, update

from mlgroup_mail import addresses
from mlgroup_mail.model import CourtesyKind, KeptBack
from mlgroup_mail.store import schema
from mlgroup_mail.store.courtesies import CourtesyQueue
from mlgroup_mail.store.transactions import count, rows, take_turn

_TABLE, _COURTESY, _KNOWN = schema.join_request, schema.courtesy, schema.contact_address
MAILS = CourtesyQueue(table=_TABLE, key="id")
"""The question that each is asked, then their welcome."""

LINK_LIVES = timedelta(days=7)
"""How long somebody can confirm. After that nothing is left of the request."""
ONCE_IN = timedelta(days=1)
"""A mailbox is asked once in so long, whoever asks for it how often."""
QUESTION_TO_A_STRANGER = and_(
    _COURTESY.c.kind == CourtesyKind.CONFIRMATION,
    ~exists().where(_KNOWN.c.address_key == func.lower(_COURTESY.c.address)),
)
"""Whether a mail asked a mailbox that nobody we know has or had: perhaps somebody else typed it."""
_TURN = 0x6D6C_6A6E
"""The key of the lock by which requests are taken in one after the other: "mljn" in ASCII."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequest:
    """A request as it stands. `contact_id` is who they are since they have confirmed; None before."""

    request_id: int
    address: str
    name: str
    organisation: str
    country: str
    language: str
    contact_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutThem:
    """What somebody says of themselves: texts on one line, the country's code; each "" where they left it out."""

    name: str = ""
    organisation: str = ""
    country: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant(AboutThem):
    """What somebody has filled in who wants to join: a normalised address, and the language of the page."""

    address: str
    language: str = ""


def is_full(connection: Connection, *, per_hour: int, now: datetime) -> bool:
    """Whether so many have been asked in the last hour that nobody more is: whoever they are."""
    return count(connection, _TABLE, _TABLE.c.asked_at > now - timedelta(hours=1)) >= per_hour


def asked_lately(connection: Connection, address: str, *, now: datetime) -> bool:
    """Whether this mailbox was asked within the last day."""
    recent = select(_TABLE.c.id).where(_TABLE.c.mailbox == _mailbox(address), _TABLE.c.asked_at > now - ONCE_IN)
    return connection.execute(recent.limit(1)).first() is not None


def add_request(connection: Connection, applicant: Applicant, *, per_hour: int, now: datetime) -> bool | None:
    """Keep a request, its mail due at once; None where it `is_full`, False where this mailbox was asked lately.

    Two that come at once are looked at one after the other.
    """
    take_turn(connection, _TURN)
    if is_full(connection, per_hour=per_hour, now=now):
        return None
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
            kept_back="",
        )
    )
    return True


def next_due(connection: Connection, *, now: datetime, lock: int = 0) -> JoinRequest | None:
    """The next one to whom a mail is to go; with `lock`, that one alone, and nobody else changes it meanwhile."""
    statement = select(_TABLE).where(MAILS.due(now)).order_by(_TABLE.c.next_at, _TABLE.c.id).limit(1)
    if lock:
        statement = statement.where(_TABLE.c.id == lock).with_for_update()
    row = connection.execute(statement).mappings().first()
    return _request(row) if row else None


def note_link(connection: Connection, request_id: int, secret: str) -> None:
    """What the link ends with that the mail shows."""
    connection.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(token_hash=_hash(secret)))


def find_request(connection: Connection, token: str, *, now: datetime) -> JoinRequest | None:
    """The request that a link is of; None where it is none of ours, or too old."""
    alive = _TABLE.c.asked_at > now - LINK_LIVES
    row = connection.execute(select(_TABLE).where(_TABLE.c.token_hash == _hash(token), alive)).mappings().first()
    return _request(row) if row else None


def confirm_request(connection: Connection, request: JoinRequest, *, contact_id: int, now: datetime) -> None:
    """They have confirmed it, with what `request` says of them: a welcome is due."""
    said = {"name": request.name, "organisation": request.organisation, "country": request.country}
    values = {**said, "confirmed_at": now, "contact_id": contact_id, "next_at": now, "tries": 0, "kept_back": ""}
    connection.execute(update(_TABLE).where(_TABLE.c.id == request.request_id).values(**values))


def forget_requests(connection: Connection, *, before: datetime) -> int:
    """Take away what was asked before then, confirmed or not, and where to; returns how many requests there were.

    Where a question to somebody who is known went stays, as with other mail to them: they may complain about it later.
    """
    asked = QUESTION_TO_A_STRANGER, _COURTESY.c.begun_at <= before, _COURTESY.c.address != ""
    connection.execute(update(_COURTESY).where(*asked).values(address="", detail=""))
    return int(connection.execute(delete(_TABLE).where(_TABLE.c.asked_at <= before)).rowcount)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unconfirmed:
    """A request that nobody has confirmed (yet), and what became of the mail that asks.

    `begun_at` is None where none was begun; `outcome` and `detail` are then "", as they are where none is known.
    """

    asked_at: datetime
    kept_back: KeptBack | None
    begun_at: datetime | None
    outcome: str
    detail: str


def requests_of(connection: Connection, address: str) -> list[Unconfirmed]:
    """The requests to join with this address that nobody has confirmed yet."""
    statement = (
        select(_TABLE.c.asked_at, _TABLE.c.kept_back, _COURTESY.c.begun_at, _COURTESY.c.outcome, _COURTESY.c.detail)
        .outerjoin(_COURTESY, _COURTESY.c.id == _TABLE.c.courtesy_id)
        .where(_TABLE.c.address_key == addresses.key(address), _TABLE.c.confirmed_at.is_(None))
        .order_by(_TABLE.c.id)
    )
    return [
        Unconfirmed(
            asked_at=row["asked_at"],
            kept_back=KeptBack(row["kept_back"]) if row["kept_back"] else None,
            begun_at=row["begun_at"],
            outcome=row["outcome"] or "",
            detail=row["detail"] or "",
        )
        for row in rows(connection, statement)
    ]


def kept_back(connection: Connection) -> dict[CourtesyKind, Counter[KeptBack]]:
    """How many have not got their mail, by what it is and the reason."""
    return {
        CourtesyKind.CONFIRMATION: MAILS.kept_back(connection, _TABLE.c.contact_id.is_(None)),
        CourtesyKind.WELCOME: MAILS.kept_back(connection, _TABLE.c.contact_id.is_not(None)),
    }


def _request(row: RowMapping) -> JoinRequest:
    return JoinRequest(
        request_id=row["id"],
        address=row["address"],
        name=row["name"],
        organisation=row["organisation"],
        country=row["country"],
        language=row["language"],
        contact_id=row["contact_id"],
    )


def _mailbox(address: str) -> str:
    local, _, domain = addresses.key(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
