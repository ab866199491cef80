"""CSV and its kin: the encoding and the delimiter are found out where they are not given."""

import codecs
import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mlgroup_mail.contacts.columns import recognised
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.grids import Grid, make_grid
from mlgroup_mail.errors import ContactSourceError

SUFFIXES = frozenset({".csv", ".tsv", ".txt"})

_DELIMITERS = ",;\t|"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOKED_AT = 20
_SNIFFED = 65_536
_WIDEST = 1000
_ZIP = b"PK\x03\x04"


def read_text_file(path: Path, *, delimiter: str | None, encoding: str | None, mapping: Mapping[Field, str]) -> Grid:
    """Read a delimited text file; a quoted line break stays within its row, as in a spreadsheet.

    Raises ContactSourceError where the file is empty, binary, in an unknown encoding or not to be parsed.
    """
    content, where = path.read_bytes(), str(path)
    if not content.strip():
        return make_grid(path.name, pd.DataFrame())
    encoding = _encoding(content, encoding, where=where)
    if delimiter is None:
        delimiter = _delimiter(content, encoding, mapping)
    try:
        frame, lengths = _parsed(content, encoding, delimiter)
    except pd.errors.EmptyDataError:
        return make_grid(path.name, pd.DataFrame())
    except (pd.errors.ParserError, csv.Error) as error:
        opened = re.search(r"string starting at row (\d+)", str(error))
        raise ContactSourceError(
            f"row {int(opened[1]) + 1} opens a quote that is never closed"
            if opened
            else "this text does not fall into rows and columns",
            where=where,
            mend="Save it again as CSV from the program it comes from, or as XLSX.",
        ) from None
    return make_grid(path.name, frame, lengths)


def _encoding(content: bytes, given: str | None, *, where: str) -> str:
    """The given encoding, a byte order mark's, UTF-8, or Windows' for Western Europe: the first that fits."""
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    if content.startswith(_ZIP) or (b"\0" in content and not (given or marked)):
        raise ContactSourceError(
            "this is not a text file, whatever its name ends in",
            where=where,
            mend="If it is a workbook, let its name end in .xlsx.",
        )
    tried = [given] if given else [marked] if marked else ["utf-8", "cp1252"]
    for name in tried:
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    raise ContactSourceError(
        f"this text is not in {' or '.join(tried)}",
        where=where,
        mend='Save it as “CSV UTF-8”, or name its encoding in contacts.toml: encoding = "...".',
    )


def _delimiter(content: bytes, encoding: str, mapping: Mapping[Field, str]) -> str:
    """The delimiter under which the first rows name the most columns that we know, then the one that cuts most."""
    text = content[:_SNIFFED].decode(encoding, errors="ignore")

    def fitness(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            first = [row for _, row in zip(range(_LOOKED_AT), rows, strict=False)]
        except csv.Error:
            return (0, 0)
        return max(((len(recognised(row, mapping)), len(row)) for row in first), default=(0, 0))

    return max(_DELIMITERS, key=fitness)


def _parsed(content: bytes, encoding: str, delimiter: str) -> tuple[pd.DataFrame, tuple[int, ...]]:
    def read(names: range | None) -> pd.DataFrame:
        return pd.read_csv(
            io.BytesIO(content),
            sep=delimiter,
            encoding=encoding,
            header=None,
            names=names,
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=True,
        )

    try:
        return read(None), ()
    except pd.errors.ParserError as error:
        if "EOF inside string" in str(error):
            raise
    # Some row is longer than the first one: once more, with room for the longest.
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    lengths = tuple(len(row) for row in csv.reader(text, delimiter=delimiter, skipinitialspace=True))
    if max(lengths) > _WIDEST:
        raise pd.errors.ParserError(f"a row with {max(lengths)} cells")
    return read(range(max(lengths))), lengths
