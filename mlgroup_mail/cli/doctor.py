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

    checks = diagnose(project_root(), now=SystemClock().now())
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
    if as_json:
        print_json({"requests": [request.as_json() for request in requests(project, settings)]})
    else:
        say(letter(project, settings))


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
    if not counts["fail"]:
        say("Not asked from here: your senders' DNS records. `doctor --for-it` prints what to ask those who know them.")
