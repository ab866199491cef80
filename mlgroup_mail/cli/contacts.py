"""`contacts check` and `contacts pull`: the list, as it would be stored and as it is."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.cleaned import cleaned_json, show_cleaned
from mlgroup_mail.cli.context import Json, opened, project_root
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.errors import UsageError

if TYPE_CHECKING:
    from mlgroup_mail.contacts.config import Source
    from mlgroup_mail.contacts.readings import Vocabulary


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
    cleaned = clean(tables, _vocabulary(), at=SystemClock().now())
    if out:
        try:
            write_clean(cleaned.contacts, out)
        except OSError as error:
            raise UsageError(f"this file cannot be written: {error.strerror}", where=str(out)) from None
    if as_json:
        print_json(cleaned_json(cleaned))
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
        print_json(cleaned_json(result.cleaned) | {"stored": changes, "opted_out": result.opted_out})
        return
    show_cleaned(result.cleaned)
    show_table(("People on the stored list", "Number"), changes.items())
    if result.opted_out:
        say(f"New opt-outs of all mail, because a status in the list says so: {result.opted_out}.")


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


def _vocabulary() -> "Vocabulary":
    """The project's words; any are taken where there is no project: a list can be checked anywhere."""
    from mlgroup_mail.contacts.readings import ANY_WORDS
    from mlgroup_mail.settings.app import vocabulary
    from mlgroup_mail.settings.project import PROJECT_FILE, read_project

    root = project_root()
    return vocabulary(read_project(root)) if (root / PROJECT_FILE).is_file() else ANY_WORDS
