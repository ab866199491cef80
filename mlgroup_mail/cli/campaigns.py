"""`check`, `preview`, `test-send`, `approve`: from a text to something that may go out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import (
    ApprovedBy,
    CampaignName,
    Json,
    MailingName,
    campaign_and_mailing,
    mailing_named,
    opened,
)
from mlgroup_mail.cli.output import console, print_json, say, show_indented, show_table
from mlgroup_mail.cli.stopping import handing_over
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model.mailing import MailingRef

if TYPE_CHECKING:
    from mlgroup_mail.preflight.findings import Finding
    from mlgroup_mail.settings.app import App


_INDENT = 8
_DETAILS = 3
"""So many things of a list are told on a terminal; `--json` has them all."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(check)
    app.command()(preview)
    app.command("test-send")(test_send)
    app.command()(approve)


def check(campaign: CampaignName, as_json: Json = False) -> None:
    """Find what would be embarrassing once it is out. Errors block approval and sending."""
    name, mailing = campaign_and_mailing(campaign)
    with opened() as app:
        findings = app.check(name, mailing)
    errors = sum(finding.blocks for finding in findings)
    if as_json:
        print_json(
            {
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [
                    {
                        "level": finding.level,
                        "rule": finding.rule,
                        "where": finding.where,
                        "message": finding.told(),
                        "mend": finding.mend,
                    }
                    for finding in findings
                ],
            }
        )
    else:
        _show_findings(findings, campaign)
        say(f"{_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')} in {campaign}.")
    raise typer.Exit(int(errors > 0))


def preview(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN[/MAILING]", help="One mailing, or all of a campaign.")],
    reader: Annotated[
        str | None, typer.Option("--as", metavar="ADDRESS", help="As this person would get it; else the first one.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to; else var/preview/.")] = None,
    public: Annotated[bool, typer.Option("--public", help="What anybody may read: html and txt.")] = False,
) -> None:
    """Write a mailing as a reader would get it: html, txt, eml, and png where a browser is installed. Sends nothing."""
    from mlgroup_mail.reporting.preview import write_previews, write_public_copies

    if public and reader is not None:
        raise UsageError("--public is for nobody in particular, --as for one reader", mend="Give one of the two.")
    with opened() as app:
        if public:
            for copy in write_public_copies(app, *campaign_and_mailing(campaign), out=out):
                say(f"{copy.ref}, for everybody: “{copy.subject}”")
                for path in copy.files:
                    say(f"  {path}")
            return
        for each in write_previews(app, *campaign_and_mailing(campaign), reader=reader, out=out):
            say(f"{each.ref}: “{each.subject}”")
            for path in each.files:
                say(f"  {path}")
            if not each.has_picture:
                say("  no picture: no Chromium or Chrome was found on this machine")


def test_send(
    mailing: Annotated[str, typer.Argument(metavar="CAMPAIGN[/MAILING]", help="Which; else the campaign's first.")],
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Whom: somebody of the team.")],
) -> None:
    """Send one message to the team through the configured transport, marked as a test; its opt-out link is dead."""
    from mlgroup_mail.model import OutcomeKind

    with opened() as app:
        ref = _first_mailing(app, mailing)
        with handing_over():
            outcome = app.send_test(ref, to)
        where = f" Look at {app.outbox / 'index.html'}." if app.settings.transport == "outbox" else ""
    became = "not sent" if outcome.kind is OutcomeKind.DEFERRED else outcome.kind
    again = " A test is not tried again by itself." if outcome.kind is OutcomeKind.DEFERRED else ""
    say(f"The test of {ref} was {became}{f': {outcome.detail}' if outcome.detail else ''}.{where}{again}")
    raise typer.Exit(int(outcome.kind is not OutcomeKind.ACCEPTED))


def approve(
    mailing: MailingName,
    by: ApprovedBy,
    as_json: Json = False,
) -> None:
    """Approve a mailing exactly as it is now; any later change voids it. Refuses while `check` has errors."""
    from mlgroup_mail.reporting.forecast import forecast
    from mlgroup_mail.reporting.status import status_of

    ref = mailing_named(mailing)
    with opened() as app:
        findings = app.approve(ref, by=by)
        if any(finding.blocks for finding in findings):
            if as_json:
                print_json({"mailing": str(ref), "approved": False, "errors": sum(each.blocks for each in findings)})
            else:
                _show_findings(findings, mailing)
                say(f"{ref} is not approved: mend the errors first.")
            raise typer.Exit(1)
        status, found = status_of(app, ref), forecast(app, ref)
    if as_json:
        print_json({**status.as_json(), "approved": True, "by": by})
        return
    _show_findings(findings, mailing)
    show_table(["", "people"], found.lines(), title=f"{ref}, approved by {by}")
    say(f"It goes out from {status.send_at:%A %-d %B %Y, %H:%M} UTC, by `dispatch --live` or `send {ref} --live`.")
    for remark in found.remarks:
        say(remark)


def _show_findings(findings: "tuple[Finding, ...]", campaign: str) -> None:
    """Each finding as a small paragraph: a table would break files and lines apart."""
    from rich.text import Text

    out = console()
    for finding in findings:
        colour = "red" if finding.blocks else "yellow"
        heading = Text.assemble((f"{finding.level:<8}", f"bold {colour}"), finding.where, (f"  {finding.rule}", "dim"))
        # A file with its line is one word: somebody may copy it.
        out.print(heading, soft_wrap=True)
        sentence = f"{finding.told(_DETAILS).rstrip('.')}. {finding.mend}".rstrip()
        if len(finding.details) > _DETAILS:
            sentence += f" All of them: mlgroup-mail check {campaign} --json"
        show_indented(out, sentence, indent=_INDENT)
        out.print()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _first_mailing(app: "App", text: str) -> MailingRef:
    from mlgroup_mail.content.campaigns.campaign import read_campaign

    campaign, mailing = campaign_and_mailing(text)
    return MailingRef(campaign, mailing or read_campaign(app.project, campaign).mailings[0].name)
