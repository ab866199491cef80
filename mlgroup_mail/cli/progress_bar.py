"""How far a command is, for whoever waits: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlgroup_mail.cli.output import console
from mlgroup_mail.progress import in_words, pace

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Tell = Callable[..., Any]
"""`tell(advance=..., completed=..., total=...)`"""

LINE_EVERY = 30.0
"""Seconds between two lines where there is no terminal: in a log of half a day they can still be read."""


@contextmanager
def progress_bar(description: str, *, total: int | None = None, quiet: bool = False) -> Iterator[Tell]:
    """Show progress on stderr, with rate and time left: a bar on a terminal, else lines; nothing where `quiet`."""
    if quiet:
        yield lambda **_: None
    elif not sys.stderr.isatty():
        yield Lines(description, total=total or 0)
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        words, numbers, left = TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn()
        columns = (words, BarColumn(), numbers, _rate_column(), left)
        with Progress(*columns, console=console(stderr=True), transient=True) as progress:
            task = progress.add_task(description, total=total)
            yield lambda **values: progress.update(task, **values)


class Lines:
    """Progress as lines on stderr, one every 30 seconds; what is done sooner is not told."""

    def __init__(self, description: str, *, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._description, self._done, self._total, self._clock = description, 0, total, clock
        self._begun = self._told = clock()

    def __call__(self, *, advance: int = 0, completed: int | None = None, total: int | None = None) -> None:
        """Note how far it is, and tell it where it is time."""
        self._done = self._done + advance if completed is None else completed
        self._total = self._total if total is None else total
        now = self._clock()
        if now - self._told >= LINE_EVERY:
            self._told = now
            words = in_words(self._done, self._total, now - self._begun)
            sys.stderr.write(f"{self._description}: {words}\n")
            sys.stderr.flush()


def _rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """How fast it goes, over the last half minute."""

        def render(self, task: Task) -> Text:
            """Empty until there is a rate."""
            return Text(pace(task.speed) if task.speed else "")

    return Rate()
