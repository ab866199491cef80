"""`report`: one page about one mailing."""

from pathlib import Path
from typing import Annotated

import typer

from mlgroup_mail.cli.context import MailingName, mailing_named, opened
from mlgroup_mail.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(report)


def report(
    mailing: MailingName,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; else into var/reports/.", dir_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object instead.")] = False,
) -> None:
    """One HTML page with plots: outcomes, progress, who was left out, countries, domains, what came afterwards."""
    from mlgroup_mail.reporting.report.figures import report_on
    from mlgroup_mail.reporting.report.writing import write_report

    with opened() as app:
        found = report_on(app, mailing_named(mailing))
        if not as_json or out:
            file = write_report(app, found, out)
    if as_json:
        print_json(found.as_json())
    else:
        typer.echo(file)
