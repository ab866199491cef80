"""From tables to contacts: every row ends accepted, merged, or rejected with its reason.

What cannot be read is noted and dropped, and the person is kept. Rows without a usable address are rejected, and those
with more cells than the header.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mlgroup_mail.contacts.cleaning.joining import join_rows
from mlgroup_mail.contacts.cleaning.near_misses import near_misses
from mlgroup_mail.contacts.cleaning.notes import RowNote
from mlgroup_mail.contacts.cleaning.people import People
from mlgroup_mail.contacts.cleaning.row_reading import read_rows
from mlgroup_mail.contacts.cleaning.rows import Rows
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import Table
from mlgroup_mail.contacts.words.readings import NOTHING, Reader, Value, Vocabulary, make_readers
from mlgroup_mail.contacts.words.statuses import opts_out
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, Signal, SignalKind
from mlgroup_mail.progress import Progress, silent


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnsRead:
    """What a source's columns were taken for: field -> header as written; and the headers that were not read.

    `encoding` is there where it was guessed; `notes` are sentences about the source as a whole.
    """

    source: str
    read: dict[str, str]
    unread: tuple[str, ...]
    encoding: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """What became of the rows: `rows` = contacts + merged + rejected.

    `opt_outs` are the signals of those whose status says that they want no more mail; these people are among the
    contacts, with that status.
    """

    rows: int
    contacts: People
    rejected: tuple[RowNote, ...]
    noted: tuple[RowNote, ...]
    merged: tuple[RowNote, ...]
    opt_outs: tuple[Signal, ...]
    columns: tuple[ColumnsRead, ...]


def clean(tables: Sequence[Table], vocabulary: Vocabulary, *, at: datetime, progress: Progress = silent) -> Cleaned:
    """Clean the rows of all tables, the first ones taking precedence.

    `at` is the time of the opt-out signals; progress is told in cells. Raises ConfigurationError where the defaults
    of a source cannot be read.
    """
    readers = make_readers(vocabulary)
    total, done = sum(table.frame.size for table in tables), 0

    def advance(cells: int) -> None:
        nonlocal done
        done += cells
        progress(done, total)

    read = [read_rows(table, readers, _defaults(table, readers), advance=advance) for table in tables]
    joined = join_rows(read)
    return Cleaned(
        rows=sum(rows.count for rows in read),
        contacts=joined.people,
        rejected=tuple(note for rows in read for note in rows.rejected),
        noted=_in_order(read, [*joined.noted, *near_misses(read)]),
        merged=joined.merged,
        opt_outs=tuple(_signal(contact, place, at) for contact, place in joined.opted_out),
        columns=tuple(_columns_read(table) for table in tables),
    )


def _in_order(tables: Sequence[Rows], found_later: Iterable[RowNote]) -> tuple[RowNote, ...]:
    """What is noted, in the order of the rows."""
    place = {rows.source: number for number, rows in enumerate(tables)}
    notes = [*(note for rows in tables for note in rows.noted), *found_later]
    return tuple(sorted(notes, key=lambda note: (place[note.source], note.row)))


def _columns_read(table: Table) -> ColumnsRead:
    labels = {field.value: label for field, label in table.labels.items()}
    return ColumnsRead(
        source=table.source, read=labels, unread=table.unread, encoding=table.encoding, notes=table.notes
    )


def _defaults(table: Table, readers: Mapping[Field, Reader]) -> dict[Field, Value]:
    values: dict[Field, Value] = {}
    for field, text in table.defaults.items():
        reading = readers[field](text)
        if reading.reason or opts_out(str(reading.value)) or reading.value == NOTHING:
            raise ConfigurationError(
                f"“defaults.{field}”: {reading.reason or 'an opt-out is each person’s own'}",
                where=f"contacts.toml, source “{table.source}”",
                mend="Correct the value, or leave it out. People who opted out: mlgroup-mail opt-out import FILE",
            )
        values[field] = reading.value
    return values


def _signal(contact: Contact, place: str, at: datetime) -> Signal:
    return Signal(
        kind=SignalKind.OPT_OUT,
        topic=ALL_TOPICS,
        road=Road.FILE,
        at=at,
        address=contact.address,
        reason=f"the list says “{contact.status}”",
        evidence=place,
    )
