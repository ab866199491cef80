"""Files that are whole or not there: also on file systems that know no hard links, such as exFAT and some mounts."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlgroup_mail.delivery import ledger_file
from mlgroup_mail.delivery.durable_files import create_durably, sync_folder, write_durably
from mlgroup_mail.delivery.ledger_file import named_ledger, require_this_ledger
from mlgroup_mail.errors import LedgerError
from mlgroup_mail.store import Store
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.factories import make_store


@pytest.fixture(params=[errno.EPERM, errno.ENOTSUP, errno.EMLINK, 0], ids=["exFAT", "mount", "links used up", "links"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with and without hard links."""
    if request.param:

        def no_links(*_: object, **__: object) -> None:
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(os, "link", no_links)


@pytest.mark.usefixtures("file_system")
def test_of_many_who_create_a_file_at_once_one_does_and_its_content_stays(tmp_path: Path) -> None:
    def create(number: int) -> bool:
        try:
            create_durably(tmp_path / "file", b"%d" % number)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(40)))
    assert sum(made) == 1
    assert (tmp_path / "file").read_bytes() == b"%d" % made.index(True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("file_system")
def test_of_two_first_sends_at_once_from_two_ledgers_one_is_refused(store: Store, tmp_path: Path) -> None:
    other = make_store(tmp_path / "other")
    (root := tmp_path / "project").mkdir()

    def passed(which: Store) -> bool:
        try:
            require_this_ledger(root, which)
        except LedgerError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        goes = dict(zip((store, other) * 10, pool.map(passed, (store, other) * 10), strict=True))
    other.close()
    assert sorted(goes.values()) == [False, True]
    assert [path.name for path in root.iterdir()] == ["ledger.toml"]


@pytest.mark.usefixtures("file_system")
def test_a_first_send_goes(run: Run, letter: Path, use: Settings) -> None:
    use({"MLGROUP_NOW": "2021-11-02T10:00:00Z"})
    assert run("send", LETTER, "--live").code == 0
    assert named_ledger(letter)
    assert run("send", LETTER, "--live").code == 0


def test_whoever_meets_the_file_empty_waits_for_the_other_to_write_it(store: Store, tmp_path: Path) -> None:
    """Without hard links the name is there a moment before its content."""
    path = tmp_path / ledger_file.FILE
    path.touch()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(named_ledger, tmp_path)
        path.write_text('ledger = "the-other"\n', encoding="utf-8")
        assert reading.result() == "the-other"


@pytest.mark.parametrize("write", [create_durably, write_durably])
@pytest.mark.parametrize("linked", [True, False])
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: type, linked: bool
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_links(*_: object) -> None:
        # The draft was written while there was room; what stands in its place is not.
        monkeypatch.setattr(os, "fsync", full)
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(*((os, "fsync", full) if linked else (os, "link", no_links)))
    if write is write_durably and not linked:
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_cannot_sync_folders_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuses)
    sync_folder(tmp_path)


def test_a_folder_that_fails_to_sync_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
