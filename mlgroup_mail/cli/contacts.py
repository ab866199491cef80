"""`contacts check` and `contacts pull`: the list, as it would be stored and as it is."""

import difflib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlgroup_mail.cli import contact_export, segments
from mlgroup_mail.cli.cleaned import cleaned_json, show_cleaned
from mlgroup_mail.cli.context import Json, opened, project_root
from mlgroup_mail.cli.output import print_json, say
from mlgroup_mail.cli.progress_bar import progress_bar
from mlgroup_mail.cli.pulled import pulled_json, show_pulled
from mlgroup_mail.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlgroup_mail.contacts.config import Source
    from mlgroup_mail.contacts.words.readings import Vocabulary


Notes = Annotated[
    Path | None, typer.Option("--notes", metavar="NOTES.csv", help="Write every row to look at here, with its reason.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="The contact list: check files, pull the sources of contacts/contacts.toml.")
    group.command()(check)
    group.command()(pull)
    segments.register(group)
    contact_export.register(group)
    app.add_typer(group, name="contacts", no_args_is_help=True)


def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, XLSX or ODS files, here or on a remote store.")
    ],
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Read them like this source of contacts.toml.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CLEAN.csv", help="Write the accepted contacts here.")
    ] = None,
    notes: Notes = None,
    as_json: Json = False,
) -> None:
    """Clean files without storing anything, and say which rows are rejected and why."""
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.contacts.cleaning.cleaned import clean
    from mlgroup_mail.contacts.sources.tables import read_source
    from mlgroup_mail.contacts.writing import write_clean, write_notes

    options = _source(source)
    tables = [read_source(path, options.model_copy(update={"name": name})) for path, name in _named(files)]
    with progress_bar("cleaning", quiet=as_json) as tell:
        cleaned = clean(
            tables,
            _vocabulary(),
            at=SystemClock().now(),
            progress=lambda done, total: tell(completed=done, total=total),
        )
    if out:
        _write(write_clean, cleaned.contacts, out)
    if notes:
        _write(write_notes, cleaned, notes)
    if as_json:
        print_json(cleaned_json(cleaned))
        return
    show_cleaned(cleaned)
    if out:
        say(f"The accepted contacts are in {out}: {len(cleaned.contacts)}.")
    if notes:
        say(f"Every row to look at is in {notes}.")


def pull(
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Go on although more changes than [pull] of contacts.toml allows.")
    ] = False,
    notes: Notes = None,
    as_json: Json = False,
) -> None:
    """Read and clean every source of contacts/contacts.toml, and store the list."""
    from mlgroup_mail.contacts.writing import write_notes

    with opened() as app, progress_bar("pulling", quiet=as_json) as tell:
        result = app.pull(accept_changes=accept_changes, progress=lambda done, total: tell(completed=done, total=total))
    if notes:
        _write(write_notes, result.cleaned, notes)
    if as_json:
        print_json(cleaned_json(result.cleaned) | pulled_json(result))
    else:
        show_cleaned(result.cleaned)
        show_pulled(result)
    if result.stopped:
        raise typer.Exit(1)


def _named(files: "Sequence[str]") -> "Iterator[tuple[str, str]]":
    """Each file with a name of its own: the last part of its path where that is enough."""
    names = Counter(Path(file).name for file in files)
    for file in files:
        name = Path(file).name
        yield file, name if names[name] == 1 else file


def _write(write: "Callable[[Any, Path], None]", what: object, path: Path) -> None:
    try:
        write(what, path)
    except OSError as error:
        raise UsageError(f"this file cannot be written: {error.strerror}", where=str(path)) from None


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
    from mlgroup_mail.contacts.words.readings import ANY_WORDS
    from mlgroup_mail.settings.parts import vocabulary
    from mlgroup_mail.settings.project import PROJECT_FILE, read_project

    root = project_root()
    return vocabulary(read_project(root)) if (root / PROJECT_FILE).is_file() else ANY_WORDS
