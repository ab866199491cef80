"""`status`, `log`, `explain`, `verify`: looking without changing anything."""

import csv
import sys
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import Json, JsonLines, MailingName, campaign_and_mailing, mailing_named, opened
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.cli.statuses import show_statuses
from mlgroup_mail.model.mailing import MailingRef

if TYPE_CHECKING:
    from mlgroup_mail.reporting.log import LogLine

_SHOWN = 40
_NOT_IN_THE_LEDGER = (
    "The number is the invariant's own; 6 has two halves. 7 (reading changes nothing), 8 (no address in a log), "
    "9 (nothing leaves by accident) and 12 (no answers, no mail) leave no rows in a ledger: the tests show them."
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (status, log, explain, verify):
        app.command()(command)


def status(
    mailing: Annotated[
        str | None, typer.Argument(metavar="[CAMPAIGN[/MAILING]]", help="One, or a campaign's; else all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Where mailings stand: states and counts."""
    from mlgroup_mail.reporting.status import overview, status_of, with_bad_news

    campaign, name = campaign_and_mailing(mailing) if mailing else (None, None)
    with opened() as app:
        if campaign and name:
            one = with_bad_news(app, status_of(app, MailingRef(campaign, name)))
            if as_json:
                print_json(one.as_json())
            else:
                show_statuses([one])
            return
        found = overview(app, campaign)
    if as_json:
        print_json(found.as_json())
        return
    for campaign in found.unreadable:
        say(f"{campaign} cannot be read: mlgroup-mail check {campaign} says why.")
    if found.statuses:
        show_statuses(found.statuses)
    elif not found.unreadable:
        say("There is no campaign yet. Make one: mlgroup-mail new newsletter ID")
    for missing in found.missing:
        say(f"{missing}. `mlgroup-mail explain ADDRESS` tells of one.")


def log(
    mailing: MailingName,
    as_json: JsonLines = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """One line a delivery: who, in which state, why, after how many attempts."""
    from mlgroup_mail.reporting.log import count_log_lines, log_lines

    with opened() as app:
        lines = log_lines(app, mailing_named(mailing))
        if as_json:
            for line in lines:
                print_json(line.as_json())
            return
        if as_csv:
            _write_csv(lines)
            return
        shown = list(islice(lines, _SHOWN))
        number = count_log_lines(app, mailing_named(mailing))
    riding, later = (any(getattr(line, name) for line in shown) for name in ("canary", "later"))
    show_table(
        [
            "address",
            "contact",
            "state",
            "reason",
            "attempts",
            "at",
            "language",
            *(["canary"] if riding else []),
            *(["later"] if later else []),
        ],
        [
            [
                *(line.address, line.contact_id, line.state, line.reason_in_words, line.attempts),
                f"{line.at:%Y-%m-%d %H:%M:%S}",
                line.language,
                *([line.canary] if riding else []),
                *([line.later] if later else []),
            ]
            for line in shown
        ],
    )
    if number > _SHOWN:
        say(f"… and {number - _SHOWN} more: `log {mailing} --csv` has all {number}.")


def explain(
    address: Annotated[str, typer.Argument(help="Whose.")],
    as_json: Json = False,
) -> None:
    """Would, will or did they get each mailing, and which rule or opt-out decided."""
    from mlgroup_mail.reporting.explain import explain_address

    with opened() as app:
        found = explain_address(app, address)
    if as_json:
        print_json(found.as_json())
        return
    say(found.headline)
    if found.rules:
        show_table(["what stands", "topic", "reason", "road", "evidence", "since"], found.rule_rows(), title="Opt-outs")
    show_table(["mailing", "answer", "because"], found.mailing_rows(), title="Mailings")


def verify(as_json: Json = False) -> None:
    """Replay the ledger and check that what must never be has not been."""
    from mlgroup_mail.delivery.verifying import verify_ledger

    with opened() as app:
        found = verify_ledger(app.store, app.project.root)
    if as_json:
        print_json(found.as_json())
    else:
        show_table(["invariant", "what holds", "checked", "violations"], found.lines(), title="What must always hold")
        say(_NOT_IN_THE_LEDGER)
        for violation in found.violations:
            say(f"✗ {violation.invariant}: {violation.message}")
        say("The ledger keeps all of them." if not found.violations else "The ledger does not keep all of them.")
    raise typer.Exit(int(bool(found.violations)))


def _write_csv(lines: "Iterable[LogLine]") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        [
            "address",
            "contact_id",
            "state",
            "reason",
            "attempts",
            "message_id",
            "at",
            "language",
            "canary",
            "delivery_id",
            "later",
        ]
    )
    for line in lines:
        writer.writerow(line.cells())
