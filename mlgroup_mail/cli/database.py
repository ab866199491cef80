"""`db upgrade`, `db adopt`: migrations, and taking over a ledger."""

from typing import Annotated

import typer

from mlgroup_mail.cli.context import opened, project_root, whoever_runs_this
from mlgroup_mail.cli.output import say


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="The database behind it.", no_args_is_help=True)
    group.command("upgrade")(upgrade)
    group.command("adopt")(adopt)
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
    from mlgroup_mail.delivery.ledger_file import adopt_ledger

    with opened() as app:
        found = adopt_ledger(app.project.root, app.store, reason=reason, by=whoever_runs_this(), now=app.clock.now())
    say(f"ledger.toml now names this ledger ({found}). Commit it.")
