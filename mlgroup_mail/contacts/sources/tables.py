"""Contact sources as tables: whatever the file, one text column for each field that was found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlgroup_mail.contacts.config import Source
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.grids import Remark, Sheet, is_blank
from mlgroup_mail.contacts.sources.remote import is_remote, local_copy
from mlgroup_mail.contacts.words.columns import recognised, require
from mlgroup_mail.errors import ContactSourceError

if TYPE_CHECKING:
    import pandas as pd

HEADER_WITHIN = 20
"""The header is looked for in so many first rows: titles and notes may stand above it."""

_LONGEST_HEADER = 200
_TEXT, _EXCEL, _OPENDOCUMENT = (".csv", ".tsv", ".txt"), (".xlsx", ".xlsm"), (".ods",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One source, read and not yet cleaned.

    `frame` has one text column per field, named by it, and the row numbers that a spreadsheet shows as its index;
    rows without anything in any column are not there. `labels` are the headers as written, `unread` those of the
    columns that are nobody's. `overfull` are the rows with more cells than the header has: their values may stand in
    the wrong columns. `remarks` are about rows that are there. `encoding` is the one that was guessed, "" where
    nothing had to be. `notes` are sentences about the source as a whole: a hidden sheet, one that is left out.
    """

    source: str
    frame: "pd.DataFrame"
    labels: Mapping[Field, str]
    unread: tuple[str, ...] = ()
    defaults: Mapping[Field, str] = field(default_factory=dict)
    overfull: frozenset[int] = frozenset()
    remarks: tuple[Remark, ...] = ()
    encoding: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Headed:
    """A sheet with its header: the row's number (from 1), its cells, and the columns recognised in it."""

    sheet: Sheet
    number: int
    header: Sequence[str]
    found: Mapping[Field, int]

    @property
    def has_addresses(self) -> bool:
        return Field.EMAIL in self.found


def read_configured(options: Source, folder: Path) -> Table:
    """Read a source of the `contacts.toml` in `folder`: a file, an object on a remote store, or a query's answer.

    Raises ContactSourceError where the source as a whole cannot be used.
    """
    if options.url is None or options.query is None:
        return read_source(options.place(folder), options)
    from mlgroup_mail.contacts.sources.databases import opened_query

    where = f"source “{options.name}”"
    with opened_query(options.url, options.query, folder=folder, where=where) as sheets:
        return _table(sheets, options, where=where)


def read_source(place: str | Path, options: Source) -> Table:
    """Read one file, or one object on a remote store (`s3://...`), as `options` say.

    Raises ContactSourceError where the file as a whole cannot be used.
    """
    if is_remote(place):
        with local_copy(str(place)) as copy:
            return _read_file(copy, options)
    return _read_file(Path(place), options)


def _read_file(path: Path, options: Source) -> Table:
    try:
        with _opened(path, options) as sheets:
            return _table(sheets, options, where=str(path))
    except OSError as error:
        raise ContactSourceError(f"this file cannot be read: {error.strerror or error}", where=str(path)) from None


@contextmanager
def _opened(path: Path, options: Source) -> Iterator[Sequence[Sheet]]:
    """The sheets of a file, told by what its name ends in."""
    where = str(path)
    if not path.exists():
        raise ContactSourceError("this file is missing", where=where, mend="Check “path”, or put the file there.")
    if not path.is_file():
        raise ContactSourceError("this is not a file", where=where)
    suffix = path.suffix.casefold()
    if suffix in _TEXT:
        from mlgroup_mail.contacts.sources.text_files import open_text_file

        mapping = options.columns.given()
        yield [open_text_file(path, delimiter=options.delimiter, encoding=options.encoding, mapping=mapping)]
    elif suffix in _EXCEL:
        from mlgroup_mail.contacts.sources.workbooks import opened_workbook

        with opened_workbook(path, sheet=options.sheet) as sheets:
            yield sheets
    elif suffix in _OPENDOCUMENT:
        from mlgroup_mail.contacts.sources.opendocument import opened_spreadsheet

        with opened_spreadsheet(path, sheet=options.sheet) as sheets:
            yield sheets
    else:
        raise ContactSourceError(
            f"files ending in “{path.suffix}” are not read",
            where=where,
            mend=f"Save it as one of {', '.join((*_TEXT, *_EXCEL, *_OPENDOCUMENT))}.",
        )


def _table(sheets: Sequence[Sheet], options: Source, *, where: str) -> Table:
    mapping = options.columns.given()
    headed = [_with_header(sheet, options, mapping) for sheet in sheets]
    best = max(headed, key=lambda each: (each.has_addresses, not each.sheet.hidden, len(each.found)))
    if len(sheets) > 1:
        where = f"{where}, sheet “{best.sheet.title}”"
    if is_blank(best.header):
        raise ContactSourceError(
            f"row {best.number} should hold the header and is empty" if options.header_row else "the file is empty",
            where=where,
            mend="The first row names the columns, for example: Email,Name,Organisation,Country",
        )
    require(best.found, best.header, mapping, where=where)
    grid = best.sheet.read(best.found, best.number)
    return Table(
        source=options.name,
        frame=grid.frame,
        labels={each: best.header[position].strip() for each, position in best.found.items()},
        unread=tuple(
            cell.strip()
            for position, cell in enumerate(best.header)
            if cell.strip() and position not in best.found.values()
        ),
        defaults=options.defaults.given(),
        overfull=grid.overfull,
        remarks=grid.remarks,
        encoding=best.sheet.guess,
        notes=tuple(_notes(best, headed)),
    )


def _with_header(sheet: Sheet, options: Source, mapping: Mapping[Field, str]) -> _Headed:
    """The header is the given row, the first with a column of addresses, or the first that is not blank."""
    rows = sheet.first_rows(options.header_row or HEADER_WITHIN)
    rows = [[cell[:_LONGEST_HEADER] for cell in row] for row in rows]
    if options.header_row:
        header = rows[-1] if len(rows) == options.header_row else []
        return _Headed(sheet=sheet, number=options.header_row, header=header, found=recognised(header, mapping))
    for number, row in enumerate(rows, start=1):
        if Field.EMAIL in (found := recognised(row, mapping)):
            return _Headed(sheet=sheet, number=number, header=row, found=found)
    number, row = next(((number, row) for number, row in enumerate(rows, start=1) if not is_blank(row)), (1, []))
    return _Headed(sheet=sheet, number=number, header=row, found=recognised(row, mapping))


def _notes(best: _Headed, headed: Sequence[_Headed]) -> Iterator[str]:
    if best.sheet.hidden:
        yield f"the sheet “{best.sheet.title}” is hidden in the workbook"
    for other in headed:
        if other is not best and other.has_addresses and other.sheet.hidden <= best.sheet.hidden:
            yield f"the sheet “{other.sheet.title}” has a column of addresses too, and is not read"
