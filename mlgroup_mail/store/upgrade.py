"""Bringing a database to this version's schema, and telling whether it is there."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select
from sqlalchemy.exc import DatabaseError, OperationalError

from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import Store


def upgrade(store: Store, *, now: datetime) -> bool:
    """Apply what is missing; returns whether anything was. A new database gets its ledger id here.

    Raises ConfigurationError where the database does not answer, LedgerError where it is newer than this software.
    """
    if store.on_sqlite:
        Path(str(store.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    with _answering(store), store.writing() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        scripts = ScriptDirectory.from_config(_config())
        if before == scripts.get_current_head():
            return False
        if before is not None and before not in {script.revision for script in scripts.walk_revisions()}:
            raise LedgerError(
                "this database was made by a newer version of mlgroup-mail", mend="Upgrade mlgroup-mail here."
            )
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.execute(select(schema.ledger.c.id)).first() is None:
            connection.execute(insert(schema.ledger).values(id=1, ledger_id=str(uuid.uuid4()), created_at=now))
            connection.execute(insert(schema.counter).values(name="consent_number", value=0))
        return True


def require_current(store: Store) -> None:
    """Raise LedgerError where the schema is not this version's: `db upgrade` brings it there."""
    with _answering(store), store.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != ScriptDirectory.from_config(_config()).get_current_head():
        raise LedgerError("the database has another version's tables", mend="Run: mlgroup-mail db upgrade")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@contextmanager
def _answering(store: Store) -> Iterator[None]:
    """Say in our words that the database does not answer; its URL may hold a password and is not shown."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        raise ConfigurationError(
            f"the database does not answer as it should: {reason}",
            where="MLGROUP_DATABASE_URL" if not store.on_sqlite else str(store.engine.url.database),
            mend="Is the server running, the name right, the file a database of mlgroup-mail?",
        ) from None
