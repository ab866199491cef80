"""People who come by another way than a list: a page, a word to somebody of the team. No pull takes them away."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, insert

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_returning_id

_KNOWN = schema.contact_address


def add_person(connection: Connection, contact: Contact, *, origin: str, now: datetime, listed: bool = True) -> int:
    """Add somebody whom nobody knows yet, and return their number; inside `deciding`.

    `origin` names the way, as "page" or "hand". Without `listed` no segment ever finds them.
    """
    values = asdict(contact)
    aliases = {addresses.key(alias) for alias in values.pop("aliases")}
    del values["contact_id"]
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
