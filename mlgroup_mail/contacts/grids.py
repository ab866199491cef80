"""A sheet of cells, before anybody knows which row is the header."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Texts only, "" for an empty cell; the index counts rows from 1, as a spreadsheet does.

    `lengths` are the numbers of cells in each row of a text file in which some row is longer than the first.
    """

    title: str
    frame: "pd.DataFrame"
    lengths: tuple[int, ...] = ()

    def row(self, number: int) -> tuple[str, ...]:
        """The cells of one row; () where there is no such row."""
        return tuple(self.frame.iloc[number - 1].tolist()) if 0 < number <= len(self.frame) else ()


def make_grid(title: str, frame: "pd.DataFrame", lengths: tuple[int, ...] = ()) -> Grid:
    """A grid from a frame of texts."""
    numbered = frame.fillna("").set_axis(range(1, len(frame) + 1), axis="index")
    return Grid(title=title, frame=numbered, lengths=lengths)
