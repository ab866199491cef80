"""What commands print: one JSON object for programs, tables for people."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_FILE = 120
"""Columns of text that goes into a file or pipe, where no terminal says how wide it is."""
_WIDEST = 10_000
"""So wide a table may be while it is measured, and in a file or pipe."""


def print_json(data: object) -> None:
    """One JSON value on a line of its own; times in ISO 8601."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")


def console(*, stderr: bool = False) -> "Console":
    """Where people read: as wide as their terminal."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else _WIDTH_OF_A_FILE)


def say(text: str) -> None:
    """A line for people; the text is shown as it is, brackets and all."""
    console().print(text, markup=False, soft_wrap=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table, numbers on the right, under its title; where the terminal is too narrow for it, row by row.

    In a file or pipe it is as wide as it needs to be: a row is a line, so that `grep` finds an address in it.
    """
    from rich.measure import Measurement

    out, found = console(), [list(row) for row in rows]
    if not out.is_terminal:
        out.width = _WIDEST
    if title:
        # A title of the table itself would be wrapped to the table's width.
        out.print(title, style="bold", markup=False)
    table = _table(columns, found, whole_words=out.is_terminal)
    if out.is_terminal and Measurement.get(out, out.options.update(max_width=_WIDEST), table).minimum > out.width:
        _show_row_by_row(out, columns, found)
    else:
        out.print(table)


def _table(columns: Sequence[str], rows: list[list[object]], *, whole_words: bool) -> "Table":
    """`whole_words` takes room from columns that can be wrapped at blanks: an address or a name is not torn apart."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numbers = bool(rows) and all(isinstance(row[index], int) for row in rows)
        whole = whole_words and not any(" " in str(row[index]) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def _show_row_by_row(out: "Console", columns: Sequence[str], rows: list[list[object]]) -> None:
    """Each row's first cell on a line, so that addresses and names stay whole; its others below, with their names."""
    for first, *others in rows:
        out.print(str(first), markup=False, soft_wrap=True)
        cells = [f"{name}: {cell}" for name, cell in zip(columns[1:], others, strict=True) if str(cell)]
        show_indented(out, ", ".join(cells), indent=2)


def show_indented(out: "Console", text: str, *, indent: int) -> None:
    """A paragraph that is set in, wrapped at words, without blanks at the ends of its lines."""
    from rich.text import Text

    for line in Text(text).wrap(out, out.width - indent):
        line.rstrip()
        out.print(" " * indent, line, sep="")
