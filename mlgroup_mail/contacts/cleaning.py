"""From rows to contacts: every row ends accepted, merged, or rejected with its reason.

What cannot be read is noted and dropped, and the person is kept. Only a row without a usable address is rejected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.merging import Entry, Merger
from mlgroup_mail.contacts.names import greeting_name, joined
from mlgroup_mail.contacts.readings import NOTHING, Reader, Value, Vocabulary, make_readers
from mlgroup_mail.contacts.sources import Table
from mlgroup_mail.contacts.statuses import NO_MAIL, opts_out
from mlgroup_mail.contacts.texts import unguarded
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, Signal, SignalKind

_PERSONAL = frozenset({Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ID})
_SHOWN = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class RowNote:
    """A row that was rejected, or a value that was dropped from one: where and why.

    `row` is the number that a spreadsheet shows, `column` the header as written (the field's name where the file
    has no such column). `value_masked` may be logged: addresses and names are masked in it.
    """

    source: str
    row: int
    column: str
    reason: str
    value_masked: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnsRead:
    """What a source's columns were taken for: field -> header as written; and the headers that were not read."""

    source: str
    read: dict[str, str]
    unread: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """What became of the rows: `rows` = contacts + `merged` + rejected.

    `opt_outs` are the signals of those whose status says that they want no more mail; these people are among the
    contacts, with that status.
    """

    rows: int
    contacts: tuple[Contact, ...]
    rejected: tuple[RowNote, ...]
    noted: tuple[RowNote, ...]
    merged: int
    opt_outs: tuple[Signal, ...]
    columns: tuple[ColumnsRead, ...]


def clean(tables: Iterable[Table], vocabulary: Vocabulary, *, at: datetime) -> Cleaned:
    """Clean the rows of all tables, the first ones taking precedence.

    `at` is the time of the opt-out signals. Raises ConfigurationError where the defaults of a source cannot be read.
    """
    readers = make_readers(vocabulary)
    people, rejected, noted, columns, rows = Merger(), list[RowNote](), list[RowNote](), list[ColumnsRead](), 0
    for table in tables:
        defaults = _defaults(table, readers)
        read = {field.value: label for field, label in table.labels.items()}
        columns.append(ColumnsRead(source=table.source, read=read, unread=table.unread))
        fields = [Field(name) for name in table.frame.columns]
        for number, *cells in table.frame.itertuples(name=None):
            rows += 1
            notes = _Notes(table, number)
            values = _values(dict(zip(fields, cells, strict=True)), readers, notes)
            if notes.rejected:
                rejected.append(notes.rejected)
                continue
            noted += notes.noted
            people.add(_entry(values, defaults, table.source, number))
    entries = people.entries()
    return Cleaned(
        rows=rows,
        contacts=tuple(entry.contact for entry in entries),
        rejected=tuple(rejected),
        noted=tuple(noted),
        merged=people.merged,
        opt_outs=tuple(_signal(entry, at) for entry in entries if entry.opted_out_at),
        columns=tuple(columns),
    )


class _Notes:
    """What is said about one row."""

    def __init__(self, table: Table, number: int) -> None:
        self.noted: list[RowNote] = []
        self.rejected: RowNote | None = None
        self._table, self._number = table, number
        if number in table.overfull:
            self.reject(None, "more cells than the header has: values may stand in the wrong columns")

    def reject(self, field: Field | None, reason: str, cell: str = "") -> None:
        self.rejected = self.rejected or self._note(field, reason, cell)

    def drop(self, field: Field, reason: str, cell: str) -> None:
        self.noted.append(self._note(field, reason, cell))

    def _note(self, field: Field | None, reason: str, cell: str) -> RowNote:
        return RowNote(
            source=self._table.source,
            row=self._number,
            column=self._table.labels[field] if field else "",
            reason=reason,
            value_masked=masked(field, cell) if field else "",
        )


def _values(cells: Mapping[Field, str], readers: Mapping[Field, Reader], notes: _Notes) -> dict[Field, Value]:
    """The values of one row; without a usable address the row is rejected."""
    values: dict[Field, Value] = {}
    for field, cell in cells.items():
        if field is Field.EMAIL:
            try:
                values[field] = addresses.read(unguarded(cell))
            except addresses.AddressError as error:
                notes.reject(field, str(error), cell)
        elif cell:
            reading = readers[field](cell)
            values[field] = reading.value
            if reading.reason:
                notes.drop(field, reading.reason, reading.dropped)
    return values


def _entry(values: Mapping[Field, Value], defaults: Mapping[Field, Value], source: str, number: int) -> Entry:
    def text(field: Field) -> str:
        return str(values.get(field, ""))

    def several(field: Field) -> tuple[str, ...]:
        return tuple(values.get(field, ()))

    name = text(Field.NAME) or joined(text(Field.FIRST_NAME), text(Field.FAMILY_NAME))
    topics, status = several(Field.TOPICS), text(Field.STATUS)
    if topics == NOTHING:
        topics, status = (), status if opts_out(status) else NO_MAIL
    contact = Contact(
        address=text(Field.EMAIL),
        name=name,
        first_name=text(Field.FIRST_NAME) or greeting_name(name),
        organisation=text(Field.ORGANISATION),
        country=text(Field.COUNTRY),
        timezone=text(Field.TIMEZONE),
        language=text(Field.LANGUAGE),
        status=status,
        themes=several(Field.THEMES),
        topics=topics,
        aliases=several(Field.ALIASES),
        source=source,
        external_id=text(Field.ID),
    )
    return Entry(contact=contact, defaults=defaults, opted_out_at=f"{source}, row {number}" if opts_out(status) else "")


def _defaults(table: Table, readers: Mapping[Field, Reader]) -> dict[Field, Value]:
    values: dict[Field, Value] = {}
    for field, text in table.defaults.items():
        reading = readers[field](text)
        if reading.reason or opts_out(str(reading.value)) or reading.value == NOTHING:
            raise ConfigurationError(
                f"“defaults.{field}”: {reading.reason or 'an opt-out is each person’s own'}",
                where=f"contacts.toml, source “{table.source}”",
                mend="Correct the value, or leave it out.",
            )
        values[field] = reading.value
    return values


def _signal(entry: Entry, at: datetime) -> Signal:
    return Signal(
        kind=SignalKind.OPT_OUT,
        topic=ALL_TOPICS,
        road=Road.FILE,
        at=at,
        address=entry.contact.address,
        reason=f"the list says “{entry.contact.status}”",
        evidence=entry.opted_out_at,
    )


def masked(field: Field, cell: str) -> str:
    """A cell as it may be logged: short, on one line, names and addresses masked."""
    text = " ".join(cell.split())
    if field in (Field.EMAIL, Field.ALIASES) and "@" in text:
        text = addresses.mask(text).partition(" ")[0]
    elif field in _PERSONAL or field in (Field.EMAIL, Field.ALIASES):
        text = f"{text[:1]}…" if text else ""
    text = addresses.mask_text(text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
