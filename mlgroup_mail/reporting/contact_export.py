"""The list as a file for the team's folder: XLSX with all that is known of each person, or CSV."""

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlgroup_mail.contacts.words.texts import guarded
from mlgroup_mail.errors import UsageError
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.reporting.contact_columns import LEFT_COLUMNS, Cell, ExportColumn, columns, one_line
from mlgroup_mail.settings.app import App
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contact_overview import Numbers, count_people, overviews, sources_with_ids
from mlgroup_mail.store.deliveries import ledger_id

if TYPE_CHECKING:
    from openpyxl import Workbook

SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet (Microsoft, Excel specifications and limits), the header's included."""

_LONGEST = 32_767
"""Characters of an Excel cell (same source)."""

_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What spreadsheets read as a sign by its number (ECMA-376 part 1, 22.9.2.19): the underscore is written so itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written: the people on the list, and, on a sheet that a CSV does not have, those who left it."""

    path: Path
    contacts: int
    left: int

    @property
    def has_left(self) -> bool:
        """Whether those who left are in the file."""
        return self.path.suffix.lower() == ".xlsx"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"file": str(self.path), "contacts": self.contacts, "left": self.left if self.has_left else 0}


def export_contacts(app: App, path: Path, *, progress: Progress = silent) -> Exported:
    """Write the stored list to `path`, .xlsx or .csv, in place of what stood there; only its owner may read it.

    A file that was there stays as it was unless the new one is complete. Raises UsageError for another suffix, a
    file that cannot be written, and more people than a sheet has rows.
    """
    suffix = path.suffix.lower()
    if suffix not in (".xlsx", ".csv"):
        raise UsageError(f"“{path.name}” is neither .xlsx nor .csv", mend="End the file's name with one of them.")
    with app.store.reading() as connection:
        numbers = count_people(connection)
        if suffix == ".xlsx" and max(numbers.listed, numbers.left) >= SHEET_ROWS:
            raise UsageError(
                f"an Excel sheet has {SHEET_ROWS:,} rows, too few for {max(numbers.listed, numbers.left):,} people",
                where=str(path),
                mend=f"Export to {path.with_suffix('.csv').name} instead.",
            )
        shown = columns(sources_with_ids(connection))
        try:
            with _replacing(path) as file:
                if suffix == ".csv":
                    _write_csv(file, _rows(connection, shown, _Done(progress, numbers.listed)), shown)
                else:
                    _write_workbook(app, connection, file, shown, numbers, progress)
        except OSError as error:
            raise UsageError(f"this file cannot be written: {error.strerror}", where=str(path)) from None
    return Exported(path=path, contacts=numbers.listed, left=numbers.left)


def _rows(
    connection: Connection, shown: Sequence[ExportColumn], done: "_Done", *, left: bool = False
) -> Iterator[list[Cell]]:
    for people in overviews(connection, left=left):
        for person in people:
            cells = [column.cell(person) for column in shown]
            yield [one_line(cell) if isinstance(cell, str) else cell for cell in cells]
        done.add(len(people))


class _Done:
    """Tells how many people of all have been written."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, number: int) -> None:
        self._done += number
        self._progress(self._done, self._total)


def _write_csv(file: IO[bytes], rows: Iterator[list[Cell]], shown: Sequence[ExportColumn]) -> None:
    """UTF-8 with a byte order mark, without which Excel takes it for cp1252."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.header for column in shown])
        writer.writerows([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def _write_workbook(
    app: App,
    connection: Connection,
    file: IO[bytes],
    shown: tuple[ExportColumn, ...],
    numbers: Numbers,
    progress: Progress,
) -> None:
    from openpyxl import Workbook

    done = _Done(progress, numbers.listed + numbers.left)
    with closing(Workbook(write_only=True)) as book:
        _add_sheet(book, "Contacts", shown, _rows(connection, shown, done), numbers.listed)
        of_left = (*shown, *LEFT_COLUMNS)
        _add_sheet(book, "Left", of_left, _rows(connection, of_left, done, left=True), numbers.left)
        _add_about(app, connection, book, numbers)
        book.save(file)


def _add_sheet(
    book: "Workbook", title: str, shown: Sequence[ExportColumn], rows: Iterator[list[Cell]], count: int
) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(shown))}{count + 1}"
    headers = []
    for number, column in enumerate(shown, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
        header = WriteOnlyCell(sheet, column.header)
        header.font = Font(bold=True)
        header.alignment = Alignment(wrap_text=True, vertical="top")
        headers.append(header)
    # Whatever ends this, the sheet is closed: openpyxl complains aloud of one that is left open.
    with closing(sheet):
        sheet.append(headers)
        for row in rows:
            sheet.append([_as_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])


def _as_text(sheet: Any, text: str) -> Any:
    """A text that stays one, never a formula or an error, and that reads back as it is (`guarded`)."""
    if not text:
        return None
    text = _ESCAPED.sub("_x005F_", guarded(text)[:_LONGEST])
    if not text.startswith("#"):
        return text
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def _add_about(app: App, connection: Connection, book: "Workbook", numbers: Numbers) -> None:
    sheet = book.create_sheet("About")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 90
    for row in (
        ("What this is", f"The contact list of {app.project.group.name}, as the ledger had it"),
        ("Made", f"{app.clock.now():%Y-%m-%d %H:%M} UTC, by mlgroup-mail contacts export"),
        ("Ledger", ledger_id(connection)),
        ("People on the list", numbers.listed),
        ("People who left", numbers.left),
        ("People who were erased", numbers.erased),
        ("Dates", "in UTC"),
        ("Changes", "made here change nothing: they count once a contact source has them and is pulled"),
        ("Opt-outs", "are kept in the ledger; deleting one here lifts nothing"),
        ("Care", "these are personal data: keep the file where only the team can read it"),
    ):
        sheet.append([_as_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path`, for its owner only, that takes its place once it is complete."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb", closefd=True) as file:
            yield file
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
