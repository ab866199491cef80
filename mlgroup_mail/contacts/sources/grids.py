"""A sheet of cells, before anybody knows which row is the header, and the columns that are then read from it."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.limits import MOST_REMARKS, MOST_TEXT, too_much
from mlgroup_mail.errors import ContactSourceError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

_CHUNK = 50_000
_HEAVY = 16_000_000
"""Rows, and characters in them, that are Python texts at one time; the rest are Arrow columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What reading a row noticed, for people to look at: a hidden row, a formula without a value.

    `row` is the number that a spreadsheet shows; `field` tells the column, None stands for the whole row. The row
    is read all the same.
    """

    row: int
    reason: str
    field: Field | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The columns that were asked for, without blank rows.

    `frame` has one column of Arrow strings per field, named by it, and the row numbers that a spreadsheet shows as
    its ascending index. `overfull` are the rows of a text file that have more cells than the header.
    """

    frame: "pd.DataFrame"
    overfull: frozenset[int] = frozenset()
    remarks: tuple[Remark, ...] = ()


class Sheet(Protocol):
    """An opened sheet: its first rows can be looked at, then some of its columns read."""

    @property
    def title(self) -> str:
        """The sheet's name, "" where there is only one."""

    @property
    def hidden(self) -> bool:
        """Whether the workbook hides it."""

    @property
    def guess(self) -> str:
        """The encoding that was taken where nothing tells it for sure; "" otherwise."""

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first `count` rows, fewer where the sheet ends before."""

    def read(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The columns at these positions (from 0), as far as they stand below the header."""


S = TypeVar("S", bound=Sheet)


def only(sheets: Sequence[S], title: str | None, *, where: str) -> list[S]:
    """The sheet with this title, or all; raises ContactSourceError where there is none."""
    found = [sheet for sheet in sheets if title in (None, sheet.title)]
    if not found:
        present = ", ".join(sheet.title for sheet in sheets)
        raise ContactSourceError(
            f"there is no sheet “{title}”" if title is not None else "there is no sheet of cells",
            where=where,
            mend=f"Sheets here: {present}." if present else "",
        )
    return found


class GridBuilder:
    """Collects rows of texts into Arrow columns; blanks around a cell are dropped.

    Raises ContactSourceError where the texts are more than `limits.MOST_TEXT` allows.
    """

    def __init__(self, fields: Iterable[Field], *, where: str) -> None:
        self._fields = list(fields)
        self._where = where
        self._numbers = array("q")
        self._rows: list[Sequence[str]] = []
        self._chunks: list[list[pa.Array[Any]]] = [[] for _ in self._fields]
        self._size = self._waiting = 0
        self._remarks: dict[tuple[str, Field | None], list[int]] = {}

    def add(self, number: int, cells: Sequence[str]) -> None:
        """Add a row: one cell for each field."""
        self._numbers.append(number)
        self._rows.append(cells)
        self._waiting += sum(map(len, cells))
        if len(self._rows) == _CHUNK or self._waiting > _HEAVY:
            self._flush()

    def add_columns(self, numbers: "np.ndarray[Any, Any]", columns: Sequence["pa.Array[Any]"]) -> None:
        """Add many rows: one array of large strings for each field."""
        self._flush()
        self._numbers.frombytes(numbers.astype("int64").tobytes())
        # Without the eight bytes with which Arrow tells where a text begins.
        self._weigh(sum(column.nbytes - 8 * len(column) for column in columns))
        self._store(columns)

    def remark(self, number: int, reason: str, field: Field | None = None) -> None:
        """Say something about a row that has been or will be added."""
        self._remarks.setdefault((reason, field), []).append(number)

    def grid(self, overfull: frozenset[int] = frozenset()) -> Grid:
        """All rows that were added."""
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        self._flush()
        columns = [pa.chunked_array(chunks, type=pa.large_string()) for chunks in self._chunks]
        frame = pa.table(columns, names=[field.value for field in self._fields]).to_pandas()
        frame.index = pd.Index(np.frombuffer(self._numbers, dtype="int64"))
        return Grid(frame=frame, overfull=overfull, remarks=tuple(self._said()))

    def _said(self) -> list[Remark]:
        import numpy as np

        remarks = []
        for (reason, field), rows in self._remarks.items():
            numbers = np.intersect1d(rows, self._numbers).tolist()
            remarks += [Remark(row=row, reason=reason, field=field) for row in numbers[:MOST_REMARKS]]
            if more := numbers[MOST_REMARKS:]:
                remarks.append(Remark(row=more[-1], reason=f"{reason}; so it is in {len(more) - 1} more", field=field))
        return sorted(remarks, key=lambda remark: remark.row)

    def _weigh(self, size: int) -> None:
        self._size += size
        if self._size > MOST_TEXT:
            raise too_much(f"the columns hold more than {MOST_TEXT // 1_000_000} MB of text", where=self._where)

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        self._weigh(self._waiting)
        try:
            self._store([pa.array(column, pa.large_string()) for column in zip(*self._rows, strict=True)])
        except UnicodeEncodeError:
            raise ContactSourceError("a cell holds half a character", where=self._where) from None
        self._rows, self._waiting = [], 0

    def _store(self, columns: Sequence["pa.Array[Any]"]) -> None:
        for chunks, column in zip(self._chunks, columns, strict=True):
            chunks.append(_trimmed(column))


def filled_down(grid: Grid, merged: Sequence[tuple[Field, int, int]]) -> Grid:
    """A grid in which merged cells have their value in every row: (column, first row, last row) of each.

    Only downwards: beside it, the value would stand in a column that it does not belong to. Raises ValueError where
    merged cells overlap, as no program writes them.
    """
    import numpy as np

    frame = grid.frame
    sources = {field: np.arange(len(frame)) for field, _, _ in merged}
    for field, first, last in merged:
        top, below = np.searchsorted(frame.index, [first, last + 1])
        if top < below and frame.index[top] == first:
            if sources[field][below - 1] != below - 1:
                raise ValueError("merged cells overlap")
            sources[field][top:below] = top
    for field, source in sources.items():
        frame[field.value] = frame[field.value].take(source).array
    return grid


def replaced(grid: Grid, field: Field, texts: Mapping[int, str], *, reason: str) -> Grid:
    """A grid in which a column has these texts, by row number, and a remark on each tells the reason."""
    rows = [row for row in texts if row in grid.frame.index]
    column = grid.frame[field.value].copy()
    column.loc[rows] = [texts[row] for row in rows]
    grid.frame[field.value] = column
    remarks = [Remark(row=row, reason=reason, field=field) for row in rows[:MOST_REMARKS]]
    return replace(grid, remarks=(*grid.remarks, *remarks))


def is_blank(row: Iterable[str]) -> bool:
    """Whether no cell of a row holds anything but blanks."""
    return not any(cell.strip() for cell in row)


def _trimmed(column: "pa.Array[Any]") -> "pa.Array[Any]":
    """Asking first is cheaper: in most columns no cell has a blank around it."""
    import pyarrow.compute as pc

    if pc.any(pc.or_(pc.starts_with(column, " "), pc.ends_with(column, " "))).as_py():
        return pc.utf8_trim(column, " ")
    return column
