"""`person move`, `apart`, `erase`: a new address, a mistaken identity, the wish to be forgotten."""

from typing import Annotated

import typer

from mlgroup_mail.cli.context import By, Json, opened, whoever_runs_this
from mlgroup_mail.cli.output import print_json, say

Old = Annotated[str, typer.Argument(help="The old address, or the contact's number.")]
New = Annotated[str, typer.Argument(help="The new address, or the number of the contact that has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, or where you have it from; kept in the journal.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="One person: a new address, a mistaken identity, the wish to be forgotten.")
    group.command()(move)
    group.command()(apart)
    group.command()(erase)
    app.add_typer(group, name="person", no_args_is_help=True)


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
    who: Annotated[str, typer.Argument(metavar="ADDRESS", help="Any address they have or had, or their number.")],
    reason: Reason,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Forget a person for good: their data go, and no list brings them back. This cannot be undone."""
    with opened() as app:
        forgotten = app.erase_person(who, by=by or whoever_runs_this(), reason=reason)
    if as_json:
        print_json(
            {
                "contact_id": forgotten.contact_id,
                "addresses": forgotten.addresses,
                "shared_addresses": forgotten.shared,
                "deliveries": forgotten.deliveries,
                "taken_back": forgotten.taken_back,
                "log_busy": forgotten.log_busy,
            }
        )
        return
    say(
        f"Contact {forgotten.contact_id} is forgotten."
        if forgotten.contact_id
        else "What was known of this address is forgotten; nobody on the list had it."
    )
    emptied = _counted(forgotten.deliveries, "delivery", "deliveries")
    say(
        f"Emptied: {emptied}, of which {forgotten.taken_back} will not go any more. "
        f"Addresses that no list can bring back: {forgotten.addresses}."
    )
    if forgotten.shared:
        shared = _counted(forgotten.shared, "address is", "addresses are")
        say(f"{shared} somebody else's by now and {'stays' if forgotten.shared == 1 else 'stay'} with them.")
    if forgotten.log_busy:
        say(
            "The database's log could not be emptied, because another process reads from it: some of what was "
            "forgotten is in that file until all who use the database have closed it."
        )
    say(
        "Not reached from here: the sources of the list, messages in var/outbox, replies in mailboxes, backups. "
        "Remove the person there too."
    )


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
