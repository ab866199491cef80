"""Opt-outs that come as a file: CSV with the columns `address`, and if known `topic`, `at`, `reason`."""

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressReading
from mlgroup_mail.consent.applying import apply_signals
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.store import Store, suppressions

_ADDRESS_COLUMNS = (
    *("email", "e mail", "email address", "e mail address", "emailaddress", "mail", "mail address"),
    *("courriel", "adresse courriel", "adresse email", "adresse e mail", "adresse mail", "adresse electronique"),
    *("e mail adresse", "email adresse", "emailadresse", "mailadresse", "mail adresse", "e mailadresse"),
    *("correo", "correo electronico", "direccion de correo electronico"),
    *("indirizzo email", "indirizzo e mail", "endereco de email", "endereco de e mail", "e mailadres", "emailadres"),
    "address",
)
"""The first of these that is there counts: beside a column of mail addresses, "address" is a postal one.

Case, accents, hyphens and underscores in a header make no difference.
"""
_LONGEST_CELL = 131_072


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRow:
    """A row that names nobody: its number as a spreadsheet shows it, and why."""

    row: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedFile:
    """What an opt-out file brought. `known` is true where the same content had been imported before."""

    name: str
    applied: int = 0
    rejected: tuple[RejectedRow, ...] = ()
    known: bool = False


def import_file(store: Store, path: Path, *, topics: Collection[str], now: datetime) -> ImportedFile:
    """Apply every row of a file; what cannot be read is reported, the other rows count.

    An unknown or empty topic opts out of everything: when in doubt, less mail. A file with the same content is
    imported once, whatever its name; when an import was cut off or rows were rejected, running it again does the rest.
    Raises ContactSourceError where the file as a whole cannot be used.
    """
    text = _text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with store.reading() as connection:
        if suppressions.file_was_imported(connection, digest):
            return ImportedFile(name=path.name, known=True)
    # Where a row tells no time, the file's own is as near: it is the same when an import is run again.
    written = min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    rejected: list[RejectedRow] = []

    def signals() -> Iterator[Signal]:
        for number, row in _rows(text, path):
            try:
                read = addresses.read_cell(row["address"])
            except addresses.AddressError as error:
                rejected.append(RejectedRow(row=number, reason=str(error)))
                continue
            if addresses.SOME_UNREADABLE in read.remarks:
                rejected.append(RejectedRow(row=number, reason=addresses.SOME_UNREADABLE))
            yield from _signals(row, read, topics, evidence=f"{path.name}, row {number}", at=written)

    applied = apply_signals(store, signals(), now=now)
    if not rejected:
        # Until somebody has mended the others, each import tells them again.
        with store.deciding() as connection:
            suppressions.remember_file(connection, digest=digest, name=path.name, count=applied, now=now)
    return ImportedFile(name=path.name, applied=applied, rejected=tuple(rejected))


def import_waiting(store: Store, folder: Path, *, topics: Collection[str], now: datetime) -> list[ImportedFile]:
    """Import every CSV file that lies in `folder` (`contacts/opt-outs/`), each once; no folder, no files.

    Raises ContactSourceError for a file that cannot be used, after all others have been imported.
    """
    imported: list[ImportedFile] = []
    unusable: list[ContactSourceError] = []
    for path in sorted(folder.glob("*.csv")):
        try:
            imported.append(import_file(store, path, topics=topics, now=now))
        except ContactSourceError as error:
            unusable.append(error)
    if unusable:
        raise unusable[0]
    return imported


def _text(path: Path) -> str:
    """A file as spreadsheets save it: UTF-8, UTF-16 with its mark, or Windows' Western European."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = "this file is missing" if isinstance(error, FileNotFoundError) else "this file cannot be read"
        raise ContactSourceError(reason, where=str(path)) from None
    utf_16 = raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if utf_16 else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ContactSourceError("this is not a text file", where=str(path), mend="Save it as CSV and try again.")


def _rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number, cells by lower-case header); raises ContactSourceError where there is no address column."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    # Only CR and LF end a row: U+2028 and its like stand in texts that were copied from elsewhere.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [_column_name(cell) for cell in next(reader, [])]
        column = next((name for name in _ADDRESS_COLUMNS if name in header), None)
        if column is None:
            raise ContactSourceError(
                "there is no column of addresses",
                where=str(path),
                mend='The first row names the columns: "address", and if known "topic", "at", "reason".',
            )
        for number, cells in enumerate(reader, start=2):
            if max(map(len, cells), default=0) > _LONGEST_CELL:
                raise csv.Error(f"a cell is longer than {_LONGEST_CELL} characters")
            row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            if any(row.values()):
                yield number, {**row, "address": row.get(column, "")}
    except csv.Error as error:
        raise ContactSourceError(f"this is not a CSV file: {error}", where=str(path)) from None


def _column_name(cell: str) -> str:
    letters = (char for char in unicodedata.normalize("NFKD", cell.casefold()) if not unicodedata.combining(char))
    return " ".join("".join(letters).replace("-", " ").replace("_", " ").split())


def _signals(
    row: dict[str, str], read: AddressReading, topics: Collection[str], *, evidence: str, at: datetime
) -> Iterator[Signal]:
    """An opt-out for each address in a row: whoever wrote several into one cell means them all."""
    topic = row.get("topic", "").lower()
    for address in (read.address, *read.further):
        yield Signal(
            kind=SignalKind.OPT_OUT,
            topic=topic if topic in topics else ALL_TOPICS,
            road=Road.FILE,
            at=_moment(row.get("at", "")) or at,
            address=address,
            reason=row.get("reason", ""),
            evidence=evidence,
        )


def _moment(text: str) -> datetime | None:
    """An ISO 8601 date or time; a text that is none is passed over: the opt-out counts all the same."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
