"""`db upgrade`, `adopt`, `trust-clock`, `retire-key`, `tidy`: migrations, what a person vouches for, what is kept."""

from typing import Annotated

import typer

from mlgroup_mail.cli.context import By, Json, opened, project_root, whoever_runs_this
from mlgroup_mail.cli.output import print_json, say, show_table
from mlgroup_mail.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="The database behind it.", no_args_is_help=True)
    group.command("upgrade")(upgrade)
    group.command("adopt")(adopt)
    group.command("trust-clock")(trust_clock)
    group.command("retire-key")(retire_key)
    group.command("tidy")(tidy)
    app.add_typer(group, name="db")


def upgrade() -> None:
    """Bring the database to this version's tables; does nothing where it is there."""
    from mlgroup_mail.settings.app import upgrade_database

    changed = upgrade_database(project_root())
    say("The database was upgraded." if changed else "The database is up to date.")


def adopt(
    reason: Annotated[str, typer.Option("--reason", help="Why this ledger takes over; kept in the journal.")],
) -> None:
    """Make this database the one that the project's live mail is recorded in (ledger.toml)."""
    from mlgroup_mail.consent.applying import standing_suppressions
    from mlgroup_mail.delivery.ledger_file import adopt_ledger
    from mlgroup_mail.delivery.ledger_witness import begin_anew
    from mlgroup_mail.reporting.status import all_statuses

    if not reason.strip():
        raise UsageError("--reason is empty: say why the other ledger cannot be used any more")
    with opened() as app:
        found = adopt_ledger(app.project.root, app.store, reason=reason, by=whoever_runs_this(), now=app.clock.now())
        begin_anew(app.project.root, app.store)
        rules = len(standing_suppressions(app.store))
        mailings = sum(status.audience > 0 for status in all_statuses(app))
    say(f"ledger.toml now names this ledger ({found}). Commit it.")
    say(
        f"It knows {rules} standing opt-outs and {mailings} mailings. Whoever opted out or got mail under the other "
        "one can be written to again: enter those opt-outs here, and cancel what has gone out."
    )


def trust_clock(
    reason: Annotated[str, typer.Option("--reason", help="How you know; kept in the journal.")],
) -> None:
    """Say that the machine's clock is right now, where the ledger's newest times speak against it."""
    if not reason.strip():
        raise UsageError("--reason is empty: say how you know what time it is")
    with opened() as app:
        now = app.clock.now()
        count = app.trust_clock(reason=reason, by=whoever_runs_this())
    say(f"It is {now:%Y-%m-%d %H:%M} UTC: live mail goes by this clock again.")
    if count:
        say(f"{count} deferred deliveries that waited for a later time may go now.")


def retire_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its fingerprint, as `doctor` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="How it was lost; kept in the journal.")],
    by: By = None,
) -> None:
    """Give up a lost key of MLGROUP_SECRET_KEYS: opt-out links that were signed with it never work again."""
    from mlgroup_mail.delivery import signing_keys

    if not reason.strip():
        raise UsageError("--reason is empty: say how the key was lost")
    with opened() as app:
        given_up = signing_keys.retire_key(
            app.store, key, app.key_fingerprints, reason=reason, by=by or whoever_runs_this(), now=app.clock.now()
        )
    say(f"The key {key} is given up. Links in mails from {given_up.signed_at:%Y-%m-%d} on, while it signed, are dead.")
    say(
        "Whoever presses one is told that it has been taken in, and gets mail all the same. Tell the readers of those "
        "mails to reply, and enter it by hand: mlgroup-mail opt-out add ADDRESS"
    )


def tidy(
    apply: Annotated[bool, typer.Option("--apply", help="Really forget. Without it they are only counted.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Forget what is kept for longer than `[retention]` of mlgroup.toml says; a dry run unless --apply."""
    with opened() as app:
        found = app.tidy(by=by or whoever_runs_this()) if apply else app.overdue()
        periods = dict(app.project.file.retention.periods())
    if as_json:
        numbers = {kind.value: found.numbers.get(kind, 0) for kind in periods}
        print_json({"applied": apply, "forgotten" if apply else "overdue": numbers, "log_busy": found.log_busy})
        return
    show_table(
        ["record", "kept for", "forgotten" if apply else "overdue"],
        [
            [kind.value.replace("_", " "), str(period or "ever"), found.numbers.get(kind, 0)]
            for kind, period in periods.items()
        ],
    )
    if not apply:
        say(
            "Nothing was changed. To forget them: mlgroup-mail db tidy --apply"
            if found.total
            else "Nothing is overdue. This only counted: mlgroup-mail db tidy --apply is what forgets."
        )
    if found.log_busy:
        say(
            "The database's log could not be emptied, because another process reads from it: some of what was "
            "forgotten is in that file until all who use the database have closed it."
        )
