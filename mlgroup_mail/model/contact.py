"""A person we hold."""

from dataclasses import dataclass
from enum import StrEnum


class ContactStatus(StrEnum):
    """What a person is to the group; a source may use further words, which are kept as they are."""

    MEMBER = "member"
    """Takes part in the group and gets its mail."""
    LEAD = "lead"
    """A member who leads an activity or a theme."""
    BOARD = "board"
    """Sits on the Executive Board; gets its updates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """A person we hold, as cleaned.

    `contact_id` is the store's stable number, 0 before it is stored; `external_id` is the source's own id column.
    `address` is normalised for sending (domain in lower case, A-labels); `addresses.key()` of it is what
    identifies a mailbox. `country` is ISO 3166 alpha-2, `timezone` an IANA name, `language` a BCP 47 tag; each is
    empty where nothing is known. Empty `topics` mean the project's defaults, filled ones mean exactly these; `chosen`
    are those that they have turned on for themselves besides, whatever a list says.
    """

    address: str
    name: str = ""
    first_name: str = ""
    organisation: str = ""
    country: str = ""
    timezone: str = ""
    language: str = ""
    status: str = ContactStatus.MEMBER
    themes: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    source: str = ""
    external_id: str = ""
    contact_id: int = 0
    chosen: tuple[str, ...] = ()
