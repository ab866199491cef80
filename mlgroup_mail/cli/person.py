"""`person export`, `move`, `apart`, `erase`: what is held, a new address, a mistaken identity, being forgotten."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import By, Json, opened, whoever_runs_this
from mlgroup_mail.cli.output import print_json, say

if TYPE_CHECKING:
    from mlgroup_mail.delivery.forgetting import ForgottenEverywhere, WouldForget
    from mlgroup_mail.model import MailingRef
    from mlgroup_mail.store.erasure import Forgotten

Who = Annotated[str, typer.Argument(metavar="ADDRESS", help="Any address they have or had, or their number.")]
Old = Annotated[str, typer.Argument(help="The old address, or the contact's number.")]
New = Annotated[str, typer.Argument(help="The new address, or the number of the contact that has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, or where you have it from; kept in the journal.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="One person: what is held, a new address, a mistaken identity, being forgotten.")
    group.command()(export)
    group.command()(move)
    group.command()(apart)
    group.command()(erase)
    app.add_typer(group, name="person", no_args_is_help=True)


def export(
    who: Who,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where to: .json for programs, .html to hand over; else JSON on the screen.",
            dir_okay=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Everything that is held about one person, for whoever asks what we know of them."""
    from mlgroup_mail.reporting.person.record import person_record
    from mlgroup_mail.reporting.person.writing import write_record

    with opened() as app:
        found = person_record(app, who)
        files = [write_record(found, path) for path in out or ()]
    if as_json or not files:
        print_json(found.as_json())
        return
    for file in files:
        typer.echo(file)


def move(old: Old, new: New, reason: Reason, by: By = None, as_json: Json = False) -> None:
    """Give a person another address. Their number, opt-outs and history stay; two rows of one person become one."""
    with opened() as app:
        moved = app.move_person(old, new, by=by or whoever_runs_this(), reason=reason)
    if as_json:
        print_json(
            {
                "contact_id": moved.contact_id,
                "closed_id": moved.closed_id or None,
                "listed": moved.listed,
                "opt_outs_passed_on": moved.passed_on,
                "redirected": moved.redirected,
                "left_out": moved.left_out,
            }
        )
        return
    say(f"Contact {moved.contact_id} has the new address. The old one stays in their history, with its opt-outs.")
    if moved.closed_id:
        say(f"Contact {moved.closed_id} was the same person: it is closed, and its opt-outs hold for the other one.")
    if moved.redirected:
        say(f"Planned deliveries that go to the new address: {moved.redirected}.")
    if moved.left_out:
        say(f"Deliveries that do not go, because the person has the mailing already or opted out: {moved.left_out}.")
    if not moved.listed:
        say("They are not on the list now; a pull brings them back when a source has the new address.")
    else:
        say("Correct the address in the list too; until then a pull keeps the new one.")


def apart(old: Old, new: New, reason: Reason, by: By = None) -> None:
    """A suspected move was none: these are two people, and the new one gets mail. Opt-outs stay as they are."""
    with opened() as app:
        contact_id = app.keep_apart(old, new, by=by or whoever_runs_this(), reason=reason)
    say(f"Contact {contact_id} is another person, and no longer held for that.")


def erase(
    who: Who,
    reason: Reason,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first. Only a terminal is asked at all.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a person for good: their data go, and no list brings them back. This cannot be undone."""
    from mlgroup_mail.reporting.report.writing import usual_file

    with opened() as app:
        typer.echo(_what_would_go(app.would_forget(who)), err=True)
        if sys.stdin.isatty() and not yes and not typer.confirm("Forget them?", err=True):
            typer.echo("Nothing was forgotten.", err=True)
            raise typer.Exit(1)
        forgotten = app.erase_person(who, by=by or whoever_runs_this(), reason=reason)
        reports = [ref for ref in forgotten.mailings if usual_file(app, ref).exists()]
    if as_json:
        print_json(_erased_json(forgotten, reports))
        return
    if ledger := forgotten.ledger:
        _say_what_the_ledger_forgot(ledger)
    else:
        say("This person was erased before: the ledger has nothing of them.")
    say(f"Deleted from the outbox: {_counted(forgotten.messages, 'message', 'messages')}.")
    for ref in reports:
        say(f"A report was made before, and may speak of them. Make it again: mlgroup-mail report {ref}")
    say(
        "Not reached from here: the sources of the list and opt-out files, previews in var/preview, reports and "
        "exports that were put elsewhere, replies in mailboxes, backups. Remove the person there too."
    )


def _what_would_go(whom: "WouldForget") -> str:
    who = f"contact {whom.contact_id}, {whom.name or 'without a name'}" if whom.contact_id else "nobody on the list"
    parts = (
        _counted(whom.deliveries, "delivery", "deliveries"),
        _counted(whom.rules, "opt-out, hold or bounce", "opt-outs, holds or bounces"),
    )
    return f"To be forgotten for good: {who} ({', '.join(whom.addresses) or 'no address'}); {', '.join(parts)}."


def _erased_json(forgotten: "ForgottenEverywhere", reports: Sequence["MailingRef"]) -> dict[str, object]:
    ledger = forgotten.ledger
    return {
        "contact_id": ledger.contact_id if ledger else None,
        "addresses": ledger.addresses if ledger else 0,
        "shared_addresses": ledger.shared if ledger else 0,
        "deliveries": ledger.deliveries if ledger else 0,
        "taken_back": ledger.taken_back if ledger else 0,
        "messages": forgotten.messages,
        "reports": [str(ref) for ref in reports],
        "erased_before": ledger is None,
        "log_busy": ledger.log_busy if ledger else False,
    }


def _say_what_the_ledger_forgot(ledger: "Forgotten") -> None:
    say(
        f"Contact {ledger.contact_id} is forgotten."
        if ledger.contact_id
        else "What was known of this address is forgotten; nobody on the list had it."
    )
    emptied = _counted(ledger.deliveries, "delivery", "deliveries")
    say(
        f"Emptied: {emptied}, of which {ledger.taken_back} will not go any more. "
        f"Addresses that no list can bring back: {ledger.addresses}."
    )
    if ledger.shared:
        shared = _counted(ledger.shared, "address is", "addresses are")
        say(f"{shared} somebody else's by now and {'stays' if ledger.shared == 1 else 'stay'} with them.")
    if ledger.log_busy:
        say(
            "The database's log could not be emptied, because another process reads from it: some of what was "
            "forgotten is in that file until all who use the database have closed it."
        )


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
