"""Whom the links in mails belong to, and what these people have asked for on our pages."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from mlgroup_mail.model import Road, SignalKind
from mlgroup_mail.store import schema

_RULE, _MAILING = schema.suppression, schema.mailing
_NAMED, _PERSON = schema.contact.alias("named"), schema.contact.alias("person")

# Made once: to put them together costs more than to ask them.
_READERS = (
    select(_NAMED.c.id.label("number"), _PERSON.c.id, _PERSON.c.address, _PERSON.c.language)
    .join(_PERSON, _PERSON.c.id == func.coalesce(_NAMED.c.moved_to, _NAMED.c.id))
    .where(
        _NAMED.c.id.in_(bindparam("numbers", expanding=True)),
        _NAMED.c.erased_at.is_(None),
        _PERSON.c.erased_at.is_(None),
    )
)
_ASKED = (
    select(_RULE.c.contact_id, _RULE.c.topic, func.count(), func.count(_RULE.c.lifted_number))
    .where(
        _RULE.c.contact_id.in_(bindparam("people", expanding=True)),
        _RULE.c.road == bindparam("road"),
        _RULE.c.kind == bindparam("kind"),
    )
    .group_by(_RULE.c.contact_id, _RULE.c.topic)
)
_NAMES = select(_MAILING.c.id, _MAILING.c.campaign, _MAILING.c.name).where(
    _MAILING.c.id.in_(bindparam("mailings", expanding=True))
)

OF_THE_WELCOME = 0
"""The number that stands for a mailing in the links of the mail to who has joined."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A person as a link finds them; `language` as their list has it, "" for unknown."""

    contact_id: int
    address: str
    language: str


def find_readers(connection: Connection, contact_ids: Collection[int]) -> dict[int, Reader]:
    """Whose the links with these numbers are: the number in the link -> the person it leads to now.

    Nobody for a number that was never given, or whose person wants to be forgotten.
    """
    return {
        row.number: Reader(contact_id=row.id, address=row.address, language=row.language)
        for row in connection.execute(_READERS, {"numbers": list(contact_ids)})
    }


def asked_by_page(connection: Connection, contact_ids: Collection[int]) -> dict[tuple[int, str], tuple[int, bool]]:
    """(person, topic) -> how often they have opted out of it on our pages, and whether the last one still stands."""
    found = connection.execute(_ASKED, {"people": list(contact_ids), "road": Road.PAGE, "kind": SignalKind.OPT_OUT})
    return {(contact_id, topic): (times, lifted < times) for contact_id, topic, times, lifted in found}


def mailing_names(connection: Connection, mailing_ids: Collection[int]) -> dict[int, str]:
    """What people call these mailings: `campaign/mailing`."""
    found = connection.execute(_NAMES, {"mailings": list(mailing_ids)})
    return {OF_THE_WELCOME: "the welcome"} | {row.id: f"{row.campaign}/{row.name}" for row in found}
