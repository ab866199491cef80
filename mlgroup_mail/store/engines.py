"""Connections to the two databases, made so that what is committed stays and nobody waits for the dead."""

from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mlgroup_mail.errors import ConfigurationError

BUSY_SECONDS = 30
"""How long a writer on SQLite waits for another before it gives up."""

IDLE_SECONDS = 30
"""How long a writer on PostgreSQL may say nothing: a laptop that fell asleep would keep its locks from everybody.

Those who wait for a lock are not idle, and wait as long as it takes.
"""

_PAGES, _CONSENT_PAGES = 10_000, 50_000
"""From how many pages on whoever commits brings SQLite's log into the database file, which takes some 80 ms (measured).

A reader who opts out is not to wait for that while a mailing goes, whose next claim does it.
"""

_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_REACHABLE = {"connect_timeout": 10, **_ALIVE}
"""Of libpq, in seconds: a server that is gone is noticed within a minute."""


def make_engine(url: str) -> Engine:
    """The engine for a URL; raises ConfigurationError where it is none, or its driver is not there."""
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ConfigurationError(
                f"{parsed.get_backend_name()} is not supported",
                where="MLGROUP_DATABASE_URL",
                mend="Use sqlite:///path/to/file.db or postgresql://user@host/name.",
            )
        # Parameters are addresses and names: an error must not show them.
        engine = create_engine(
            parsed, hide_parameters=True, connect_args=_connect_arguments(parsed), json_deserializer=orjson.loads
        )
    except (ArgumentError, NoSuchModuleError):
        raise ConfigurationError(
            "this is not a database URL",
            where="MLGROUP_DATABASE_URL",
            mend="Use sqlite:///path/to/file.db or postgresql://user@host/name.",
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the driver for this database is not installed ({error.name})",
            where="MLGROUP_DATABASE_URL",
            mend='Install it: pip install "mlgroup-mail[postgres]"',
        ) from None
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _connect_arguments(url: URL) -> dict[str, Any]:
    """What the driver is told besides the URL; what the URL says itself counts."""
    if url.get_backend_name() == "sqlite":
        return {}
    return {name: value for name, value in _REACHABLE.items() if name not in url.query}


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ARG001
    """Durable (a commit survives a power cut), patient, and without the driver's own idea of transactions."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # In KiB. A pull of a million people goes through its index once for each of them.
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Writers say so at once: a transaction that reads first and writes later fails when another wrote in between."""
    options = connection.get_execution_options()
    if options.get("mlgroup_write", False):
        pages = _CONSENT_PAGES if options.get("mlgroup_consent", False) else _PAGES
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={pages}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")


def _prepare_postgresql(connection: Any, record: Any) -> None:  # noqa: ARG001
    """An attempt that was committed is on disk before its first byte leaves, whatever the server's default is.

    A host that vanishes without a word is given up, with its locks, in the midst of its own statements too.
    """
    with connection.cursor() as cursor:
        for name, value in {
            "synchronous_commit": "on",
            "idle_in_transaction_session_timeout": f"'{IDLE_SECONDS}s'",
            "tcp_keepalives_idle": _ALIVE["keepalives_idle"],
            "tcp_keepalives_interval": _ALIVE["keepalives_interval"],
            "tcp_keepalives_count": _ALIVE["keepalives_count"],
        }.items():
            cursor.execute(f"SET {name} = {value}")
    connection.commit()
