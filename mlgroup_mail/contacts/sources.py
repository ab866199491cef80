"""Contact sources as tables: whatever the file, one text column for each field that was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlgroup_mail.contacts.columns import recognised, require
from mlgroup_mail.contacts.config import Source
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.grids import Grid, Remark
from mlgroup_mail.errors import ContactSourceError

if TYPE_CHECKING:
    import pandas as pd

HEADER_WITHIN = 20
"""The header is looked for in so many first rows: titles and notes may stand above it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One source, read and not yet cleaned.

    `frame` has one text column per field, named by it, and the row numbers that a spreadsheet shows as its index;
    rows without anything in any column are not there. `labels` are the headers as written, `unread` those of the
    columns that are nobody's. `overfull` are the rows with more cells than the header has: their values may stand in
    the wrong columns. `remarks` are about rows that are there.
    """

    source: str
    frame: "pd.DataFrame"
    labels: Mapping[Field, str]
    unread: tuple[str, ...] = ()
    defaults: Mapping[Field, str] = field(default_factory=dict)
    overfull: frozenset[int] = frozenset()
    remarks: tuple[Remark, ...] = ()


def read_source(path: Path, options: Source) -> Table:
    """Read one file as `options` say; raises ContactSourceError where the file as a whole cannot be used."""
    mapping = options.columns.given()
    grids = _grids(path, options, mapping)
    best = max(grids, key=lambda grid: len(recognised(grid.row(_header_row(grid, options, mapping)), mapping)))
    number = _header_row(best, options, mapping)
    header = best.row(number)
    where = str(path) if len(grids) == 1 else f"{path}, sheet “{best.title}”"
    if not any(cell.strip() for cell in header):
        raise ContactSourceError(
            "the file is empty" if best.frame.empty else f"row {number} should hold the header and is empty",
            where=where,
            mend="The first row names the columns, for example: Email,Name,Organisation,Country",
        )
    found = recognised(header, mapping)
    require(found, header, mapping, where=where)
    body = best.frame.iloc[number:]
    body = body.drop(index=_blank_rows(body, found[Field.EMAIL]))
    frame = body.iloc[:, list(found.values())]
    frame = frame.set_axis([each.value for each in found], axis="columns")
    return Table(
        source=options.name,
        frame=frame,
        labels={each: header[position].strip() for each, position in found.items()},
        unread=tuple(
            cell.strip() for position, cell in enumerate(header) if cell.strip() and position not in found.values()
        ),
        defaults=options.defaults.given(),
        overfull=_overfull(best, body, number),
        remarks=best.remarks,
    )


def _grids(path: Path, options: Source, mapping: Mapping[Field, str]) -> list[Grid]:
    from mlgroup_mail.contacts.text_files import SUFFIXES as TEXT
    from mlgroup_mail.contacts.text_files import read_text_file
    from mlgroup_mail.contacts.workbooks import SUFFIXES as WORKBOOKS
    from mlgroup_mail.contacts.workbooks import read_workbook

    if not path.exists():
        raise ContactSourceError("this file is missing", where=str(path), mend="Check “path”, or put the file there.")
    if not path.is_file():
        raise ContactSourceError("this is not a file", where=str(path))
    suffix = path.suffix.casefold()
    try:
        if suffix in WORKBOOKS:
            return read_workbook(path, sheet=options.sheet)
        if suffix in TEXT:
            return [read_text_file(path, delimiter=options.delimiter, encoding=options.encoding, mapping=mapping)]
    except OSError as error:
        raise ContactSourceError(f"this file cannot be read: {error.strerror or error}", where=str(path)) from None
    raise ContactSourceError(
        f"files ending in “{path.suffix}” are not read",
        where=str(path),
        mend=f"Save it as one of {', '.join(sorted({*TEXT, *WORKBOOKS}))}.",
    )


def _header_row(grid: Grid, options: Source, mapping: Mapping[Field, str]) -> int:
    """The number of the header's row: the given one, the first with a column of addresses, the first filled one."""
    if options.header_row is not None:
        return options.header_row
    numbers = range(1, min(HEADER_WITHIN, len(grid.frame)) + 1)
    for number in numbers:
        if Field.EMAIL in recognised(grid.row(number), mapping):
            return number
    return next((number for number in numbers if any(cell.strip() for cell in grid.row(number))), 1)


def _overfull(grid: Grid, body: "pd.DataFrame", header_row: int) -> frozenset[int]:
    """The rows of a text file with more cells than its header.

    Where most rows have more, the program that wrote the file only ends its rows with a delimiter. A remark in a
    column without a name is no such row: a spreadsheet gives its header as many cells.
    """
    if not grid.lengths:
        return frozenset()
    longer = [number for number in body.index if grid.lengths[number - 1] > grid.lengths[header_row - 1]]
    return frozenset(longer if len(longer) * 2 <= len(body) else ())


def _blank_rows(body: "pd.DataFrame", address: int) -> list[int]:
    """The rows without anything but blanks; only those without an address need the long look."""
    without = body[body.iloc[:, address].str.strip() == ""]
    return [number for number, *cells in without.itertuples(name=None) if not any(cell.strip() for cell in cells)]
