"""Rows of the same person become one contact: the first wins, later ones fill its gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.names import greeting_name
from mlgroup_mail.contacts.words.readings import Value
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.model import Contact, ContactStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A contact in the making, first seen in row `position` of table `table`.

    `opted_out_at` is the place whose status says that the person wants no mail.
    """

    contact: Contact
    table: int
    position: int
    defaults: Mapping[Field, Value]
    opted_out_at: str = ""


class Merger:
    """Collects entries, one per person.

    Rows meet by address, where one has the other's address as an alias, and by the source's own id. Two names that
    share an id are two people all the same: the later one does without it, and is among `without_id`.
    """

    def __init__(self) -> None:
        self.merged = 0
        self.without_id: list[Entry] = []
        self._entries: list[Entry | None] = []
        self._places: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        """Take a row in; what an earlier one says stays, except that an opt-out always wins."""
        places = {self._places[each] for each in _mailboxes(entry.contact) if each in self._places}
        same_id = self._places.get(entry.contact.external_id) if entry.contact.external_id else None
        if same_id is not None and same_id not in places:
            holder = self._entries[same_id]
            if holder and _may_be_one(holder.contact, entry.contact):
                places.add(same_id)
            else:
                self.without_id.append(entry)
                entry = replace(entry, contact=replace(entry.contact, external_id=""))
        known = [each for place in sorted(places) if (each := self._entries[place])]
        combined = reduce(merge, [*known, entry])
        self._entries += [None]
        for place in places:
            self._entries[place] = None
        place = min(places, default=len(self._entries) - 1)
        self._entries[place] = combined
        self.merged += len(places)
        names = [
            name for each in (*known, entry, combined) for name in (*_mailboxes(each.contact), each.contact.external_id)
        ]
        self._places.update(dict.fromkeys(filter(None, names), place))

    def holder(self, contact: Contact) -> Entry:
        """The person that a row of theirs, taken in before, has become part of."""
        entry = self._entries[self._places[addresses.key(contact.address)]]
        assert entry is not None, "every place leads to a standing entry"
        return entry

    def entries(self) -> list[Entry]:
        """Every person once, in the order of their first rows, gaps filled from the defaults of their source."""
        return [_filled(entry) for entry in self._entries if entry]


def _mailboxes(contact: Contact) -> list[str]:
    return [addresses.key(each) for each in (contact.address, *contact.aliases)]


def _may_be_one(first: Contact, second: Contact) -> bool:
    """Whether two rows with one id may be one person's: nothing in their names speaks against it."""
    return not first.name or not second.name or plain(first.name) == plain(second.name)


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
    return replace(first, contact=contact, opted_out_at=first.opted_out_at or later.opted_out_at)


def _filled(entry: Entry) -> Entry:
    gaps: dict[str, Any] = {
        field.value: value for field, value in entry.defaults.items() if not getattr(entry.contact, field.value)
    }
    if not entry.contact.status:
        gaps.setdefault(Field.STATUS.value, ContactStatus.MEMBER)
    return replace(entry, contact=replace(entry.contact, **gaps)) if gaps else entry
