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

    `rejected` are the rows that name nobody, `noted` those that count for more than they say.
    """

    name: str
    applied: int = 0
    rejected: tuple[RowRemark, ...] = ()
    noted: tuple[RowRemark, ...] = ()
    known: bool = False


def import_file(store: Store, path: Path, *, topics: Collection[str], now: datetime) -> ImportedFile:
    """Apply every row of a file; what cannot be read is reported, the other rows count.

    An unknown or empty topic opts out of everything: when in doubt, less mail; an unknown one is noted. A file with the
    same content is imported once, whatever its name; when an import was cut off or rows were rejected, running it again
    does the rest.
    Raises ContactSourceError where the file as a whole cannot be used.
    """
    text = _text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with store.reading() as connection:
        if suppressions.file_was_imported(connection, digest):
            return ImportedFile(name=path.name, known=True)
    # Where a row tells no time, the file's own is as near: it is the same when an import is run again.
    written = min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    rejected: list[RowRemark] = []
    noted: list[RowRemark] = []

    def signals() -> Iterator[Signal]:
        for number, row in _rows(text, path):
            try:
                read = addresses.read_cell(row["address"])
            except addresses.AddressError as error:
                rejected.append(RowRemark(row=number, reason=str(error)))
                continue
            if addresses.SOME_UNREADABLE in read.remarks:
                rejected.append(RowRemark(row=number, reason=addresses.SOME_UNREADABLE))
            if (topic := row.get("topic", "")) and _topic(topic, topics) is None:
                noted.append(RowRemark(row=number, reason=_unknown(topic)))
            yield from _signals(row, read, topics, evidence=f"{path.name}, row {number}", at=written)

    applied = apply_signals(store, signals(), now=now)
    if not rejected:
        # Until somebody has mended the others, each import tells them again.
        with store.deciding() as connection:
            suppressions.remember_file(connection, digest=digest, name=path.name, count=applied, now=now)
    return ImportedFile(name=path.name, applied=applied, rejected=tuple(rejected), noted=tuple(noted))


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
    topic = _topic(row.get("topic", ""), topics) or ALL_TOPICS
    for address in (read.address, *read.further):
        yield Signal(
            kind=SignalKind.OPT_OUT,
            topic=topic,
            road=Road.FILE,
            at=_moment(row.get("at", "")) or at,
            address=address,
            reason=row.get("reason", ""),
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
