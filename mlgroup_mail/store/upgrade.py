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
from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from mlgroup_mail.errors import LedgerError
from mlgroup_mail.store import schema
from mlgroup_mail.store.answering import no_answer
from mlgroup_mail.store.transactions import Store


def upgrade(store: Store, *, now: datetime) -> bool:
    """Apply what is missing; returns whether anything was. A new database gets its ledger id here.

    Raises ConfigurationError where the database does not answer, LedgerError where it is newer than this software.
    """
    if store.on_sqlite:
        Path(str(store.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    with _answering(store), store.writing() as connection:
        if _is_current(connection):
            return False
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
        if not _is_current(connection):
            raise LedgerError("the database has not this version's tables yet", mend="Run: mlgroup-mail db upgrade")


def make_if_new(store: Store, *, now: datetime) -> None:
    """Make an embedded database that is not there yet, or has nothing in it."""
    if store.on_sqlite and _is_empty(store):
        upgrade(store, now=now)


def _is_empty(store: Store) -> bool:
    """Two processes may begin at once: a file that the other has just made is as new as none."""
    if not Path(str(store.engine.url.database)).exists():
        return True
    with _answering(store), store.reading() as connection:
        return not inspect(connection).get_table_names()


def _is_current(connection: Connection) -> bool:
    """Whether the tables are this version's; raises LedgerError where they are of one that is not known here."""
    scripts = ScriptDirectory.from_config(_config())
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise LedgerError(
            "this database was made by a newer version of mlgroup-mail", mend="Upgrade mlgroup-mail here."
        )
    return found == scripts.get_current_head()


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
        raise no_answer(store, error) from None
