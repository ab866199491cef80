"""People who come by another way than a list: a page, a word to somebody of the team. No pull takes them away."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, case, insert, select, update

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_returning_id

_TABLE, _KNOWN = schema.contact, schema.contact_address

BY_PAGE = "page"
"""The origin of those who joined on our page."""


def add_person(connection: Connection, contact: Contact, *, origin: str, now: datetime, listed: bool = True) -> int:
    """Add somebody whom nobody knows yet, and return their number; inside `deciding`.

    `origin` names the way, as "page" or "hand". Without `listed` no segment ever finds them.
    """
    values = asdict(contact)
    aliases = {addresses.key(alias) for alias in values.pop("aliases")}
    del values["contact_id"], values["chosen"]
    key = addresses.key(contact.address)
    contact_id = insert_returning_id(
        connection,
        schema.contact,
        {
            **values,
            "themes": list(contact.themes),
            "topics": list(contact.topics),
            "address_key": key,
            "origin": origin,
            "joined_at": now,
            "changed_at": now,
            "left_at": None if listed else now,
        },
    )
    rows = [
        {"contact_id": contact_id, "address_key": each, "current": each == key, "since": now, "moved_away": False}
        for each in sorted({key, *aliases})
    ]
    connection.execute(insert(_KNOWN), rows)
    return contact_id


def find_present_holder(connection: Connection, address: str) -> int | None:
    """Who has this address now, whoever is on the list first; None where it is nobody's, or only was somebody's."""
    statement = (
        select(_TABLE.c.id)
        .join(_KNOWN, _KNOWN.c.contact_id == _TABLE.c.id)
        .where(
            _KNOWN.c.address_key == addresses.key(address),
            _KNOWN.c.current,
            _TABLE.c.moved_to.is_(None),
            _TABLE.c.erased_at.is_(None),
        )
        .order_by(_TABLE.c.left_at.is_not(None), _TABLE.c.id)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def welcome_back(connection: Connection, contact_id: int, contact: Contact, *, origin: str, now: datetime) -> None:
    """Somebody whom we know has come by themselves: they are on the list, and no pull takes them away any more.

    What we know of them stays; `contact` has what we may not know yet, and the topics of whoever was on no list any
    more. Inside `deciding`.
    """
    blank = {name: getattr(contact, name) for name in ("name", "organisation", "country", "language", "status")}
    filled = {name: case((_TABLE.c[name] == "", value), else_=_TABLE.c[name]) for name, value in blank.items()}
    was_gone = _TABLE.c.id == contact_id, _TABLE.c.left_at.is_not(None)
    connection.execute(update(_TABLE).where(*was_gone).values(topics=list(contact.topics)))
    connection.execute(
        update(_TABLE).where(_TABLE.c.id == contact_id).values(**filled, origin=origin, left_at=None, changed_at=now)
    )
