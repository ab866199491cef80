"""What `demo` tells in the end: who got what, who did not and why, where the time went, where to look."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgroup_mail.cli.output import console

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from mlgroup_mail.scaffold.demo import DemoProject

_WIDEST = 100
_BAR = 30
"""Characters of the longest bar."""


def show_summary(summary: dict[str, Any], project: "DemoProject") -> None:
    """Print it; `summary` is what the flows printed, with the seconds of the whole."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.rule import Rule

    screen = console()
    screen.width = min(screen.width, _WIDEST)
    parts = {
        "The contact list": _contacts(summary["contacts"], summary["opt_outs"]),
        "The mailings": _mailings(summary["mailings"]),
        "Where the time went": _times(summary["seconds"]),
        "Where to look": _where_to_look(summary["mailings"], project),
    }
    for title, part in parts.items():
        screen.print()
        screen.print(Rule(f"[bold]{title}[/bold]", align="left", style="dim"))
        screen.print(Padding(Group(*part), (0, 0, 0, 2)))
    screen.print()


def _contacts(contacts: dict[str, Any], opt_outs: dict[str, int]) -> "Iterator[Text | Table]":
    rejected = contacts["rejected"]
    people = f"{contacts['contacts']} people in {contacts['countries']} countries"
    yield _text(("b", people), f", from {contacts['rows']} rows.")
    yield _text(
        f"{_number(contacts['merged'], 'row')} merged into another row's person, ",
        ("yellow", f"{_number(len(rejected), 'row')} rejected"),
        ":" if rejected else ".",
    )
    table = _grid(right=(0,))
    for row in rejected:
        table.add_row(f"  row {row['row']}", row["column"], row["reason"])
    yield table
    if opt_outs.get("new_opt_outs"):
        yield _text(f"{_number(opt_outs['new_opt_outs'], 'opt-out')} imported from contacts/opt-outs/.")
    elif opt_outs.get("known_files"):
        yield _text("The opt-outs in contacts/opt-outs/ had been imported before.")


def _mailings(mailings: list[dict[str, Any]]) -> "Iterator[Text | Table]":
    table = _grid(right=(1,))
    for mailing in mailings:
        again = mailing["accepted"] - mailing["accepted_now"]
        news = ("dim", f"  {again} had it already") if again else ""
        table.add_row(
            _text(("b", mailing["mailing"])), _text(("green", str(mailing["accepted"]))), _text("accepted", news)
        )
        for reason, number in mailing["excluded"].items():
            table.add_row("", _text(("yellow", str(number))), f"left out: {reason}")
        missing = mailing["audience"] - mailing["accepted"] - sum(mailing["excluded"].values())
        if missing:
            table.add_row("", _text(("red", str(missing))), f"neither; the mailing is {mailing['state']}")
    yield table
    now = sum(mailing["accepted_now"] for mailing in mailings)
    if not now:
        yield _text(("green", "Nothing was sent twice: "), "everybody who is to have these had them from the last run.")
    elif now == sum(mailing["accepted"] for mailing in mailings):
        yield _text("“Accepted” means written to the outbox: nothing has left this machine.")
        yield _text("Run it again: nobody gets anything twice.")
    else:
        yield _text(f"{now} accepted now; nobody got anything twice.")


def _times(seconds: dict[str, float]) -> "Iterator[Table]":
    longest = max((spent for step, spent in seconds.items() if step != "in all"), default=0) or 1
    table = _grid(right=(1,))
    for step, spent in seconds.items():
        bar = "" if step == "in all" else "━" * max(1, round(_BAR * spent / longest))
        table.add_row(_text(("b", step)) if step == "in all" else step, f"{spent:.1f} s", _text(("cyan", bar)))
    yield table


def _where_to_look(mailings: list[dict[str, Any]], project: "DemoProject") -> "Iterator[Text | Table]":
    root = _shown(project.root)
    table = _grid()
    outbox = project.root / "var" / "outbox"
    table.add_row("all mails, in a browser", _path(outbox / "index.html"))
    for mailing in mailings:
        if page := _first_page(outbox / mailing["mailing"]):
            table.add_row(f"one of {mailing['mailing']}", _path(page))
    for mailing in mailings:
        report = project.root / "var" / "reports" / f"{mailing['mailing'].replace('/', '-')}.html"
        if report.is_file():
            table.add_row(f"the report of {mailing['mailing']}", _path(report))
    call = f"{_command()} --project {shlex.quote(root)}"
    if mailings:
        table.add_row("who got it, one line each", f"{call} log {mailings[0]['mailing']}")
    table.add_row("where all mailings stand", f"{call} status")
    yield table
    if project.afresh:
        yield _text("The sample has changed since the last run, so this one began afresh.")
        yield _text(f"The former one is in {_shown(project.former)}.")
    if project.kept:
        yield _text(f"Left as you changed it: {', '.join(project.kept)}.")


def _first_page(folder: Path) -> Path | None:
    """The copy for the browser of a mailing's first message."""
    pages = [path for path in folder.glob("*.html") if path.stem.isdigit()]
    return min(pages, key=lambda path: int(path.stem), default=None)


def _command() -> str:
    """How to call us from here: `make demo` leaves the environment's own folder out of the PATH."""
    if shutil.which("mlgroup-mail"):
        return "mlgroup-mail"
    called = Path(sys.argv[0])
    return shlex.quote(_shown(called.absolute())) if called.stem == "mlgroup-mail" else "python -m mlgroup_mail"


def _path(path: Path) -> "Text":
    """A path that terminals which can do so open by a click."""
    from rich.text import Text

    return Text(_shown(path), style=f"link {path.as_uri()}")


def _shown(path: Path) -> str:
    """As one would type it from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _grid(*, right: tuple[int, ...] = ()) -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for index in range(3):
        table.add_column(justify="right" if index in right else "left", overflow="fold")
    return table


def _text(*parts: str | tuple[str, str]) -> "Text":
    """Plain texts and (style, text) pairs as one line."""
    from rich.text import Text

    return Text.assemble(*(part if isinstance(part, str) else (part[1], part[0]) for part in parts))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
