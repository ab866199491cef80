"""`new`: a campaign folder to fill in."""

from typing import Annotated

import typer

from mlgroup_mail.cli.context import project_root
from mlgroup_mail.cli.output import say


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(new)


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="newsletter or call.")],
    campaign_id: Annotated[
        str, typer.Argument(metavar="ID", help="The folder's name, for example 2030-01-newsletter.")
    ],
) -> None:
    """Make a campaign folder to fill in, due on the next weekday at 09:00. `check` names what is still missing."""
    from mlgroup_mail.clock import SystemClock
    from mlgroup_mail.scaffold.campaign import make_campaign
    from mlgroup_mail.settings.project import read_project

    written = make_campaign(read_project(project_root()), kind, campaign_id, now=SystemClock().now())
    say(f"Made {', '.join(str(path) for path in written)}.")
    say(f"Fill in what says TODO, and look at the dates. Then: mlgroup-mail check {campaign_id}")
