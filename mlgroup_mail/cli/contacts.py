"""`contacts check` and `contacts pull`: the list, as it would be stored and as it is."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlgroup_mail.cli.context import Json, opened, project_root
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlgroup_mail.contacts.cleaning import Cleaned, RowNote
    from mlgroup_mail.contacts.config import Source

_SHOWN = 40
"""Rows of a table of rejected rows; people mend these first and look again."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="The contact list: check files, pull the sources of contacts/contacts.toml.")
    group.command()(check)
    group.command()(pull)
    app.add_typer(group, name="contacts", no_args_is_help=True)


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or XLSX files.")],
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Read them like this source of contacts.toml.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CLEAN.csv", help="Write the accepted contacts here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Clean files without storing anything, and say which rows are rejected and why."""
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.contacts.cleaning import clean
    from mlgroup_mail.contacts.sources import read_source
    from mlgroup_mail.contacts.writing import write_clean

    options = _source(source)
    tables = [read_source(path, options.model_copy(update={"name": path.name})) for path in files]
    cleaned = clean(tables, _topics(), at=SystemClock().now())
    if out:
        try:
            write_clean(cleaned.contacts, out)
        except OSError as error:
            raise UsageError(f"this file cannot be written: {error.strerror}", where=str(out)) from None
    if as_json:
        print_json(_as_json(cleaned))
        return
    show_cleaned(cleaned)
    if out:
        say(f"{len(cleaned.contacts)} contacts are in {out}.")


def pull(
    accept_changes: Annotated[  # noqa: ARG001 (the option is part of the fixed interface; the stop comes later)
        bool, typer.Option("--accept-changes", help="Go on although much changes. No pull stops for that yet.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read and clean every source of contacts/contacts.toml, and store the list."""
    with opened() as app:
        result = app.pull()
    stored = result.stored
    changes = {
        "added": stored.added,
        "changed": stored.changed,
        "unchanged": stored.unchanged,
        "returned": stored.returned,
        "left": stored.left,
    }
    if as_json:
        print_json(_as_json(result.cleaned) | {"stored": changes, "opted_out": result.opted_out})
        return
    show_cleaned(result.cleaned)
    show_table(("People on the stored list", "Number"), changes.items())
    if result.opted_out:
        say(f"New opt-outs of all mail, because a status in the list says so: {result.opted_out}.")


def show_cleaned(cleaned: "Cleaned") -> None:
    """What became of the rows, then the rejected and the noted ones."""
    counts = {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged into another row's contact": cleaned.merged,
        "rejected": len(cleaned.rejected),
        "accepted, a value dropped": len(cleaned.noted),
        "contacts whose status is an opt-out": len(cleaned.opt_outs),
    }
    show_table(("The list", "Number"), counts.items())
    for each in cleaned.columns:
        read = ", ".join(f"{field} from “{label}”" for field, label in each.read.items())
        unread = f"; not read: {', '.join(f'“{label}”' for label in each.unread)}" if each.unread else ""
        say(f"Columns of {each.source}: {read}{unread}.")
    _show_notes("Rejected rows", cleaned.rejected)
    _show_notes("Dropped values", cleaned.noted)


def _show_notes(title: str, notes: "Sequence[RowNote]") -> None:
    if not notes:
        return
    rows = [(note.source, note.row, note.column, note.value_masked, note.reason) for note in notes[:_SHOWN]]
    show_table(("Source", "Row", "Column", "Value", "Reason"), rows, title=title)
    if len(notes) > _SHOWN:
        say(f"... and {len(notes) - _SHOWN} more; --json lists all.")


def _as_json(cleaned: "Cleaned") -> dict[str, Any]:
    return {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged": cleaned.merged,
        "rejected": [_note(note) for note in cleaned.rejected],
        "noted": [_note(note) for note in cleaned.noted],
        "opt_outs": len(cleaned.opt_outs),
        "columns": [{"source": each.source, "read": each.read, "unread": each.unread} for each in cleaned.columns],
    }


def _note(note: "RowNote") -> dict[str, Any]:
    return {
        "source": note.source,
        "row": note.row,
        "column": note.column,
        "reason": note.reason,
        "value": note.value_masked,
    }


def _source(name: str | None) -> "Source":
    """The source whose mapping is lent; without a name, one that finds everything out."""
    from mlgroup_mail.contacts.config import CONTACTS_FILE, Source, read_config
    from mlgroup_mail.settings.project import read_project

    if name is None:
        return Source(name="file", path="file")
    project = read_project(project_root())
    sources = {source.name: source for source in read_config(project.contacts).source}
    if name not in sources:
        near = difflib.get_close_matches(name, sources, n=1)
        raise UsageError(
            f"there is no source “{name}”",
            where=str(project.contacts / CONTACTS_FILE),
            mend=f"Did you mean “{near[0]}”?" if near else f"Sources there: {', '.join(sources)}.",
        )
    return sources[name]


def _topics() -> "Collection[str] | None":
    """The project's topics; None where there is no project: a list can be checked anywhere."""
    from mlgroup_mail.settings.project import PROJECT_FILE, read_project

    root = project_root()
    return read_project(root).topics if (root / PROJECT_FILE).is_file() else None
