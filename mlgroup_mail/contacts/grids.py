"""A sheet of cells, before anybody knows which row is the header."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What reading a row noticed, for people to look at: a hidden row, a formula without a value.

    `row` is the number that a spreadsheet shows; `column` the position of the cell from 0, None for the whole row.
    The row is read all the same.
    """

    row: int
    reason: str
    column: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Texts only (Arrow strings), "" for an empty cell; the index counts rows from 1, as a spreadsheet does.

    `lengths` are the numbers of cells in each row of a text file in which some row is longer than the first.
    """

    title: str
    frame: "pd.DataFrame"
    lengths: tuple[int, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def row(self, number: int) -> tuple[str, ...]:
        """The cells of one row; () where there is no such row."""
        return tuple(self.frame.iloc[number - 1].tolist()) if 0 < number <= len(self.frame) else ()


def make_grid(
    title: str, frame: "pd.DataFrame", lengths: tuple[int, ...] = (), remarks: tuple[Remark, ...] = ()
) -> Grid:
    """A grid from a frame of texts."""
    numbered = frame.fillna("").set_axis(range(1, len(frame) + 1), axis="index")
    return Grid(title=title, frame=numbered, lengths=lengths, remarks=remarks)
