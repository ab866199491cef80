"""Rows of the same person become one contact: the first wins, later ones fill its gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.names import greeting_name
from mlgroup_mail.model import Contact, ContactStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A contact in the making. `opted_out_at` is the place whose status says that the person wants no mail."""

    contact: Contact
    defaults: Mapping[Field, str | tuple[str, ...]]
    opted_out_at: str = ""


class Merger:
    """Collects entries, one per person: rows meet by address, or where one has the other's address as an alias."""

    def __init__(self) -> None:
        self.merged = 0
        self._entries: list[Entry] = []
        self._places: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        """Take a row in; what an earlier one says stays, except that an opt-out always wins."""
        mailboxes = [addresses.key(each) for each in (entry.contact.address, *entry.contact.aliases)]
        place = next((self._places[each] for each in mailboxes if each in self._places), None)
        if place is None:
            place = len(self._entries)
            self._entries.append(entry)
        else:
            self._entries[place] = merge(self._entries[place], entry)
            self.merged += 1
        for each in mailboxes:
            self._places.setdefault(each, place)

    def entries(self) -> list[Entry]:
        """Every person once, in the order of their first rows, gaps filled from the defaults of their source."""
        return [_filled(entry) for entry in self._entries]


def merge(first: Entry, later: Entry) -> Entry:
    """One entry from two of the same person."""
    kept, added = first.contact, later.contact
    aliases = {addresses.key(each): each for each in (*added.aliases, added.address, *kept.aliases)}
    aliases.pop(addresses.key(kept.address), None)
    own_name = next((each.first_name for each in (kept, added) if each.first_name not in ("", each.name)), "")
    name = kept.name or added.name
    contact = replace(
        kept,
        name=name,
        first_name=own_name or greeting_name(name),
        organisation=kept.organisation or added.organisation,
        country=kept.country or added.country,
        timezone=kept.timezone or added.timezone,
        language=kept.language or added.language,
        external_id=kept.external_id or added.external_id,
        status=added.status if later.opted_out_at and not first.opted_out_at else kept.status or added.status,
        topics=tuple(dict.fromkeys((*kept.topics, *added.topics))),
        themes=tuple(dict.fromkeys((*kept.themes, *added.themes))),
        aliases=tuple(aliases.values()),
    )
    return Entry(contact=contact, defaults=first.defaults, opted_out_at=first.opted_out_at or later.opted_out_at)


def _filled(entry: Entry) -> Entry:
    gaps: dict[str, Any] = {
        field.value: value for field, value in entry.defaults.items() if not getattr(entry.contact, field.value)
    }
    if not entry.contact.status:
        gaps.setdefault(Field.STATUS.value, ContactStatus.MEMBER)
    return replace(entry, contact=replace(entry.contact, **gaps)) if gaps else entry
