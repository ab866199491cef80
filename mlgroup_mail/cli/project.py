"""`init`, and its neighbours `doctor` and `demo`: the project as a whole."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from mlgroup_mail.cli.demo import demo
from mlgroup_mail.cli.doctor import doctor
from mlgroup_mail.cli.output import say


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (init, doctor, demo):
        app.command()(command)


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A directory that is new or empty.")]) -> None:
    """Make a fresh project directory, in which every command works at once. Nothing can leave this machine yet."""
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.scaffold.project import FIRST_MAILING, make_project

    written = make_project(folder, now=SystemClock().now())
    campaign = FIRST_MAILING.partition("/")[0]
    steps = [
        ("mlgroup-mail doctor", "what is set up, what is missing"),
        ("mlgroup-mail contacts pull", "read the list (a fictional one)"),
        (f"mlgroup-mail check {campaign}", "look for what would be embarrassing"),
        (f"mlgroup-mail preview {campaign}", "see it"),
        (f"mlgroup-mail approve {FIRST_MAILING} --by YOUR-NAME", "freeze exactly this text"),
        (f"mlgroup-mail send {FIRST_MAILING}", "a dry run: who would get it"),
        (f"mlgroup-mail send {FIRST_MAILING} --live", "send it, into var/outbox/"),
    ]
    if folder.resolve() != Path.cwd():
        steps.insert(0, (f"cd {shlex.quote(str(folder))}", ""))
    say(f"Made a project in {folder}{os.sep}: {len(written)} files; README.md tells what each is for.\n\nNext:")
    width = max(len(command) for command, _ in steps)
    for number, (command, why) in enumerate(steps, start=1):
        say(f"  {number}. {command:{width}}  {why}".rstrip())
    say(
        "\nNothing can leave this machine yet: every mail becomes a file in var/outbox/ until you set another\n"
        "transport. README.md has the first hour in full, and how to put in your own list and text."
    )
