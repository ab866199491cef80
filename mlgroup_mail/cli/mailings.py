"""`plan`, `send`, `dispatch`, `pause`, `resume`, `cancel`, `resolve`: what makes mailings move."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mlgroup_mail.cli.context import By, Json, Live, MailingName, mailing_named, opened, whoever_runs_this
from mlgroup_mail.cli.halfway import Halfway
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.cli.progress_bar import progress_bar
from mlgroup_mail.cli.statuses import show_statuses
from mlgroup_mail.cli.stopping import stop_on_signals
from mlgroup_mail.errors import MailingSetUpError
from mlgroup_mail.model.delivery import DeliveryState, DeliveryStep
from mlgroup_mail.model.mailing import MailingRef, MailingState

if TYPE_CHECKING:
    from mlgroup_mail.delivery.stopping import Stop
    from mlgroup_mail.reporting.status import MailingStatus
    from mlgroup_mail.settings.app import App

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (plan, send, dispatch, pause, resume, cancel, resolve):
        app.command()(command)


def plan(mailing: MailingName, as_json: Json = False) -> None:
    """Freeze the audience of an approved mailing and make its batches. Sends nothing."""
    from mlgroup_mail.reporting.status import status_of

    ref = mailing_named(mailing)
    with opened() as app:
        with progress_bar("planning", quiet=as_json) as tell:
            app.plan(ref, progress=lambda done, total: tell(completed=done, total=total))
        _show_one(status_of(app, ref), as_json=as_json)


def send(
    mailing: MailingName,
    live: Live = False,
    late: Annotated[
        str | None, typer.Option("--late", metavar="REASON", help="Send although `stop_at` has passed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send what is due of a mailing. A dry run unless --live; running it again sends nobody anything twice."""
    from mlgroup_mail.delivery.stopping import Stop
    from mlgroup_mail.reporting.status import status_of, statuses_after

    ref = mailing_named(mailing)
    with opened() as app:
        if not live:
            raise typer.Exit(_dry_run(app, ref, as_json=as_json))
        app.require_keys()
        app.require_sound()
        row = app.require_approved(ref)
        if row.state_at(app.clock.now()) is MailingState.EXPIRED:
            if late is None:
                app.settle(ref)
                _show_one(status_of(app, ref), as_json=as_json)
                raise typer.Exit(1)
            app.extend(row, reason=late, by=whoever_runs_this())
        if row.state is MailingState.APPROVED and app.clock.now() < row.send_at:
            # Whoever joins or opts out until then counts; `plan` freezes earlier for those who want it.
            _show_one(status_of(app, ref), as_json=as_json)
            if not as_json:
                say(f"Not due before {row.send_at:%Y-%m-%d %H:%M} UTC: nothing was sent, its audience is still open.")
            return
        with progress_bar("planning", quiet=as_json) as tell:
            app.plan(ref, progress=lambda done, total: tell(completed=done, total=total))
        before = status_of(app, ref)
        stop = Stop()
        with (
            Halfway(app=app, before=[before], show=partial(_show_only, as_json=as_json)) as halfway,
            progress_bar("sending", total=before.left, quiet=as_json) as tell,
            stop_on_signals(stop),
        ):

            def count(_: MailingRef, done: int) -> None:
                halfway.outcomes += done
                tell(advance=done)

            for hindrance in app.send([ref], progress=count, stop=stop):
                raise hindrance
        (after,) = statuses_after(app, [ref], [before])
        _show_one(after, as_json=as_json)
    if not as_json:
        # Another process may be sending the same mailing: what it does is not this command's.
        news = min(halfway.outcomes, after.counts[DeliveryState.ACCEPTED] - before.counts[DeliveryState.ACCEPTED])
        say(_what_came_of_it(news, halfway.outcomes, after))
    raise typer.Exit(int(_stopped(stop, [after]) or after.left_undone))


def _what_came_of_it(accepted: int, outcomes: int, after: "MailingStatus") -> str:
    """The last line of `send`. Whoever reads that nothing was sent may send it by another way: it must be so."""
    if accepted:
        return f"{accepted} accepted now."
    if outcomes:
        return "None was accepted now: the lines above say what became of them."
    if after.left_undone or after.left:
        return "Nothing was sent now: the lines above say what it waits for, and whom it is not known of."
    return "Nothing was sent: there was nothing due that had not gone already."


def dispatch(live: Live = False, as_json: Json = False) -> None:
    """Send what is due of every approved mailing: what the scheduled flow does every few minutes."""
    from mlgroup_mail.delivery.stopping import Stop
    from mlgroup_mail.reporting.status import statuses_after, statuses_in_hand

    with opened() as app:
        before = statuses_in_hand(app)
        if not live:
            _show_all([each for each in before if each.due], as_json=as_json)
            if not as_json:
                say("This was a dry run: nothing was sent. `dispatch --live` sends what is due.")
            return
        stop = Stop()
        with (
            Halfway(app=app, before=before, show=partial(_show_all, as_json=as_json)) as halfway,
            progress_bar("sending", quiet=as_json) as tell,
            stop_on_signals(stop),
        ):

            def count(_: MailingRef, done: int) -> None:
                halfway.outcomes += done
                tell(advance=done)

            result = app.dispatch(progress=count, stop=stop)
        statuses = statuses_after(app, result.refs, before)
        # Whatever has been left undone is told by the exit code, also where this run had nothing to do with it.
        undone = any(status.left_undone for status in statuses_in_hand(app))
    hindered = [str(error.problem) for error in result.hindered]
    if as_json:
        found = {"mailings": [status.as_json() for status in statuses], "hindered": hindered}
        print_json({**found, "courtesies": result.courtesies})
    else:
        _show_all(statuses, as_json=False)
        if result.courtesies:
            say(f"Mails to single people accepted now: {result.courtesies}.")
    for reason in hindered:
        typer.echo(f"hindered: {reason}", err=True)
    if any(isinstance(error, MailingSetUpError) for error in result.hindered):
        raise typer.Exit(2)
    raise typer.Exit(int(bool(_stopped(stop, statuses) or undone or hindered)))


def pause(mailing: MailingName, reason: Reason = "", by: By = None) -> None:
    """Stop a mailing within one window; `resume` goes on."""
    with opened() as app:
        app.pause(mailing_named(mailing), reason=reason, by=by or whoever_runs_this())
    say(f"{mailing} is paused. It goes on with: mlgroup-mail resume {mailing}")


def resume(mailing: MailingName, reason: Reason = "", by: By = None) -> None:
    """Let a paused or held mailing go on."""
    with opened() as app:
        app.resume(mailing_named(mailing), reason=reason, by=by or whoever_runs_this())
    say(f"{mailing} goes on at the next `dispatch --live` or `send --live`.")


def cancel(mailing: MailingName, reason: Reason = "", by: By = None) -> None:
    """End a mailing for good; what was accepted stays accepted."""
    with opened() as app:
        count = app.cancel(mailing_named(mailing), reason=reason, by=by or whoever_runs_this())
    say(f"{mailing} is cancelled; {count} deliveries were still to go.")


def resolve(
    mailing: MailingName,
    reason: Annotated[str, typer.Option("--reason", help="What you know about it; kept in the journal.")],
    accepted: Annotated[bool, typer.Option("--accepted", help="They have it.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Send it again; it may be a second copy.")] = False,
    address: Annotated[str | None, typer.Option("--address", help="Only this one.")] = None,
    contact: Annotated[
        int | None, typer.Option("--contact", metavar="NUMBER", help="Only this one, as `report` names them.")
    ] = None,
    by: By = None,
) -> None:
    """Settle uncertain deliveries by a person's decision."""
    if accepted == resend:
        raise typer.BadParameter("give exactly one of --accepted and --resend")
    step = DeliveryStep.RESOLVE_ACCEPTED if accepted else DeliveryStep.RESOLVE_RESEND
    with opened() as app:
        count = app.resolve(
            mailing_named(mailing),
            step,
            address=address,
            contact_id=contact,
            reason=reason,
            by=by or whoever_runs_this(),
        )
    what = "are now accepted" if accepted else "will be sent again"
    say(f"{count} uncertain deliveries of {mailing} {what}.")


def _dry_run(app: "App", ref: MailingRef, *, as_json: bool) -> int:
    from mlgroup_mail.reporting.forecast import forecast

    found = forecast(app, ref)
    if as_json:
        print_json(found.as_json())
        return 0
    show_table(["", "people"], found.lines(), title=f"{ref}: what would happen")
    for line in found.remarks:
        say(line)
    go = f" It goes out with: mlgroup-mail send {ref} --live" if found.ready else ""
    say(f"This was a dry run: nothing was sent.{go}")
    return 0


def _show_one(status: "MailingStatus", *, as_json: bool) -> None:
    if as_json:
        print_json(status.as_json())
    else:
        show_statuses([status])


def _show_only(statuses: Sequence["MailingStatus"], *, as_json: bool) -> None:
    (status,) = statuses
    _show_one(status, as_json=as_json)


def _show_all(statuses: Sequence["MailingStatus"], *, as_json: bool) -> None:
    if as_json:
        print_json({"mailings": [status.as_json() for status in statuses]})
    elif statuses:
        show_statuses(statuses)
    else:
        say("Nothing is due.")


def _stopped(stop: "Stop", statuses: Sequence["MailingStatus"]) -> bool:
    """Whether somebody's wish to stop has left something; if so, say what and how to go on."""
    left = sum(status.left for status in statuses)
    if not (stop.asked and left):
        return False
    typer.echo(f"Stopped: {left} still to go. Run the same command again; nobody gets anything twice.", err=True)
    return True
