"""A restored, older copy of the ledger has the right id: what this project has seen of it tells."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery import ledger_witness
from mlgroup_mail.delivery.ledger_witness import (
    FOLDER,
    begin_anew,
    note_age,
    older_than_seen,
    require_no_older_copy,
    witnessing,
)
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.errors import LedgerError, TransportError
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.ledger_age import ledger_age
from mlgroup_mail.store.owners import Owner, begin_owner, give_up_dead
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, make_store

AT_TEN = {"MLGROUP_NOW": "2021-11-02T10:00:00Z"}


def backup(letter: Path) -> Path:
    """A copy of the database as its own tool makes it."""
    with sqlite3.connect(letter / "var" / "mlgroup.db") as source, sqlite3.connect(letter / "backup.db") as target:
        source.backup(target)
    source.close()
    target.close()
    return letter / "backup.db"


def wait_until(reached: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def restore(letter: Path, copy: Path) -> None:
    for name in ("mlgroup.db-wal", "mlgroup.db-shm"):
        (letter / "var" / name).unlink(missing_ok=True)
    shutil.copy(copy, letter / "var" / "mlgroup.db")


def test_a_restored_database_sends_nothing_until_a_person_takes_it_on(run: Run, letter: Path, use: Settings) -> None:
    use(AT_TEN)
    assert run("plan", LETTER).code == 0
    copy = backup(letter)
    assert run("dispatch", "--live").code == 0
    outbox = sorted((letter / "var" / "outbox").rglob("*.eml"))
    restore(letter, copy)
    shutil.rmtree(letter / "var" / "outbox")
    for order in (("send", LETTER, "--live"), ("dispatch", "--live")):
        refused = run(*order)
        assert (refused.code, refused.out) == (2, "")
        assert "older copy of the ledger: it lacks the last attempts" in refused.text
        assert "db adopt --reason" in refused.text
    assert not (letter / "var" / "outbox").exists()
    checks = {check["name"]: check["result"] for check in run("doctor", "--json").json["checks"]}
    assert checks["older copy"] == "fail"
    assert run("status", LETTER).code == 0, "looking is always possible"
    assert run("db", "adopt", "--reason", "the newer file is lost, nothing had gone").code == 0
    assert run("dispatch", "--live").code == 0
    assert len(sorted((letter / "var" / "outbox").rglob("*.eml"))) == len(outbox)


def test_an_opt_out_that_a_restored_copy_lacks_is_noticed_after_the_next_live_command(
    run: Run, letter: Path, use: Settings
) -> None:
    use(AT_TEN)
    assert run("plan", LETTER).code == 0
    copy = backup(letter)
    assert run("opt-out", "add", person(3)).code == 0
    use({"MLGROUP_NOW": "2021-11-02T08:00:00Z"})
    assert run("dispatch", "--live").code == 0, "nothing is due yet"
    restore(letter, copy)
    use(AT_TEN)
    refused = run("dispatch", "--live")
    assert (refused.code, "it lacks the last opt-outs" in refused.text) == (2, True)


def test_the_same_ledger_further_on_is_no_older_copy(store: Store, tmp_path: Path) -> None:
    note_age(tmp_path, store)
    dispatch_all(store, RecordingTransport())
    require_no_older_copy(tmp_path, store)


def test_what_was_seen_of_another_ledger_says_nothing_about_this_one(store: Store, tmp_path: Path) -> None:
    dispatch_all(store, RecordingTransport())
    note_age(tmp_path, store)
    other = make_store(tmp_path / "other")
    assert older_than_seen(tmp_path, other) == ""
    other.close()


def marks(root: Path) -> list[str]:
    """What each mark says."""
    return [path.read_text(encoding="utf-8") for path in sorted((root / FOLDER).iterdir())]


@contextmanager
def owner_of(store: Store) -> Iterator[Owner]:
    with ownership(store, FixedClock(NOON)) as owner:
        yield owner


@pytest.mark.parametrize("content", ["", "ledger = ", 'ledger = "x"\nattempts = "many"\n', "\x00"])
def test_a_mark_that_cannot_be_read_is_no_witness_and_the_next_live_command_takes_it_away(
    store: Store, tmp_path: Path, content: str
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "broken.toml").write_text(content, encoding="utf-8")
    require_no_older_copy(tmp_path, store)
    note_age(tmp_path, store)
    (only,) = marks(tmp_path)
    assert "attempts = 0" in only


def test_where_it_cannot_be_written_a_warning_says_what_that_means(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("a file stands in the way", encoding="utf-8")
    with owner_of(store) as owner, witnessing(tmp_path, store, owner):
        dispatch_all(store, transport := RecordingTransport())
    assert len(transport.begun) == 6
    assert [record.message for record in caplog.records if FOLDER in record.message] == [
        ".ledger-seen could not be written, so a restored backup may go unnoticed: Not a directory"
    ]


def test_where_no_mark_can_be_written_a_live_command_and_doctor_say_so(
    run: Run, letter: Path, use: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    use(AT_TEN)
    (letter / FOLDER).write_text("a file stands in the way", encoding="utf-8")
    assert run("send", LETTER, "--live").code == 0
    assert "a restored backup may go unnoticed" in caplog.text
    (check,) = [each for each in run("doctor", "--json").json["checks"] if each["name"] == "older copy"]
    assert (check["result"], "a restored backup would go unnoticed" in check["detail"]) == ("warn", True)


def test_it_is_not_for_git(run: Run, tmp_path: Path) -> None:
    assert run("init", "group").code == 0
    assert f"/{FOLDER}/" in (tmp_path / "group" / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_mark_is_there_before_anything_goes_and_names_the_owner(store: Store, tmp_path: Path) -> None:
    with owner_of(store) as owner, witnessing(tmp_path, store, owner):
        (mark,) = marks(tmp_path)
    assert f'lock = "{owner.lock_name}"' in mark
    assert "attempts = 0" in mark


def test_a_mark_is_renewed_while_mail_goes(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_witness, "NOTE_SECONDS", 0.01)
    with owner_of(store) as owner, witnessing(tmp_path, store, owner):
        dispatch_all(store, RecordingTransport())
        wait_until(lambda: "attempts = 6" in marks(tmp_path)[0])


def test_a_ledger_that_does_not_know_the_owner_of_a_mark_is_an_older_copy(store: Store, tmp_path: Path) -> None:
    """Even where it has caught up in numbers since, as a database that several hosts share may."""
    with owner_of(store) as owner, witnessing(tmp_path, store, owner):
        pass
    (path,) = (tmp_path / FOLDER).iterdir()
    mark = path.read_text(encoding="utf-8")
    for unknown in (mark.replace("owner = 1", "owner = 9"), mark.replace("owner-", "owner-of-another-")):
        path.write_text(unknown, encoding="utf-8")
        with pytest.raises(LedgerError, match="lacks the last live commands that were made here"):
            require_no_older_copy(tmp_path, store)


def test_a_send_that_died_is_no_false_alarm(store: Store, tmp_path: Path) -> None:
    """Whether its owner is still taken for alive, or was given up: the ledger knows it."""
    dying = begin_owner(store, now=NOON)
    with witnessing(tmp_path, store, dying):
        dispatch_all(store, RecordingTransport())
    require_no_older_copy(tmp_path, store)
    dying.lock_file.close()
    give_up_dead(store, now=NOON)
    require_no_older_copy(tmp_path, store)


def test_of_two_sends_at_once_neither_loses_the_others_mark(store: Store, tmp_path: Path) -> None:
    with owner_of(store) as first, witnessing(tmp_path, store, first):
        with owner_of(store) as second, witnessing(tmp_path, store, second):
            dispatch_all(store, RecordingTransport())
        note_age(tmp_path, store)
        said = "".join(marks(tmp_path))
        assert first.lock_name in said, "it is still sending"
        assert second.lock_name in said
        assert "attempts = 6" in said


def test_commands_that_note_the_same_at_once_leave_one_witness_at_least(store: Store, tmp_path: Path) -> None:
    dispatch_all(store, RecordingTransport())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: note_age(tmp_path, store), range(40)))
    assert "attempts = 6" in "".join(marks(tmp_path))


def test_marks_do_not_pile_up(store: Store, tmp_path: Path) -> None:
    for _ in range(5):
        with owner_of(store) as owner, witnessing(tmp_path, store, owner):
            pass
        note_age(tmp_path, store)
        note_age(tmp_path, store)
    assert len(marks(tmp_path)) <= 3


def test_an_error_of_the_sending_is_not_hidden_by_a_database_that_has_gone(store: Store, tmp_path: Path) -> None:
    gone = make_store(tmp_path / "gone")

    def send(owner: Owner) -> None:
        with witnessing(tmp_path, gone, owner):
            gone.close()
            for file in (tmp_path / "gone").rglob("*.db*"):
                file.unlink()
            raise TransportError("the server went away")

    with owner_of(store) as owner, pytest.raises(TransportError, match="the server went away"):
        send(owner)


def test_what_was_not_committed_is_not_witnessed(store: Store, tmp_path: Path) -> None:
    with store.reading() as connection:
        orders = ledger_age(connection).orders
    with closing(store.engine.connect()) as connection:
        connection.execute(insert(schema.journal).values(act="x", reason="", actor="", number=99, at=NOON))
        note_age(tmp_path, store)
        connection.rollback()
    (only,) = marks(tmp_path)
    assert f"orders = {orders}\n" in only
    require_no_older_copy(tmp_path, store)


def test_who_takes_a_ledger_on_starts_with_clean_marks(store: Store, tmp_path: Path) -> None:
    dispatch_all(store, RecordingTransport())
    with owner_of(store) as owner, witnessing(tmp_path, store, owner):
        pass
    other = make_store(tmp_path / "other")
    begin_anew(tmp_path, other)
    (only,) = marks(tmp_path)
    assert "attempts = 0" in only
    other.close()
