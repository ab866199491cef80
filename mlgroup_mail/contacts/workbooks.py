"""Excel workbooks (XLSX), every sheet as texts."""

import warnings
import zipfile
from pathlib import Path

import pandas as pd

from mlgroup_mail.contacts.grids import Grid, make_grid
from mlgroup_mail.errors import ContactSourceError

SUFFIXES = frozenset({".xlsx", ".xlsm"})

_LARGEST = 1_000_000_000
"""Bytes that a workbook may unpack to: openpyxl does not guard against zip bombs."""
_OLE = b"\xd0\xcf\x11\xe0"


def read_workbook(path: Path, *, sheet: str | None) -> list[Grid]:
    """Read one sheet of a workbook, or all of them: values as texts, formulas as they were last computed.

    Raises ContactSourceError where it is no workbook, protected, damaged, far too large or without the sheet.
    """
    where = str(path)
    _look_inside(path, where=where)
    with warnings.catch_warnings():
        # openpyxl warns about styles and extensions that it skips; values are not among them.
        warnings.simplefilter("ignore", UserWarning)
        try:
            with pd.ExcelFile(path, engine="openpyxl") as book:
                titles = [str(title) for title in book.sheet_names]
                if sheet is not None and sheet not in titles:
                    raise ContactSourceError(
                        f"there is no sheet “{sheet}”", where=where, mend=f"Sheets here: {', '.join(titles)}."
                    )
                wanted = [sheet] if sheet is not None else titles
                frames = pd.read_excel(book, sheet_name=wanted, header=None, dtype=str, na_filter=False)
        except (ValueError, KeyError, zipfile.BadZipFile, SyntaxError):
            raise ContactSourceError(
                "this workbook is damaged",
                where=where,
                mend="Open it in Excel, let it repair the file, and save it again.",
            ) from None
    return [make_grid(str(title), frame) for title, frame in frames.items()]


def _look_inside(path: Path, *, where: str) -> None:
    if not path.stat().st_size:
        raise ContactSourceError("the file is empty", where=where)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            protected = file.read(len(_OLE)) == _OLE
        raise ContactSourceError(
            "this workbook is protected by a password, or in the format before 2007"
            if protected
            else "this is not an Excel workbook, whatever its name ends in",
            where=where,
            mend="Open it in Excel and save it as .xlsx without a password."
            if protected
            else "Save it as XLSX or CSV.",
        )
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _LARGEST:
        raise ContactSourceError(
            f"this workbook unpacks to {size // 1_000_000} MB", where=where, mend="Save the list alone as CSV."
        )
