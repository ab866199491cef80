"""The servers as pytest fixtures; a missing one is a skip that the end of the run tells how to mend.

With MLGROUP_REQUIRE_SERVERS=1, as in CI, a missing server is a failure instead.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.certificates import make_certificate
from tests.servers.chromium import Chromium, run_chromium
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.entra import Entra, run_entra
from tests.servers.faulty_smtp import FaultySmtp, run_faulty_smtp
from tests.servers.postgres import PostgresServer, run_postgres
from tests.servers.programs import ServerMissing
from tests.servers.smtp_sink import SmtpSink, run_smtp_sink

Server = TypeVar("Server")

REQUIRE = "MLGROUP_REQUIRE_SERVERS"
_REASON = re.compile(r"(?P<server>[\w-]+) is not installed: `make servers` installs it")


@contextlib.contextmanager
def started(server: AbstractContextManager[Server]) -> Iterator[Server]:
    """The running server; where its program is missing the test is skipped, or fails if it is required."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(server)
        except ServerMissing as missing:
            reason = f"{missing.server} is not installed: `make servers` installs it"
            if os.environ.get(REQUIRE, "") not in ("", "0"):
                pytest.fail(f"{reason} ({REQUIRE} is set)", pytrace=False)
            pytest.skip(reason)
        yield running


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server that accepts everything and remembers it: Postfix's smtp-sink."""
    with started(run_smtp_sink()) as server:
        yield server


@pytest.fixture
def start_smtp_sink() -> Iterator[Callable[..., SmtpSink]]:
    """The same with options of smtp-sink's own, or several of them: `start_smtp_sink("-w", "1")`."""
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(started(run_smtp_sink(*options)))


@pytest.fixture
def faulty_smtp() -> Iterator[FaultySmtp]:
    """A mail server that fails where the test tells it to: `faulty_smtp.on(Phase.RCPT, "450 later")`."""
    with run_faulty_smtp() as server:
        yield server


@pytest.fixture
def start_faulty_smtp() -> Iterator[Callable[..., FaultySmtp]]:
    """The same with TLS or a login: `start_faulty_smtp(tls="starttls", certificate=certificate)`."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(run_faulty_smtp(**options))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate for localhost and 127.0.0.1 in one file, which is its own CA file."""
    return make_certificate(tmp_path)


@pytest.fixture
def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entra]:
    """A login service that gives tokens for Exchange Online, and is trusted while the test lasts."""
    folder = tmp_path / "entra"
    folder.mkdir()
    certificate = make_certificate(folder)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with run_entra(certificate) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL cluster for the whole run."""
    with started(run_postgres()) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """SQLAlchemy's URL of a database that is new and empty for each test."""
    with postgres_server.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[Dovecot]:
    """An IMAP server for the whole run."""
    with started(run_dovecot()) as server:
        yield server


@pytest.fixture
def dovecot(dovecot_server: Dovecot) -> Dovecot:
    """An IMAP server whose one mailbox is empty for each test."""
    dovecot_server.empty()
    return dovecot_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A browser for the whole run."""
    with started(run_chromium()) as browser:
        yield browser


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each missing server, what it kept from running, and how to get it."""
    missing = Counter(
        found["server"]
        for report in terminalreporter.stats.get("skipped", [])
        if (found := _REASON.search(str(report.longrepr)))
    )
    if not missing:
        return
    terminalreporter.section("servers that are not installed", yellow=True)
    for server, tests in sorted(missing.items()):
        terminalreporter.line(f"{server}: {tests} test{'s' if tests > 1 else ''} skipped")
    terminalreporter.line("`make servers` installs them from the Debian packages; nothing of them is started.")
