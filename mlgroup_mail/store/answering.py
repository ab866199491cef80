"""A database that does not answer, or not any more: told in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.store.transactions import Store

_GONE_CLASSES = {"08", "53", "57"}
"""Of PostgreSQL's error codes: no connection, nothing left of something, ended by an operator."""

_GONE_NAMES = tuple(
    f"SQLITE_{name}" for name in ("BUSY", "CANTOPEN", "CORRUPT", "FULL", "IOERR", "NOTADB", "PERM", "READONLY")
)


def no_answer(store: Store, error: DBAPIError) -> ConfigurationError:
    """The error for people; the database's URL may hold a password and is not shown."""
    reason = next(iter(str(error.orig).strip().splitlines()), "") if error.orig else type(error).__name__
    return ConfigurationError(
        f"the database does not answer as it should: {reason}",
        where=str(store.file) if store.on_sqlite else "MLGROUP_DATABASE_URL",
        mend="Is the server running, the name right, the file a database of mlgroup-mail, room on its disk?",
    )


@contextmanager
def telling_no_answer(store: Store) -> Iterator[None]:
    """Raise ConfigurationError where the database is lost meanwhile; faults of our own stay what they are."""
    try:
        yield
    except DBAPIError as error:
        if _is_gone(error):
            raise no_answer(store, error) from None
        raise


def _is_gone(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if name := getattr(error.orig, "sqlite_errorname", ""):
        return str(name).startswith(_GONE_NAMES)
    # Whoever never got a connection has no code from it.
    code = getattr(error.orig, "sqlstate", "")
    return hasattr(error.orig, "sqlstate") and (code is None or code[:2] in _GONE_CLASSES)
