"""Where scenarios are played: one launcher and one set of templates for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.chaos.field import Fields, fields
from tests.chaos.processes import Launcher, launcher
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def victims() -> Iterator[Launcher]:
    """What starts the victims."""
    with launcher() as running:
        yield running


@pytest.fixture(scope="session")
def on_sqlite(victims: Launcher) -> Iterator[Fields]:
    """Projects whose ledger is a file."""
    with fields(victims, None) as made:
        yield made


@pytest.fixture(scope="session")
def on_postgresql(victims: Launcher, postgres_server: PostgresServer) -> Iterator[Fields]:
    """Projects whose ledger is on a server."""
    with fields(victims, postgres_server) as made:
        yield made
