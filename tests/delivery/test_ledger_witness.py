"""A restored, older copy of the ledger has the right id: what this project has seen of it tells."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from mlgroup_mail.delivery.ledger_witness import FILE, note_age, older_than_seen, require_no_older_copy
from mlgroup_mail.errors import LedgerError
from mlgroup_mail.store import Store
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import make_store

AT_TEN = {"MLGROUP_NOW": "2021-11-02T10:00:00Z"}


def backup(letter: Path) -> Path:
    """A copy of the database as its own tool makes it."""
    with sqlite3.connect(letter / "var" / "mlgroup.db") as source, sqlite3.connect(letter / "backup.db") as target:
        source.backup(target)
    source.close()
    target.close()
    return letter / "backup.db"


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


@pytest.mark.parametrize("content", ["", "ledger = ", 'ledger = "x"\nattempts = "many"\n', "\x00"])
def test_a_file_that_cannot_be_read_is_no_witness_and_is_written_anew(
    store: Store, tmp_path: Path, content: str
) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    require_no_older_copy(tmp_path, store)
    note_age(tmp_path, store)
    assert "attempts = 0" in (tmp_path / FILE).read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [FILE]


def test_where_it_cannot_be_written_mail_goes_all_the_same(store: Store, tmp_path: Path) -> None:
    note_age(tmp_path / "nowhere", store)
    assert not (tmp_path / "nowhere").exists()


def test_it_is_not_for_git(run: Run, tmp_path: Path) -> None:
    assert run("init", "group").code == 0
    assert f"/{FILE}*" in (tmp_path / "group" / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_file_it_names_is_the_one_it_compares_with(store: Store, tmp_path: Path) -> None:
    dispatch_all(store, RecordingTransport())
    note_age(tmp_path, store)
    seen = (tmp_path / FILE).read_text(encoding="utf-8")
    (tmp_path / FILE).write_text(seen.replace("attempts = 6", "attempts = 7"), encoding="utf-8")
    with pytest.raises(LedgerError, match="lacks the last attempts that were made here"):
        require_no_older_copy(tmp_path, store)
