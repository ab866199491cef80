"""Bringing a database to this version's schema, and telling whether it is there."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, column, insert, inspect, select, table
from sqlalchemy.exc import DatabaseError, OperationalError

from mlgroup_mail.errors import LedgerError
from mlgroup_mail.private_files import make_private_file, make_private_folder
from mlgroup_mail.store import schema
from mlgroup_mail.store.answering import no_answer
from mlgroup_mail.store.transactions import Store

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))
"""Alembic's own table. It is read here, because importing Alembic costs each command a tenth of a second."""


def upgrade(store: Store, *, now: datetime) -> bool:
    """Apply what is missing; returns whether anything was. A new database gets its ledger id here.

    Raises ConfigurationError where the database does not answer, LedgerError where it is newer than this software.
    """
    if file := store.file:
        make_private_folder(file.parent)
        # SQLite gives its log the same mode.
        make_private_file(file)
    with _answering(store), store.writing() as connection:
        if _is_current(connection):
            return False
        _migrate(connection)
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
    known = revisions()
    found = _revision_of(connection)
    if found is not None and found not in known:
        raise LedgerError(
            "this database was made by a newer version of mlgroup-mail", mend="Upgrade mlgroup-mail here."
        )
    return found == known[-1]


def revisions() -> list[str]:
    """The migrations of this version, in their order: each file's name begins with its revision, a number."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _answering(store: Store) -> Iterator[None]:
    """Say in our words that the database does not answer; its URL may hold a password and is not shown."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        raise no_answer(store, error) from None
