"""Opt-outs that come as a file: CSV with the columns `address`, and if known `topic`, `at`, `reason`.

The exports of Mailchimp and listmonk are read as they are (`consent.file_formats`).
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressReading
from mlgroup_mail.consent.applying import apply_signals
from mlgroup_mail.consent.erasing import WithoutErased
from mlgroup_mail.consent.file_formats import OWN, Row, Said, UnclearRowError
from mlgroup_mail.consent.file_guard import require_no_list, require_no_source
from mlgroup_mail.consent.file_rows import FileRows, read_rows, read_text
from mlgroup_mail.consent.list_columns import ListColumns, ReadColumns, Stated, no_list
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.model import ALL_TOPICS, Road, Signal
from mlgroup_mail.store import Store, suppressions

log = logging.getLogger(__name__)

_LONGEST_SHOWN = 60
_ALL = frozenset({ALL_TOPICS, "all", "all topics"})
"""What stands for every topic in a cell: nothing is in doubt there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowRemark:
    """What somebody should know of a row: its number as a spreadsheet shows it, and why."""

    row: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedFile:
    """What an opt-out file brought. `known` is true where the same content had been imported before.

    `rejected` are the rows that name nobody, `noted` those that count otherwise than they say. `erased` are opt-outs of
    people who were erased: they are stopped for ever already, and nothing of them is kept. `passed_over` are rows whose
    people want mail, as another software's list or a column of the file has it; `format` is that software's name.
    `refused` says why the file as a whole opted nobody out, "" where it did.
    """

    name: str
    applied: int = 0
    rejected: tuple[RowRemark, ...] = ()
    noted: tuple[RowRemark, ...] = ()
    known: bool = False
    erased: int = 0
    passed_over: int = 0
    format: str = ""
    refused: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What opt-out files are read with: the project's topics, and what is needed to tell its contact lists from them.

    `columns` knows the words of contact lists, `sources` are the lists' files by name. Where `everybody` is set, all in
    a file are out, whatever else it says.
    """

    topics: Collection[str]
    erasure_key: str | None = None
    columns: ReadColumns = no_list
    sources: Mapping[str, Path] = field(default_factory=dict)
    everybody: bool = False


@dataclass(kw_only=True, slots=True)
class _Reading:
    """A file while it is read, and what is found on the way. `written` is its own time, and `now` the time here."""

    name: str
    file: FileRows
    listed: ListColumns
    topics: Collection[str]
    written: datetime
    now: datetime
    rejected: list[RowRemark] = field(default_factory=list)
    noted: list[RowRemark] = field(default_factory=list)
    passed_over: int = 0
    out: int = 0

    def reject(self, row: int, reason: str) -> None:
        """A row that somebody must mend."""
        self.rejected.append(RowRemark(row=row, reason=reason))

    def note(self, row: int, reason: str) -> None:
        """A row that counts, otherwise than it says."""
        self.noted.append(RowRemark(row=row, reason=reason))


def import_file(store: Store, path: Path, by: Import, *, now: datetime) -> ImportedFile:
    """Apply every row of a file; what cannot be read is reported, the other rows count.

    An unknown or empty topic opts out of everything: when in doubt, less mail; an unknown one is noted. A file with the
    same content is imported once, whatever its name; when an import was cut off, or rows were rejected or passed over
    by a column of ours, running it again does the rest, and so it is with `everybody`.
    Raises ContactSourceError where the file as a whole cannot be used, and where it is another software's list or has a
    column such as "Unsubscribed" and nobody in it is out, and where it is the group's own list;
    ConfigurationError where somebody was erased and the erasure key is not theirs.
    """
    text = read_text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not by.everybody:
        with store.reading() as connection:
            if suppressions.file_was_imported(connection, digest):
                return ImportedFile(name=path.name, known=True)
        require_no_source(path, by.sources)
    file, sieve = read_rows(text, path, as_own=by.everybody), WithoutErased(by.erasure_key)
    reading = _Reading(
        name=path.name,
        file=file,
        listed=by.columns(file.header) if file.format is OWN and not by.everybody else ListColumns(),
        topics=by.topics,
        # Where a row tells no time, the file's own is as near: it is the same when an import is run again.
        written=min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC)),
        now=now,
    )
    signals = _checked(store, _signals(reading), reading, path)
    applied = apply_signals(store, signals, now=now, sieve=sieve)
    if reading.passed_over and not reading.out and not reading.rejected:
        what = f"export of {file.format.name}" if file.format.name else "file"
        raise ContactSourceError(
            f"nobody in this {what} is out: nobody was opted out", where=str(path), mend=file.format.nobody_out
        )
    if not reading.rejected and (not reading.passed_over or file.format is not OWN):
        # Until somebody has looked at the others, each import tells them again.
        with store.deciding() as connection:
            suppressions.remember_file(connection, digest=digest, name=path.name, count=applied, now=now)
    return ImportedFile(
        name=path.name,
        applied=applied,
        rejected=tuple(reading.rejected),
        noted=tuple(reading.noted),
        erased=sieve.met,
        passed_over=reading.passed_over,
        format=file.format.name,
    )


def import_waiting(store: Store, folder: Path, by: Import, *, now: datetime) -> list[ImportedFile]:
    """Import every CSV file that lies in `folder` (`contacts/opt-outs/`), each once; no folder, no files.

    A file that cannot be used keeps no other back: why it was refused is told in its place.
    """
    return [_import_or_refuse(store, path, by, now=now) for path in sorted(folder.glob("*.csv"))]


def _import_or_refuse(store: Store, path: Path, by: Import, *, now: datetime) -> ImportedFile:
    try:
        return import_file(store, path, by, now=now)
    except ContactSourceError as error:
        log.warning("an opt-out file was refused")
        return ImportedFile(name=path.name, refused=f"{error.problem.message}. {error.problem.mend}")


def _checked(store: Store, signals: Iterator[Signal], reading: _Reading, path: Path) -> Iterable[Signal]:
    """The same signals. A file that describes people is read to its end before any of it counts."""
    if not reading.listed.describing:
        return signals
    found = list(signals)
    with store.reading() as connection:
        out = (signal.address for signal in found)
        require_no_list(connection, out, describing=reading.listed.describing, path=path)
    return found


def _signals(reading: _Reading) -> Iterator[Signal]:
    """The signals of all rows; what there is to say about the others is added to `reading` on the way."""
    software = f" ({reading.file.format.name})" if reading.file.format.name else ""
    for number, written, row in reading.file.rows:
        try:
            said, stated = reading.file.format.read(row), _stated(reading, row)
            if stated.unclear:
                raise UnclearRowError(stated.unclear)
            if said is None or stated.wants_mail:
                reading.passed_over += 1
                continue
            read = addresses.read_cell(written)
        except (UnclearRowError, addresses.AddressError) as error:
            reading.reject(number, str(error))
            continue
        reading.out += 1
        if addresses.SOME_UNREADABLE in read.remarks:
            reading.reject(number, addresses.SOME_UNREADABLE)
        if stated.doubt:
            reading.note(number, stated.doubt)
        if said.topic and _topic(said.topic, reading.topics) is None:
            reading.note(number, _unknown(said.topic))
        at, doubt = _asked_at(said.at, now=reading.now)
        if doubt:
            reading.note(number, doubt)
        yield from _of_row(
            said, read, reading.topics, evidence=f"{reading.name}, row {number}{software}", at=at or reading.written
        )


def _stated(reading: _Reading, row: Row) -> Stated:
    return reading.listed.stated([row[name] for name in reading.file.names])


def _of_row(
    said: Said, read: AddressReading, topics: Collection[str], *, evidence: str, at: datetime
) -> Iterator[Signal]:
    """An opt-out for each address in a row: whoever wrote several into one cell means them all."""
    for address in (read.address, *read.further):
        yield Signal(
            kind=said.kind,
            topic=_topic(said.topic, topics) or ALL_TOPICS,
            road=Road.FILE,
            at=at,
            address=address,
            reason=said.reason,
            evidence=evidence,
        )


def _topic(word: str, topics: Collection[str]) -> str | None:
    """The topic that a cell names, `ALL_TOPICS` among them; None for another word."""
    key = word.lower()
    return ALL_TOPICS if key in _ALL else key if key in topics else None


def _unknown(topic: str) -> str:
    return f"topic {addresses.mask_text(topic)[:_LONGEST_SHOWN]} is not known: taken as all topics"


def _asked_at(text: str, *, now: datetime) -> tuple[datetime | None, str]:
    """When it was asked for (ISO 8601, UTC where no zone is named), and what to tell where the text is no use.

    The opt-out counts all the same, with the file's own time.
    """
    if not text:
        return None, ""
    shown = addresses.mask_text(text)[:_LONGEST_SHOWN]
    try:
        found = datetime.fromisoformat(text)
        asked = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, f"the time “{shown}” cannot be read (2021-10-04 09:30 could): the file's own is taken"
    if asked > now:
        return None, f"the time “{shown}” has not come yet: the file's own is taken"
    return asked, ""
