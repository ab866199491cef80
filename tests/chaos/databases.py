"""The database in trouble: locked, full, gone. Each returns how many processes it has disturbed."""

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.deaths import at_the_gate
from tests.chaos.field import Field, LedgerKind
from tests.chaos.points import Act, Orders
from tests.chaos.scenarios import Scenario
from tests.servers.processes import server_account
from tests.servers.programs import find_program

IMPATIENT = {"BUSY_SECONDS": 1.0}
_LOCKED_SECONDS = 3.0
"""Longer than anybody waits for a database, who is made impatient."""


def locked(field: Field, scenario: Scenario) -> int:
    victim = at_the_gate(field, scenario, IMPATIENT)
    with _database_kept(field):
        victim.open_gate()
        with contextlib.suppress(AssertionError):
            victim.wait(_LOCKED_SECONDS)
    victim.wait()
    return 1


@contextmanager
def _database_kept(field: Field) -> Iterator[None]:
    """Another writer that does not let go. Where the victim holds the database itself, it gets it right after."""
    if field.kind is LedgerKind.SQLITE:
        connection = sqlite3.connect(field.ledger_file, isolation_level=None, timeout=0.2)
        try:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            connection.close()
    else:
        import psycopg

        with psycopg.connect(_plain(field)) as other:
            other.execute("SET lock_timeout = '200ms'")
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                other.execute("LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()


def full(field: Field, scenario: Scenario) -> int:
    if field.kind is LedgerKind.POSTGRESQL:
        return _cluster_full(field, scenario)
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), act=Act.FULL, grows=f"{field.ledger_file}-wal")
    victim = field.send(orders)
    victim.wait()
    return int(victim.reached)


def _cluster_full(field: Field, scenario: Scenario) -> int:
    """The session's process can write no file: its log cannot be written, so the cluster restarts and recovers."""
    import psycopg

    victim = at_the_gate(field, scenario)
    with psycopg.connect(_plain(field), autocommit=True) as connection:
        for pid in _sessions(connection):
            _let_write_nothing(pid)
    victim.open_gate()
    victim.wait()
    _until_it_answers(field)
    return 1


def _let_write_nothing(pid: int) -> None:
    """As the server's own account: another's processes are not ours to limit, whoever we are."""
    program = find_program("prlimit", "prlimit")
    subprocess.run([str(program), f"--pid={pid}", "--fsize=0:"], check=True, **server_account().popen_arguments())


def gone(field: Field, scenario: Scenario) -> int:
    import psycopg

    victim = at_the_gate(field, scenario)
    with psycopg.connect(_plain(field), autocommit=True) as connection:
        for pid in _sessions(connection):
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    victim.open_gate()
    victim.wait()
    return 1


def _sessions(connection: object) -> list[int]:
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return [row[0] for row in connection.execute(query).fetchall()]  # type: ignore[attr-defined]


def _until_it_answers(field: Field) -> None:
    import psycopg

    for attempt in range(200):
        try:
            with psycopg.connect(_plain(field), connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            if attempt == 199:
                raise
            time.sleep(0.1)
        else:
            return


def _plain(field: Field) -> str:
    return field.url.replace("+psycopg", "")
