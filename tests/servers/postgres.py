"""A PostgreSQL cluster of the test run's own, with PostgreSQL's durable defaults (fsync stays on)."""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from tests.servers.processes import HOST, running, server_account, temporary_folder
from tests.servers.programs import find_program

NAME = "PostgreSQL"
OWNER = "mlgroup"


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresServer:
    """A running cluster that trusts everybody on this machine's loopback."""

    host: str
    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """The database's address as SQLAlchemy writes it."""
        return f"postgresql+psycopg://{OWNER}@{self.host}:{self.port}/{database}"

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The SQLAlchemy URL of a new, empty database, which goes when the context ends."""
        name = f"test_{next(self._numbers)}"
        self._execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            # Pools that a test left open must not keep the database.
            self._execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host=self.host, port=self.port, user=OWNER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """A running cluster in a temporary folder."""
    initdb = find_program(NAME, "initdb")
    postgres = find_program(NAME, "postgres")
    account = server_account()
    with temporary_folder("postgres", account) as folder:
        data = folder / "data"
        made = subprocess.run(
            [
                str(initdb),
                f"--pgdata={data}",
                f"--username={OWNER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-instructions",
                # Only the making of the empty cluster is not synced: nothing is lost with it.
                "--no-sync",
            ],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            **account.popen_arguments(),
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
        settings = {
            "listen_addresses": HOST,
            # Only the loopback port: the folder's path may be too long for a socket.
            "unix_socket_directories": "",
            "max_connections": "60",
            "shared_buffers": "32MB",
            "log_min_messages": "warning",
        }
        arguments = [
            str(postgres),
            "-D",
            str(data),
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        with running(
            lambda port: [*arguments, f"--port={port}"],
            folder=folder,
            account=account,
            # "Fast shutdown": open sessions are ended, the data folder stays whole.
            stop_signal=signal.SIGINT,
        ) as port:
            server = PostgresServer(host=HOST, port=port)
            _wait_until_ready(server)
            yield server


def _wait_until_ready(server: PostgresServer) -> None:
    """The port is open a moment before the cluster takes sessions ("the database system is starting up")."""
    for attempt in itertools.count():
        try:
            server._execute(sql.Composed([sql.SQL("select 1")]))
            return
        except psycopg.OperationalError:
            if attempt >= 100:
                raise
            time.sleep(0.05)
