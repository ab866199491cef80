"""A send dies, and the database is brought back from a backup: what had gone does not go again."""

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, command, gated_smtp, person, through
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.postgres import PostgresServer
from tests.servers.smtp_sink import SmtpSink, run_smtp_sink

SEND = ("send", LETTER, "--live", "--late", "trial", "--json")
DISPATCH = ("dispatch", "--live")


@pytest.fixture
def slow_sink() -> Iterator[SmtpSink]:
    """A mail server that takes its time with each message."""
    with run_smtp_sink("-w", "1") as sink:
        yield sink


def backup(letter: Path) -> Path:
    """A copy of the database as its own tool makes it, also while another process writes."""
    copy = letter / "backup.db"
    with closing(sqlite3.connect(letter / "var" / "mlgroup.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def restore(letter: Path, copy: Path) -> None:
    for file in (letter / "var").glob("mlgroup.db*"):
        file.unlink()
    shutil.copy(copy, letter / "var" / "mlgroup.db")


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def seen_attempts(letter: Path) -> int:
    """How many attempts the marks beside the ledger have noted."""
    texts = [path.read_text(encoding="utf-8") for path in (letter / ".ledger-seen").glob("*.toml")]
    return max((int(found[1]) for text in texts if (found := re.search(r"attempts = (\d+)", text))), default=0)


def known_attempts(copy: Path) -> int:
    with closing(sqlite3.connect(copy)) as ledger:
        return int(ledger.execute("SELECT coalesce(max(id), 0) FROM attempt").fetchone()[0])


def refused_as_older(run: Run) -> None:
    for order in (SEND, DISPATCH):
        refused = run(*order)
        assert (refused.code, refused.out) == (2, "")
        assert "older copy of the ledger" in refused.text
        assert "db adopt --reason" in refused.text


@pytest.mark.parametrize("planned", [True, False], ids=["after the plan", "before the plan"])
def test_a_backup_from_before_a_send_that_was_killed_sends_nothing(
    letter: Path, run: Run, use: Settings, slow_sink: SmtpSink, planned: bool
) -> None:
    settings = through(slow_sink, connections=1)
    use(settings)
    if planned:
        assert run("plan", LETTER).code == 0
    copy = backup(letter)
    with command(letter, *SEND, settings=settings) as dying:
        wait_until(lambda: len(slow_sink.messages()) >= 2)
        dying.kill()
    before = slow_sink.recipients()
    restore(letter, copy)
    refused_as_older(run)
    assert slow_sink.recipients() == before
    assert set(before.values()) == {1}
    checks = {check["name"]: check["result"] for check in run("doctor", "--json").json["checks"]}
    assert checks["older copy"] == "fail"
    assert run("verify").code == 1
    assert run("db", "adopt", "--reason", "it is lost for good; cancelled what had gone").code == 0
    checks = {check["name"]: check["result"] for check in run("doctor", "--json").json["checks"]}
    assert checks["older copy"] == "pass", "a person has decided"


def test_a_backup_from_the_midst_of_a_send_that_was_killed_later_sends_nothing(
    letter: Path, run: Run, use: Settings
) -> None:
    with run_smtp_sink("-w", "2") as sink:
        settings = through(sink, connections=1)
        use(settings)
        with command(letter, *SEND, settings=settings) as dying:
            wait_until(lambda: len(sink.messages()) >= 1)
            copy = backup(letter)
            wait_until(lambda: seen_attempts(letter) > known_attempts(copy))
            dying.kill()
        before = sink.recipients()
        assert len(before) < 6, "it died in the midst"
        restore(letter, copy)
        refused_as_older(run)
        assert sink.recipients() == before


def test_the_mark_is_on_disk_before_the_first_message_leaves(letter: Path, run: Run, use: Settings) -> None:
    with gated_smtp(Phase.MAIL, "") as server:
        settings = through(server, connections=1)
        use(settings)
        assert run("plan", LETTER).code == 0
        copy = backup(letter)
        with command(letter, *SEND, settings=settings) as dying:
            server.wait_until_reached()
            dying.kill()
        assert server.taken == []
        restore(letter, copy)
        refused_as_older(run)


def test_a_send_that_was_killed_goes_on_where_its_ledger_is_still_there(
    letter: Path, run: Run, use: Settings, slow_sink: SmtpSink
) -> None:
    settings = through(slow_sink, connections=1)
    use(settings)
    with command(letter, *SEND, settings=settings) as dying:
        wait_until(lambda: len(slow_sink.messages()) >= 1)
        dying.kill()
    again = run(*SEND)
    assert again.code == 1, "what was in flight is in doubt"
    assert again.json["counts"]["accepted"] >= 1
    assert set(slow_sink.recipients().values()) == {1}


def test_of_two_sends_at_once_a_killed_one_leaves_its_mark(
    letter: Path, run: Run, use: Settings, slow_sink: SmtpSink
) -> None:
    settings = through(slow_sink, connections=1)
    use(settings)
    assert run("plan", LETTER).code == 0
    copy = backup(letter)
    with command(letter, *SEND, settings=settings) as dying, command(letter, *SEND, settings=settings) as other:
        wait_until(lambda: len(list((letter / ".ledger-seen").glob("*.toml"))) >= 2)
        dying.kill()
        other.end()
    restore(letter, copy)
    refused_as_older(run)
    assert max(slow_sink.recipients().values()) == 1


def test_what_people_order_between_mailings_makes_no_ledger_look_older(letter: Path, run: Run, use: Settings) -> None:
    """Opt-outs, lifts and erasing change rows; nothing that is counted ever goes."""
    use({"MLGROUP_NOW": "2021-11-02T10:00:00Z", "MLGROUP_ERASURE_KEY": "e" * 64})
    orders = (
        ("opt-out", "add", person(1)),
        ("opt-out", "lift", person(1), "--reason", "asked to"),
        ("opt-out", "add", person(2)),
        ("person", "erase", person(2), "--reason", "asked to"),
        ("person", "erase", person(3), "--reason", "asked to"),
    )
    assert run(*DISPATCH).code == 0
    for order in orders:
        assert run(*order).code == 0, order
        assert run(*DISPATCH).code == 0, order


def test_two_hosts_that_share_a_database_each_have_their_own_marks(
    letter: Path, run: Run, use: Settings, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    use({"MLGROUP_NOW": "2021-11-02T10:00:00Z"})
    with postgres_server.fresh_database() as url:
        use({"MLGROUP_DATABASE_URL": url})
        for order in (("db", "upgrade"), ("contacts", "pull"), ("approve", LETTER, "--by", "the editor")):
            assert run(*order).code == 0
        assert run(*DISPATCH).code == 0
        elsewhere = tmp_path_factory.mktemp("elsewhere") / "project"
        shutil.copytree(letter, elsewhere, ignore=shutil.ignore_patterns(".ledger-seen", "var"))
        for root in (elsewhere, letter, elsewhere):
            assert run("--project", root, *DISPATCH).code == 0
            assert list((root / ".ledger-seen").glob("*.toml"))
