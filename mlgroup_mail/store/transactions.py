"""The database, and the five ways of opening a transaction on it.

Claims and every write of a suppression, hold or lift are serialised: whoever reads the numbers later can tell which
came first. On PostgreSQL an advisory lock does it, shared for claims and exclusive for consent. On SQLite there is
one writer anyway; a file lock (the turnstile) lets a consent writer go before the next of many short claims, which
would otherwise keep it out for seconds (measured: 5.4 s without, 9 ms with it).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    RowMapping,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from mlgroup_mail.store import file_locks, schema
from mlgroup_mail.store.column_types import Moment
from mlgroup_mail.store.engines import IDLE_SECONDS, make_engine

_T = TypeVar("_T")

_CONSENT_LOCK = 0x6D6C_6772
"""The advisory lock's key: "mlgr" in ASCII, so that it can be told in pg_locks."""

_LOCK, _LOCK_SHARED = text("SELECT pg_advisory_xact_lock(:key)"), text("SELECT pg_advisory_xact_lock_shared(:key)")

_AT_ONCE = 10_000


class Store:
    """The database of one project. Cheap to make; connects at the first transaction."""

    def __init__(self, url: str, *, state: Path) -> None:
        """`url` is a SQLAlchemy URL (SQLite or PostgreSQL); `state` is the folder for lock files."""
        self.engine = make_engine(url)
        self.state = state
        # Beside the database: whoever opens the same file passes the same turnstile.
        self._turnstile = Path(f"{self.engine.url.database}.turnstile")

    @property
    def on_sqlite(self) -> bool:
        """Whether this is the embedded database of one machine."""
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The embedded database's file; None for a server."""
        name = self.engine.url.database
        return Path(name) if self.on_sqlite and name else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, sees one state throughout, and may take its time."""
        with self.engine.connect() as connection:
            if not self.on_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                self._let_idle(connection, "LOCAL")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes anything but consent: planning, states, owners. Lets consent writers go first."""
        with self._pass_turnstile(), self._begin() as connection:
            yield connection

    @contextmanager
    def claiming(self) -> Iterator[Connection]:
        """A transaction that reads suppressions and writes attempts: no consent is written while it is open."""
        with self._pass_turnstile(), self._begin() as connection:
            self._lock(connection, shared=True)
            yield connection

    @contextmanager
    def preparing(self) -> Iterator[Connection]:
        """A connection of one's own for long work before a decision: its temporary tables stay until it ends.

        Nobody waits for it; what it has read may be old when it comes to `deciding(on=...)`.
        """
        with self.engine.connect() as connection:
            connection.detach()
            with connection.begin():
                self._let_idle(connection, "SESSION")
            yield connection

    @contextmanager
    def deciding(self, *, on: Connection | None = None) -> Iterator[Connection]:
        """A transaction that writes consent: no claim is made while it is open. `on`: a connection of `preparing`."""
        with self._hold_turnstile(), self._begin(on, consent=True) as connection:
            if on is not None:
                self._let_idle(connection, "LOCAL", seconds=IDLE_SECONDS)
            self._lock(connection, shared=False)
            _advance(connection, _DECISIONS, 1)
            yield connection

    def empty_log(self) -> bool:
        """Bring SQLite's log into the database file and cut it to nothing; False where a reader is in the way."""
        if not self.on_sqlite:
            return True
        # A connection of the driver's: this cannot be done within a transaction.
        with closing(self.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
        return answer is not None and not answer[0]

    def let_go(self) -> None:
        """Keep no connection to a server while one only waits: others need it. The next transaction makes another."""
        if not self.on_sqlite:
            self.engine.dispose()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _begin(self, on: Connection | None = None, *, consent: bool = False) -> Iterator[Connection]:
        opened = nullcontext(on) if on is not None else self.engine.connect()
        with opened as connection, connection.execution_options(mlgroup_write=True, mlgroup_consent=consent).begin():
            yield connection

    def _let_idle(self, connection: Connection, scope: str, *, seconds: int = 0) -> None:
        """How long PostgreSQL lets this transaction (LOCAL) or connection (SESSION) say nothing; 0 for ever."""
        if not self.on_sqlite:
            connection.execute(text(f"SET {scope} idle_in_transaction_session_timeout = '{seconds}s'"))

    def _lock(self, connection: Connection, *, shared: bool) -> None:
        """Take the consent lock alone and first: under READ COMMITTED every later statement sees what came before."""
        if not self.on_sqlite:
            connection.execute(_LOCK_SHARED if shared else _LOCK, {"key": _CONSENT_LOCK})

    @contextmanager
    def _hold_turnstile(self) -> Iterator[None]:
        if not self.on_sqlite:
            yield
            return
        with self._turnstile.open("a") as file:
            file_locks.lock(file)
            yield

    @contextmanager
    def _pass_turnstile(self) -> Iterator[None]:
        """Wait for consent writers to be through, then go on without the lock."""
        with self._hold_turnstile():
            pass
        yield


def take_turn(connection: Connection, key: int) -> None:
    """Go on alone of all who take the turn of this key, until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def next_number(connection: Connection) -> int:
    """The next number of the sequence that claims and consent writers share. Call it inside their lock."""
    (number,) = next_numbers(connection, 1)
    return number


def next_numbers(connection: Connection, count: int) -> list[int]:
    """The next few of them, in order."""
    if connection.dialect.name == "postgresql":
        return list(connection.execute(_NEXT_NUMBERS, {"b_count": count}).scalars())
    last = _advance(connection, "consent_number", count)
    return list(range(last - count + 1, last + 1))


# Made once, as every statement of a claim: to make one costs more than to run it.
_NEXT_NUMBERS = select(schema.consent_number.next_value()).select_from(
    func.generate_series(1, bindparam("b_count", type_=Integer)).table_valued("value")
)

_DECISIONS = "decisions"


def decisions(connection: Connection) -> int:
    """How many transactions have written consent: unchanged between two readings, nothing was decided between them."""
    counter = schema.counter
    return int(connection.execute(select(counter.c.value).where(counter.c.name == _DECISIONS)).scalar_one())


def _advance(connection: Connection, name: str, by: int) -> int:
    return int(connection.execute(_ADVANCE, {"b_name": name, "b_by": by}).scalar_one())


_ADVANCE = (
    update(schema.counter)
    .where(schema.counter.c.name == bindparam("b_name"))
    .values(value=schema.counter.c.value + bindparam("b_by"))
    .returning(schema.counter.c.value)
)


def load(connection: Connection, table: Table, rows: Iterable[Sequence[Any]], *, columns: Sequence[str] = ()) -> None:
    """Insert very many rows, each a sequence of values in the order of `columns`, else of the table's; no defaults.

    Three times as fast as the usual insert, which looks at each value of each row (measured).
    """
    chosen = [table.c[name] for name in columns] or list(table.columns)
    names, marks = ", ".join(f'"{column.name}"' for column in chosen), ", ".join("?" * len(chosen))
    for chunk in chunked(_as_stored(connection, chosen, rows), _AT_ONCE):
        if connection.dialect.name == "postgresql":
            statement = f"COPY {table.name} ({names}) FROM STDIN"
            with closing(connection.connection.cursor()) as cursor, cursor.copy(statement) as copy:
                for row in chunk:
                    copy.write_row(row)
        else:
            # Names of our own.
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", chunk)  # noqa: S608


def _as_stored(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    """The same rows; what the driver does not know how to write is converted."""
    moments = [place for place, column in enumerate(columns) if isinstance(column.type, Moment)]
    processor = Moment().bind_processor(connection.dialect)
    if not moments or processor is None:
        return rows
    # Rows that are written together mostly have the same moments.
    convert = lru_cache(maxsize=2)(processor)

    def stored(row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for place in moments:
            values[place] = convert(values[place])
        return tuple(values)

    return map(stored, rows)


def insert_new(
    connection: Connection, table: Table, rows: Iterable[Sequence[Any]], *, columns: Sequence[str] = ()
) -> int:
    """The same for a few hundred rows; those whose key is there already are passed over. Returns how many are new."""
    chosen = [table.c[name] for name in columns] or list(table.columns)
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    names, marks = ", ".join(f'"{column.name}"' for column in chosen), ", ".join([mark] * len(chosen))
    # Names of our own.
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
    values = [tuple(row) for row in _as_stored(connection, chosen, rows)]
    return int(connection.exec_driver_sql(statement, values).rowcount) if values else 0


def insert_returning_id(connection: Connection, table: Any, values: dict[str, Any]) -> int:
    """Insert one row and return its key."""
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def count(connection: Connection, table: Any, *conditions: Any) -> int:
    """How many rows of `table` meet all conditions."""
    return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


def chunked(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values in lists of at most `size`: what need not be in memory all at once."""
    source = iter(values)
    while chunk := list(islice(source, size)):
        yield chunk


def rows(connection: Connection, statement: Any, values: Any = None) -> list[RowMapping]:
    """All rows of a query, by column name."""
    return list(connection.execute(statement, values or {}).mappings().all())
