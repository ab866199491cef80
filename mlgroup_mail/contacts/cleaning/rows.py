"""The rows of one table, read: columns of values, from which contacts are made when somebody asks for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.distinct import TEXT, Distinct, Mask, Positions, Texts
from mlgroup_mail.contacts.cleaning.notes import RowNote, masked, shown
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.readings import Value
from mlgroup_mail.model import Contact, ContactStatus

_IN_ORDER = (
    Field.EMAIL,
    Field.NAME,
    Field.FIRST_NAME,
    Field.ORGANISATION,
    Field.COUNTRY,
    Field.TIMEZONE,
    Field.LANGUAGE,
    Field.STATUS,
    Field.ID,
    Field.THEMES,
    Field.TOPICS,
    Field.ALIASES,
)
_CHUNK = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of a table that have a usable address, and what is said about all of its rows.

    `columns` has one for each field of a contact, `keys` identifies the mailboxes. `numbers` are the spreadsheet's
    row numbers, `opted_out` marks the rows that say that the person wants no mail. `count` is the number of rows that
    the table had.
    """

    source: str
    count: int
    numbers: Positions
    keys: Texts
    columns: Mapping[Field, Distinct]
    opted_out: Mask
    defaults: Mapping[Field, Value]
    labels: Mapping[Field, str]
    rejected: Sequence[RowNote]
    noted: Sequence[RowNote]

    def __len__(self) -> int:
        return len(self.numbers)

    def contacts(self, positions: Positions) -> Iterator[Contact]:
        """The contacts that some rows make, gaps and all, made a few thousand at a time."""
        for start in range(0, len(positions), _CHUNK):
            chosen = positions[start : start + _CHUNK]
            for values in zip(*(self.columns[field].take(chosen) for field in _IN_ORDER), strict=True):
                yield _contact(self.source, *values)

    def identities(self) -> tuple[Texts, Positions]:
        """What a person may be recognised by (mailboxes, the source's own ids), and the row of each."""
        ids, aliases = self.columns[Field.ID], self.columns[Field.ALIASES]
        with_id, with_aliases = np.flatnonzero(ids.where(bool)), np.flatnonzero(aliases.where(bool))
        others = [
            (row, addresses.key(alias))
            for row, several in zip(with_aliases.tolist(), aliases.take(with_aliases), strict=True)
            for alias in several
        ]
        names = [self.keys, *(pd.Series(each, dtype=TEXT) for each in (ids.take(with_id), [key for _, key in others]))]
        owners = [np.arange(len(self)), with_id, np.array([row for row, _ in others], dtype=np.intp)]
        return pd.concat(names, ignore_index=True), np.concatenate(owners)

    def filled(self) -> "Rows":
        """The same rows, gaps filled from the defaults of their source; whoever has no status is a member."""
        gaps = {Field.STATUS: str(ContactStatus.MEMBER), **self.defaults}
        filled = {
            field: self.columns[field].replaced(() if isinstance(value, tuple) else "", value)
            for field, value in gaps.items()
        }
        return replace(self, columns={**self.columns, **filled})

    def remark(self, position: int, field: Field, reason: str, cell: str) -> RowNote:
        """Something worth a look in a row that is accepted."""
        return RowNote(
            source=self.source,
            row=int(self.numbers[position]),
            column=self.labels.get(field, ""),
            reason=reason,
            kept=True,
            value=shown(cell),
            value_masked=masked(field, cell),
        )

    def place(self, position: int) -> str:
        """Where a row stands, as evidence."""
        return f"{self.source}, row {self.numbers[position]}"


def _contact(
    source: str,
    address: str,
    name: str,
    first_name: str,
    organisation: str,
    country: str,
    timezone: str,
    language: str,
    status: str,
    external_id: str,
    themes: tuple[str, ...],
    topics: tuple[str, ...],
    aliases: tuple[str, ...],
) -> Contact:
    return Contact(
        address=address,
        name=name,
        first_name=first_name,
        organisation=organisation,
        country=country,
        timezone=timezone,
        language=language,
        status=status,
        external_id=external_id,
        themes=themes,
        topics=topics,
        aliases=aliases,
        source=source,
    )
