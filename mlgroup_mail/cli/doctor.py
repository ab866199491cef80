"""`doctor`: what is set up, what answers, what is missing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import Json, project_root
from mlgroup_mail.cli.output import console, print_json, say

if TYPE_CHECKING:
    from mlgroup_mail.reporting.diagnosis import Check
    from mlgroup_mail.reporting.sendgrid_reading import DnsRecord
    from mlgroup_mail.settings.environment import Settings
    from mlgroup_mail.settings.project import Project

_ABOUT_DNS = "SendGrid senders"
_MARKS = {"pass": ("ok", "green"), "warn": ("look", "yellow"), "fail": ("FAIL", "bold red")}


def doctor(
    for_it: Annotated[bool, typer.Option("--for-it", help="Print what to ask an IT department for.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what is set up, what answers and what is missing. Asks, and changes nothing; 1 when something fails."""
    if for_it:
        _letter(project_root(), as_json=as_json)
        return
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.reporting.doctor import diagnose, something_failed
    from mlgroup_mail.web.doctor import CHECKS

    checks = diagnose(project_root(), now=SystemClock().now(), further=CHECKS)
    if as_json:
        print_json({"checks": [check.as_json() for check in checks]})
    else:
        _show(checks)
    raise typer.Exit(int(something_failed(checks)))


def _letter(root: Path, *, as_json: bool) -> None:
    from mlgroup_mail.reporting.for_it import letter, requests
    from mlgroup_mail.settings.environment import read_settings
    from mlgroup_mail.settings.project import read_project

    project = read_project(root.resolve())
    settings = read_settings(project.root, project.file.settings)
    records = _records(project, settings)
    if as_json:
        print_json({"requests": [request.as_json() for request in requests(project, settings, records)]})
    else:
        say(letter(project, settings, records))


def _records(project: "Project", settings: "Settings") -> "tuple[DnsRecord, ...] | None":
    """The DNS records that SendGrid waits for; where it does not tell them, why, beside the letter."""
    from mlgroup_mail.errors import ConfigurationError
    from mlgroup_mail.reporting.for_it import missing_records
    from mlgroup_mail.reporting.sendgrid_reading import NotShownError, WrongKeyError

    try:
        return missing_records(project, settings)
    except ConfigurationError as error:
        why = str(error.problem)
    except WrongKeyError:
        why = "the key is wrong, or was deleted"
    except NotShownError:
        why = "the key may not read Sender Authentication"
    typer.echo(f"Which DNS records SendGrid waits for is not known: {why}", err=True)
    return None


def _show(checks: Sequence["Check"]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name in ("result", "name"):
        table.add_column(name, no_wrap=True)
    table.add_column("detail", overflow="fold")
    for check in checks:
        mark, style = _MARKS[check.finding.result]
        detail = Text(check.finding.detail)
        if check.finding.mend:
            detail.append(f"\n{check.finding.mend}", style="dim")
        table.add_row(Text(mark, style=style), Text(check.name), detail)
    console().print(table)
    counts = Counter(check.finding.result.value for check in checks)
    say(f"\n{counts['pass']} in order, {counts['warn']} to look at, {counts['fail']} failed.")
    dns_was_asked = any(check.name == _ABOUT_DNS and check.finding.result == "pass" for check in checks)
    if not counts["fail"] and not dns_was_asked:
        say("Not asked from here: your senders' DNS records. `doctor --for-it` prints what to ask those who know them.")
