"""`opt-out pull`, `opt-out bursts`, and what a lift does at SendGrid."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from mlgroup_mail.cli.context import Json, opened
from mlgroup_mail.cli.output import print_json, say
from mlgroup_mail.errors import ConfigurationError

if TYPE_CHECKING:
    from mlgroup_mail.delivery.provider_lists import Pulled
    from mlgroup_mail.settings.app import App


def pull(as_json: Json = False) -> None:
    """Read SendGrid's suppression lists, and write to them where that is set; they only add to our opt-outs."""
    with opened() as app:
        pulled = app.keep_provider_lists()
    if as_json:
        print_json(asdict(pulled))
        return
    say(f"{pulled.entries} entries read, {pulled.new} of them new.")
    for number, told in (
        (pulled.opt_outs, "new opt-outs and complaints"),
        (pulled.bounced, "addresses suppressed, because they take no mail"),
        (pulled.soft, "blocked or soft: counted, see docs/sendgrid-lists.md"),
        (pulled.ours, "put there by us"),
        (pulled.erased, "of people who were erased: not kept"),
        (pulled.unreadable, "are no addresses"),
        (pulled.pushed, "opt-outs of ours put on SendGrid's list"),
        (pulled.refused, "opt-outs of ours that SendGrid does not take onto its list; they hold here"),
        (pulled.taken_off, "taken off, because their opt-out was lifted"),
    ):
        if number:
            say(f"  {number} {told}")
    _tell_left_on(pulled)


def bursts(as_json: Json = False) -> None:
    """Flag opt-outs that a mail gateway may have clicked, and ask each of their readers once, by mail."""
    with opened() as app:
        found = app.look_for_bursts()
    if as_json:
        print_json(asdict(found))
        return
    say(f"{found.flagged} opt-outs newly flagged, {found.asked} readers asked whether it was they.")


def take_off_provider_lists(app: "App") -> None:
    """After a lift: take the person off SendGrid's lists too, or say who has to."""
    from mlgroup_mail.store.provider_lists import removals_to_do

    with app.store.reading() as connection:
        waiting = removals_to_do(connection)
    if not waiting:
        return
    if not app.keeps_provider_lists:
        say(
            "SendGrid may go on dropping mail to them: take them off its lists there (Suppressions), or set "
            "MLGROUP_SENDGRID_PULL=true and run: mlgroup-mail opt-out pull"
        )
        return
    try:
        done = app.take_off_provider_lists()
    except ConfigurationError as error:
        say(
            f"SendGrid still has them on its lists, and drops mail to them: {error.problem.message}. "
            "The next `mlgroup-mail opt-out pull` takes them off."
        )
        raise typer.Exit(1) from None
    if done.taken_off:
        say(f"{done.taken_off} taken off SendGrid's lists.")
    _tell_left_on(done)


def _tell_left_on(done: "Pulled") -> None:
    if done.left_on:
        say(
            f"{done.left_on} could not be taken off SendGrid's lists, and it drops mail to them: take them off there "
            "(Suppressions)."
        )
