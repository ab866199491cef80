"""CSV and its kin: encoding and delimiter are found out where they are not given.

Two roads lead to the same columns, and a test holds them together. Arrow's reader takes a million rows in half a
second. Python's csv module takes what Arrow would refuse or read otherwise: rows of different lengths, a blank before
an opening quote, lone carriage returns, a quote that is never closed.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.delimiters import likely_delimiter, stated_delimiter
from mlgroup_mail.contacts.sources.encodings import Encoding, guessed_encoding, told_encoding
from mlgroup_mail.contacts.sources.grids import Grid, GridBuilder, is_blank
from mlgroup_mail.contacts.sources.limits import LARGEST_FILE, LONGEST_ROW, MOST_ROWS, WIDEST, too_much
from mlgroup_mail.contacts.sources.signatures import told_kind
from mlgroup_mail.errors import ContactSourceError

_CHUNK = 1 << 20
_SNIFFED = 65_536
_SPACED_QUOTE = re.compile(r'(?:\A|[^\w"]) +"')
"""A blank before a quote that may open a cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFile:
    """A delimited text file, opened as a sheet. A quoted line break stays within its row.

    `start` is the number of characters before the first row: that of Excel's "sep=" line. `regular` is False where
    only the csv module reads it rightly.
    """

    path: Path
    encoding: Encoding
    delimiter: str
    start: int = 0
    regular: bool = True
    title: str = ""
    hidden: bool = False

    @property
    def guess(self) -> str:
        """The encoding that was taken where nothing tells it for sure; "" otherwise."""
        return self.encoding.name if self.encoding.guessed else ""

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first rows; raises ContactSourceError where they are no rows."""
        with self._text() as lines:
            return [row for _, row in zip(range(count), self._parsed(lines), strict=False)]

    def read(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The columns at these positions; raises ContactSourceError where a row cannot be read."""
        if self.regular and (grid := self._read_quickly(columns, header_row)):
            return grid
        return self.read_carefully(columns, header_row)

    def _read_quickly(self, columns: Mapping[Field, int], header_row: int) -> Grid | None:
        """The road of Arrow's reader; None where it leads nowhere."""
        from mlgroup_mail.contacts.sources.arrow_road import read_regular

        with self._text() as lines:
            *_, header = (row for _, row in zip(range(header_row), self._parsed(lines), strict=False))
            above = lines.given + (1 if self.start else 0)
        return read_regular(
            self.path,
            self.encoding.name,
            self.delimiter,
            columns,
            width=len(header),
            header_row=header_row,
            lines=above,
        )

    def read_carefully(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The road of the csv module."""
        builder = GridBuilder(columns, where=str(self.path))
        positions, address = list(columns.values()), columns[Field.EMAIL]
        needed, width, count = max(positions) + 1, 0, 0
        longer: list[int] = []
        with self._text() as lines:
            for number, row in enumerate(self._parsed(lines), start=1):
                if number <= header_row:
                    width = len(row)
                    continue
                cells = row if len(row) >= needed else row + [""] * (needed - len(row))
                if "@" not in cells[address] and is_blank(cells):
                    continue
                builder.add(number, [cells[position] for position in positions])
                count += 1
                if len(row) > width:
                    longer.append(number)
        # Where most rows have more, the program that wrote the file only ends its rows with a delimiter.
        return builder.grid(frozenset(longer if len(longer) * 2 <= count else ()))

    @contextmanager
    def _text(self) -> Iterator["_Lines"]:
        with self.path.open(encoding=self.encoding.name, newline="") as file:
            file.read(self.start)
            yield _Lines(file, where=str(self.path))

    def _parsed(self, lines: "_Lines") -> Iterator[list[str]]:
        csv.field_size_limit(LONGEST_ROW)
        number, where = 0, str(self.path)
        reader = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True)
        try:
            for row in reader:
                number += 1
                if lines.exhausted:
                    # The reader asked for more before it gave this row: a quote was still open.
                    raise _never_closed(number, where)
                if number > MOST_ROWS:
                    raise too_much(f"more than {MOST_ROWS:,} rows", where=where)
                if len(row) > WIDEST:
                    raise too_much(f"row {number} has {len(row):,} cells", where=where)
                lines.since = 0
                yield row
        except csv.Error:
            raise _never_closed(number + 1, where) from None


class _Lines:
    """The lines of a text, counted; stops where one row takes in too many of them."""

    def __init__(self, file: io.TextIOBase, *, where: str) -> None:
        self.given = self.since = 0
        self.exhausted = False
        self._file, self._where = file, where

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW)
        if not line:
            self.exhausted = True
            raise StopIteration
        self.given += 1
        self.since += len(line)
        if self.since >= LONGEST_ROW:
            raise too_much(f"a row of more than {LONGEST_ROW:,} characters", where=self._where)
        return line


def open_text_file(
    path: Path, *, delimiter: str | None, encoding: str | None, mapping: Mapping[Field, str]
) -> TextFile:
    """Find out encoding and delimiter; reads the file once, piece by piece.

    Raises ContactSourceError where the file is far too large, binary, or in no encoding that can be told.
    """
    where = str(path)
    if path.stat().st_size > LARGEST_FILE:
        raise too_much(f"the file has {path.stat().st_size // 1_000_000:,} MB", where=where)
    if kind := told_kind(path):
        raise ContactSourceError(
            f"this is {kind.name}, not a text file, whatever its name ends in", where=where, mend=kind.mend
        )
    found, regular = _encoding(path, encoding)
    with path.open(encoding=found.name, errors="ignore", newline="") as file:
        text = file.read(_SNIFFED)
    stated = stated_delimiter(text)
    return TextFile(
        path=path,
        encoding=found,
        delimiter=delimiter or stated or likely_delimiter(text, mapping),
        start=len(text.partition("\n")[0]) + 1 if stated else 0,
        regular=regular,
    )


def _encoding(path: Path, given: str | None) -> tuple[Encoding, bool]:
    """The given encoding, the one that the file tells, UTF-8, or a guess; and what `_survey` says of the text."""
    stated = Encoding(name=given) if given else told_encoding(path)
    tried = stated or Encoding(name="utf-8")
    try:
        return tried, _survey(path, tried.name)
    except UnicodeError:
        if not stated:
            tried = guessed_encoding(path)
            with suppress(UnicodeError):
                return tried, _survey(path, tried.name)
    raise ContactSourceError(
        f"this text is not in {tried.name}",
        where=str(path),
        mend='Save it as “CSV UTF-8”, or name its encoding in contacts.toml: encoding = "...".',
    )


def _survey(path: Path, encoding: str) -> bool:
    """Decode the whole file, and tell whether Arrow's reader reads it as the csv module does.

    Raises UnicodeError where it is not in this encoding, ContactSourceError for a row without end.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    regular, held, since = True, "", 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = held + decoder.decode(chunk)
            whole = text.rstrip(" \r")
            held = text[len(whole) :]
            regular = regular and _regular(whole)
            last = max(whole.rfind("\n"), whole.rfind("\r"))
            since = since + len(whole) if last < 0 else len(whole) - last
            if since + len(held) > LONGEST_ROW:
                raise too_much(f"a row of more than {LONGEST_ROW:,} characters", where=str(path))
        decoder.decode(b"", final=True)
    return regular and "\r" not in held


def _regular(text: str) -> bool:
    return (
        "\0" not in text
        and (' "' not in text or not _SPACED_QUOTE.search(text))
        and ("\r" not in text or text.count("\r") == text.count("\r\n"))
    )


def _never_closed(number: int, where: str) -> ContactSourceError:
    return ContactSourceError(
        f"row {number} opens a quote that is never closed",
        where=where,
        mend="Save it again as CSV from the program it comes from, or as XLSX.",
    )
