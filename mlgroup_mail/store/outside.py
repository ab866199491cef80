"""Somebody else's database, asked for contacts: it is only read, and nothing of ours is in it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, CursorResult, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from mlgroup_mail import addresses
from mlgroup_mail.errors import ContactSourceError

_AT_ONCE = 5_000
"""Rows that are fetched in one go."""
_SAID = 200
"""Characters of what a database says about its refusal."""
_PATIENCE = 10
"""Seconds to wait for a connection, where the driver can be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The columns of a query's answer, and its rows as they come."""

    columns: tuple[str, ...]
    _result: CursorResult[Any]
    _where: str
    _url: URL

    def rows(self) -> Iterator[Sequence[Any]]:
        """Each row's values; raises ContactSourceError where the database fails in between."""
        try:
            yield from self._result
        except SQLAlchemyError as error:
            raise _refused("the query cannot be answered", error, self._url, where=self._where) from None


@contextmanager
def asked(url: str, query: str, *, folder: Path, where: str) -> Iterator[Answer]:
    """Run a query on any database that SQLAlchemy reaches, in a transaction that is never committed.

    SQLite and PostgreSQL are opened for reading only. A relative path of SQLite is found from `folder`. Raises
    ContactSourceError, which shows neither the URL nor values of rows.
    """
    parsed, engine = _engine(url, folder, where=where)
    try:
        with _connected(engine, parsed, where=where) as connection:
            try:
                # As it is written: SQLAlchemy's own texts would take ":name" for a parameter, drivers "%" for one.
                result = connection.exec_driver_sql(
                    query, execution_options={"no_parameters": True, "yield_per": _AT_ONCE}
                )
            except SQLAlchemyError as error:
                raise _refused("the query is refused", error, parsed, where=where) from None
            if not result.returns_rows:
                raise ContactSourceError("the query asks for no rows", where=where, mend="Write: select ... from ...")
            yield Answer(columns=tuple(result.keys()), _result=result, _where=where, _url=parsed)
    finally:
        engine.dispose()


@contextmanager
def _connected(engine: Engine, url: URL, *, where: str) -> Iterator[Connection]:
    options = {"postgresql_readonly": True} if engine.name == "postgresql" else {}
    try:
        connection = engine.connect().execution_options(**options)
    except SQLAlchemyError as error:
        raise _refused("the database does not let us in", error, url, where=where) from None
    with connection:
        yield connection


def _engine(url: str, folder: Path, *, where: str) -> tuple[URL, Engine]:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername.partition("+")[0] == "sqlite" and parsed.database:
            path = folder / Path(parsed.database).expanduser()
            if not path.is_file():
                raise ContactSourceError("the database file is missing", where=where, mend="Check “url”.")
            return parsed, create_engine("sqlite://", creator=lambda: _read_only(path), poolclass=NullPool)
        known = {"connect_timeout": _PATIENCE} if parsed.get_backend_name() == "postgresql" else {}
        return parsed, create_engine(parsed, connect_args=known, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError):
        raise ContactSourceError(
            "this is not a database URL",
            where=where,
            mend="Use sqlite:///path/to/file.db, postgresql://user@host/name, or what else SQLAlchemy knows.",
        ) from None
    except ModuleNotFoundError as error:
        raise ContactSourceError(
            f"the driver for this database is not installed ({error.name})",
            where=where,
            mend=f"Install it: pip install {error.name}",
        ) from None


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def _refused(message: str, error: SQLAlchemyError, url: URL, *, where: str) -> ContactSourceError:
    """What the database says, without the password and without addresses: a database may quote both."""
    said = next(iter(str(error.orig if isinstance(error, DBAPIError) else type(error).__name__).splitlines()), "")
    if url.password:
        said = said.replace(str(url.password), "…")
    said = addresses.mask_text(said)[:_SAID]
    return ContactSourceError(f"{message}: {said}", where=where, mend="Check “url” and “query” of this source.")
