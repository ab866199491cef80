"""`contacts export`: the list back as a file."""

from pathlib import Path
from typing import Annotated

import typer

from mlgroup_mail.cli.context import Json, opened
from mlgroup_mail.cli.output import print_json, say
from mlgroup_mail.cli.progress_bar import progress_bar


def register(group: typer.Typer) -> None:
    """Add this module's command to the group `contacts`."""
    group.command()(export)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to, .xlsx or .csv; a file there is replaced.")],
    as_json: Json = False,
) -> None:
    """Write the stored list with status, opt-outs, bounces, moves and their dates, for the team's folder."""
    from mlgroup_mail.reporting.contact_export import export_contacts

    with opened() as app, progress_bar("exporting", quiet=as_json) as tell:
        done = export_contacts(app, file, progress=lambda done, total: tell(completed=done, total=total))
    if as_json:
        print_json(done.as_json())
        return
    say(f"{done.contacts} people are in {file}.")
    if done.left:
        where = "are on its second sheet" if done.has_left else "are not: an .xlsx has them on a second sheet"
        say(f"The {done.left} who left {where}.")
    say("These are personal data: keep the file where only the team can read it.")
