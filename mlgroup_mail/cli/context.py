"""What every command begins with: which project, and who is at the keyboard."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.model.mailing import MailingRef

if TYPE_CHECKING:
    from mlgroup_mail.settings.app import App

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print a JSON object a line and nothing else.")]
CampaignName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="A folder under campaigns/.")]
MailingName = Annotated[str, typer.Argument(metavar="CAMPAIGN/MAILING", help="For example 2021-10-newsletter/issue.")]
Live = Annotated[bool, typer.Option("--live", help="Really send. Without it nothing is sent or written.")]


_root: ContextVar[Path] = ContextVar("project_root")


def set_project_root(root: Path) -> None:
    """Note which project directory the command line names."""
    _root.set(root)


def project_root() -> Path:
    """The project directory that the command line names."""
    return _root.get()


@contextmanager
def opened() -> "Iterator[App]":
    """The project, ready for use."""
    from mlgroup_mail.settings.app import open_app

    with open_app(project_root()) as app:
        if warning := app.ledger_warning():
            typer.secho(f"warning: {warning}", fg=typer.colors.YELLOW, err=True)
        yield app


def campaign_and_mailing(text: str) -> tuple[str, str | None]:
    """Read `CAMPAIGN` or `CAMPAIGN/MAILING`."""
    if "/" in text.strip("/").removeprefix("campaigns/"):
        ref = MailingRef.parse(text)
        return ref.campaign, ref.mailing
    return text.strip("/").removeprefix("campaigns/"), None


def whoever_runs_this() -> str:
    """The account's name, for the journal, where no `--by` says more."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
