"""Opt-outs that come as a file: CSV with the columns `address`, and if known `topic`, `at`, `reason`.

The exports of Mailchimp and listmonk are read as they are (`consent.file_formats`).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressReading
from mlgroup_mail.consent.applying import apply_signals
from mlgroup_mail.consent.erasing import WithoutErased
from mlgroup_mail.consent.file_formats import Said, UnclearRowError
from mlgroup_mail.consent.file_rows import FileRows, read_rows, read_text
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.model import ALL_TOPICS, Road, Signal
from mlgroup_mail.store import Store, suppressions

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

    `rejected` are the rows that name nobody, `noted` those that count for more than they say. `erased` are opt-outs of
    people who were erased: they are stopped for ever already, and nothing of them is kept. `passed_over` are rows of
    another software's list whose people want mail; `format` is that software's name.
    """

    name: str
    applied: int = 0
    rejected: tuple[RowRemark, ...] = ()
    noted: tuple[RowRemark, ...] = ()
    known: bool = False
    erased: int = 0
    passed_over: int = 0
    format: str = ""


@dataclass(kw_only=True, slots=True)
class _Reading:
    """What is found while a file is read."""

    rejected: list[RowRemark] = field(default_factory=list)
    noted: list[RowRemark] = field(default_factory=list)
    passed_over: int = 0
    out: int = 0


def import_file(
    store: Store, path: Path, *, topics: Collection[str], now: datetime, erasure_key: str | None = None
) -> ImportedFile:
    """Apply every row of a file; what cannot be read is reported, the other rows count.

    An unknown or empty topic opts out of everything: when in doubt, less mail; an unknown one is noted. A file with the
    same content is imported once, whatever its name; when an import was cut off or rows were rejected, running it again
    does the rest.
    Raises ContactSourceError where the file as a whole cannot be used, and where it is another software's list and
    nobody in it is out; ConfigurationError where somebody was erased and `erasure_key` is not theirs.
    """
    text = read_text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with store.reading() as connection:
        if suppressions.file_was_imported(connection, digest):
            return ImportedFile(name=path.name, known=True)
    # Where a row tells no time, the file's own is as near: it is the same when an import is run again.
    written = min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    file, reading, sieve = read_rows(text, path), _Reading(), WithoutErased(erasure_key)
    applied = apply_signals(store, _signals(file, path.name, topics, reading, at=written), now=now, sieve=sieve)
    if reading.passed_over and not reading.out and not reading.rejected:
        raise ContactSourceError(
            f"nobody in this export of {file.format.name} is out: nobody was opted out",
            where=str(path),
            mend=file.format.nobody_out,
        )
    if not reading.rejected:
        # Until somebody has mended the others, each import tells them again.
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


def import_waiting(
    store: Store, folder: Path, *, topics: Collection[str], now: datetime, erasure_key: str | None = None
) -> list[ImportedFile]:
    """Import every CSV file that lies in `folder` (`contacts/opt-outs/`), each once; no folder, no files.

    Raises ContactSourceError for a file that cannot be used, after all others have been imported.
    """
    imported: list[ImportedFile] = []
    unusable: list[ContactSourceError] = []
    for path in sorted(folder.glob("*.csv")):
        try:
            imported.append(import_file(store, path, topics=topics, now=now, erasure_key=erasure_key))
        except ContactSourceError as error:
            unusable.append(error)
    if unusable:
        raise unusable[0]
    return imported


def _signals(
    file: FileRows, name: str, topics: Collection[str], reading: _Reading, *, at: datetime
) -> Iterator[Signal]:
    """The signals of all rows; what there is to say about the others is added to `reading` on the way."""
    software = f" ({file.format.name})" if file.format.name else ""
    for number, written, row in file.rows:
        try:
            said = file.format.read(row)
            if said is None:
                reading.passed_over += 1
                continue
            read = addresses.read_cell(written)
        except (UnclearRowError, addresses.AddressError) as error:
            reading.rejected.append(RowRemark(row=number, reason=str(error)))
            continue
        reading.out += 1
        if addresses.SOME_UNREADABLE in read.remarks:
            reading.rejected.append(RowRemark(row=number, reason=addresses.SOME_UNREADABLE))
        if said.topic and _topic(said.topic, topics) is None:
            reading.noted.append(RowRemark(row=number, reason=_unknown(said.topic)))
        yield from _of_row(said, read, topics, evidence=f"{name}, row {number}{software}", at=at)


def _of_row(
    said: Said, read: AddressReading, topics: Collection[str], *, evidence: str, at: datetime
) -> Iterator[Signal]:
    """An opt-out for each address in a row: whoever wrote several into one cell means them all."""
    for address in (read.address, *read.further):
        yield Signal(
            kind=said.kind,
            topic=_topic(said.topic, topics) or ALL_TOPICS,
            road=Road.FILE,
            at=_moment(said.at) or at,
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


def _moment(text: str) -> datetime | None:
    """An ISO 8601 date or time; a text that is none is passed over: the opt-out counts all the same."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
