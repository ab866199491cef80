"""What commands print: one JSON object for programs, tables and progress for people."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_FILE = 120
"""Columns of a table that goes into a file or pipe, where no terminal says how wide it is."""


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


def make_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> "Table":
    """A table; numbers stand right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    found = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numbers = bool(found) and all(isinstance(row[index], int) for row in found)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in found:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table."""
    console().print(make_table(columns, rows, title=title))


@contextmanager
def progress_bar(description: str, *, total: int | None = None) -> Iterator[Callable[..., Any]]:
    """A bar on the terminal, nothing elsewhere. Yields `tell(advance=..., completed=..., total=...)`."""
    if not sys.stderr.isatty():
        yield lambda **_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda **values: progress.update(task, **values)
