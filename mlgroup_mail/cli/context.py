"""What every command begins with: which project, and who is at the keyboard."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.errors import ConfigurationError, MailError, UsageError
from mlgroup_mail.model.mailing import MailingRef

if TYPE_CHECKING:
    from mlgroup_mail.settings.app import App

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print a JSON object a line and nothing else.")]
CampaignName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="A folder under campaigns/.")]
MailingName = Annotated[str, typer.Argument(metavar="CAMPAIGN/MAILING", help="For example 2021-10-newsletter/issue.")]
Live = Annotated[bool, typer.Option("--live", help="Really send. Without it nothing is sent or written.")]


def _somebody(who: str | None) -> str | None:
    """The journal must name somebody: a blank is nobody."""
    if who is not None and not who.strip():
        raise UsageError("“--by” names nobody", mend="Write who it is: a name or initials.")
    return who and who.strip()


By = Annotated[
    str | None,
    typer.Option("--by", metavar="WHO", help="Who orders it; else the account's name.", callback=_somebody),
]
ApprovedBy = Annotated[
    str, typer.Option("--by", metavar="WHO", help="Who approves it: a name or initials.", callback=_somebody)
]


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


def mailing_named(text: str) -> MailingRef:
    """Read `CAMPAIGN/MAILING`; raises UsageError, which names the mailings of a campaign that stands alone."""
    try:
        return MailingRef.parse(text)
    except UsageError:
        campaign = text.strip().strip("/").removeprefix("campaigns/")
        if "/" in campaign or not (mailings := _mailings_of(campaign)):
            raise
        which = "mailing is" if len(mailings) == 1 else "mailings are"
        raise UsageError(
            f"“{campaign}” is a campaign: say which of its mailings", mend=f"Its {which} {', '.join(mailings)}."
        ) from None


def _mailings_of(campaign: str) -> list[str]:
    from mlgroup_mail.content.campaigns.campaign import read_campaign
    from mlgroup_mail.settings.project import read_project

    try:
        found = read_campaign(read_project(project_root().resolve()), campaign)
    except (MailError, ConfigurationError):
        return []
    return [f"{campaign}/{mailing.name}" for mailing in found.mailings]


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
