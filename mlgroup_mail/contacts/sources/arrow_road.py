"""The quick road for text files: rows of one length, read by Arrow."""

import codecs
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.grids import Grid, GridBuilder, is_blank
from mlgroup_mail.contacts.sources.limits import LONGEST_ROW, MOST_ROWS, too_much

if TYPE_CHECKING:
    from io import TextIOWrapper

_WIDEST = 200
"""With more columns than this, a block of text is a handful of rows, and the quick road is none."""
_END = "\x1f"
"""Stands in every cell of the row that we add at the end: where a quote was never closed, it is no row."""


def read_regular(
    path: Path, encoding: str, delimiter: str, columns: Mapping[Field, int], *, width: int, header_row: int, lines: int
) -> Grid | None:
    """The columns at these positions; None where some row has not `width` cells, or a quote is never closed.

    `lines` are the lines of text down to the end of the header. Raises ContactSourceError for far too many rows.
    """
    if width > _WIDEST or not delimiter.isascii():
        return None
    builder = GridBuilder(columns, where=str(path))
    first, ended = header_row + 1, False
    try:
        with _utf8(path, encoding) as source:
            for batch in _batches(source, delimiter, width, skipped=lines):
                if ended:
                    return None
                if first + batch.num_rows > MOST_ROWS:
                    raise too_much(f"more than {MOST_ROWS:,} rows", where=str(path))
                ended = all(column[-1].as_py() == _END for column in batch.columns)
                _add(batch.slice(0, batch.num_rows - ended), first, columns, builder)
                first += batch.num_rows
    except pa.ArrowInvalid:
        return None
    return builder.grid() if ended else None


def _batches(source: "_Bytes", delimiter: str, width: int, *, skipped: int) -> Iterator[pa.RecordBatch]:
    names = [str(position) for position in range(width)]
    end = delimiter.join([_END] * width)
    with csv.open_csv(
        pa.PythonFile(_Ended(source, f"\n{end}\n".encode()), mode="r"),
        read_options=csv.ReadOptions(
            column_names=names, skip_rows=skipped, block_size=2 * LONGEST_ROW, use_threads=False
        ),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, check_utf8=False
        ),
    ) as reader:
        yield from (batch for batch in reader if batch.num_rows)


def _add(batch: pa.RecordBatch, first: int, columns: Mapping[Field, int], builder: GridBuilder) -> None:
    """Add the rows that are not blank; those with an @ in their address need no look."""
    filled = pc.match_substring(batch.column(columns[Field.EMAIL]), "@").to_numpy(zero_copy_only=False)
    doubtful = np.flatnonzero(~filled)
    if len(doubtful):
        rows = zip(*(column.to_pylist() for column in batch.take(pa.array(doubtful)).columns), strict=True)
        filled[doubtful] = [not is_blank(row) for row in rows]
        batch = batch.filter(pa.array(filled))
    numbers = first + np.flatnonzero(filled)
    builder.add_columns(numbers, [batch.column(position) for position in columns.values()])


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def _utf8(path: Path, encoding: str) -> Iterator[_Bytes]:
    """The file's text as UTF-8."""
    if codecs.lookup(encoding).name.startswith("utf-8"):
        with path.open("rb") as file:
            yield file
    else:
        with path.open(encoding=encoding, newline="") as text:
            yield _Encoded(text)


class _Encoded:
    """A text, read as UTF-8."""

    def __init__(self, text: "TextIOWrapper") -> None:
        self._text = text

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes: no character takes more than four."""
        return self._text.read(max(1, size // 4)).encode()


class _Ended:
    """What `source` gives, and then a last row."""

    closed = False

    def __init__(self, source: _Bytes, end: bytes) -> None:
        self._source, self._end = source, end

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; the last row comes in one piece, far below what a reader asks for."""
        given = self._source.read(size)
        if not given:
            given, self._end = self._end, b""
        return given

    def close(self) -> None:
        """Nothing to do: whoever opened the source closes it."""
