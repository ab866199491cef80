"""Rows of the same person become one contact: the first wins, later ones fill its gaps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.names import greeting_name
from mlgroup_mail.contacts.words.readings import Value
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.model import Contact, ContactStatus

_FIRST_FILLED = ("name", "organisation", "country", "timezone", "language", "external_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A contact in the making, from row `position` of table `table`.

    `opted_out_at` is the place whose status says that the person wants no mail.
    """

    contact: Contact
    table: int
    position: int
    defaults: Mapping[Field, Value]
    opted_out_at: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Rows by person: `firsts[i]` is the first row of the person that row i is of.

    `shared_ids` are the rows whose id is another person's too, who has it by an earlier row.
    """

    firsts: Sequence[int]
    shared_ids: frozenset[int]


def group(entries: Sequence[Entry]) -> Groups:
    """Find out which rows are one person's.

    They meet by address, where one has the other's address as an alias, and by the source's own id where the names
    are of the same words: an id alone is not enough, because a column called “ID” may hold anything.
    """
    person = _Union(len(entries))
    holders: dict[object, int] = {}
    for row, entry in enumerate(entries):
        contact = entry.contact
        names: list[object] = [addresses.key(each) for each in (contact.address, *contact.aliases)]
        if contact.external_id and contact.name:
            names.append((contact.external_id, *sorted(plain(contact.name).split())))
        for name in names:
            person.join(holders.setdefault(name, row), row)
    firsts = [person.first(row) for row in range(len(entries))]
    owners: dict[str, int] = {}
    shared = {
        row
        for row, entry in enumerate(entries)
        if entry.contact.external_id and owners.setdefault(entry.contact.external_id, firsts[row]) != firsts[row]
    }
    return Groups(firsts=firsts, shared_ids=frozenset(shared))


def merge(rows: Sequence[Entry]) -> Entry:
    """One person from their rows, the first of which takes precedence; an opt-out always wins.

    Gaps are filled from the defaults of the first row's source.
    """
    first = rows[0]
    contacts = [row.contact for row in rows]
    opted_out = next((row for row in rows if row.opted_out_at), None)
    mailboxes = {addresses.key(each): each for contact in contacts for each in (contact.address, *contact.aliases)}
    mailboxes.pop(addresses.key(first.contact.address))
    filled: dict[str, Any] = {field: _first(getattr(each, field) for each in contacts) for field in _FIRST_FILLED}
    own_name = _first(each.first_name for each in contacts if each.first_name != each.name)
    contact = replace(
        first.contact,
        **filled,
        first_name=own_name or greeting_name(filled["name"]),
        status=opted_out.contact.status if opted_out else _first(each.status for each in contacts),
        topics=tuple(dict.fromkeys(topic for each in contacts for topic in each.topics)),
        themes=tuple(dict.fromkeys(theme for each in contacts for theme in each.themes)),
        aliases=tuple(mailboxes.values()),
    )
    gaps: dict[str, Any] = {
        field.value: value for field, value in first.defaults.items() if not getattr(contact, field.value)
    }
    if not contact.status:
        gaps.setdefault(Field.STATUS.value, ContactStatus.MEMBER)
    return replace(first, contact=replace(contact, **gaps), opted_out_at=opted_out.opted_out_at if opted_out else "")


def _first(values: Iterable[str]) -> str:
    return next(filter(None, values), "")


class _Union:
    """Disjoint sets of rows (union-find), each known by its first row."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def first(self, row: int) -> int:
        while self._parents[row] != row:
            self._parents[row] = self._parents[self._parents[row]]
            row = self._parents[row]
        return row

    def join(self, one: int, other: int) -> None:
        first, later = sorted((self.first(one), self.first(other)))
        self._parents[later] = first
