"""Wherever addresses stand, nobody else on the machine can look."""

import os
from pathlib import Path

import pytest

from mlgroup_mail.private_files import make_private_file, make_private_folder, write_private
from tests.acceptance.projects import LETTER, small_project
from tests.cli.conftest import Run
from tests.cli.test_doctor import Doctor, check, doctor, project

__all__ = ["doctor", "project"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def usual_mask() -> object:
    """What most systems set: files that everybody may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_ledger_outbox_reports_and_previews_are_their_owner_s_alone(run: Run, tmp_path: Path) -> None:
    root = small_project(tmp_path / "group")
    for command in (
        ("contacts", "pull"),
        ("approve", LETTER, "--by", "the editor"),
        ("preview", LETTER),
        ("send", LETTER, "--live", "--late", "trial"),
        ("report", LETTER),
        ("report", LETTER, "--out", tmp_path / "report.html"),
    ):
        assert run("--project", root, *command).code == 0
    assert mode(root / "var") == 0o700
    assert mode(root / "var" / "mlgroup.db") == 0o600
    for path in (root / "var").iterdir():
        if path.is_dir():
            assert mode(path) == 0o700, path
    for path in [*(root / "var" / "reports").iterdir(), *(root / "var" / "preview").rglob("*.eml")]:
        assert mode(path) == 0o600, path
    assert mode(tmp_path / "report.html") == 0o600


def test_a_database_elsewhere_is_private_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, file = small_project(tmp_path / "group"), tmp_path / "elsewhere" / "of" / "group.db"
    monkeypatch.setenv("MLGROUP_DATABASE_URL", f"sqlite:///{file}")
    assert run("--project", root, "contacts", "pull").code == 0
    assert (mode(file), mode(file.parent), mode(file.parent.parent)) == (0o600, 0o700, 0o700)


def test_doctor_tells_of_what_everybody_can_read(run: Run, doctor: Doctor, project: Path) -> None:
    assert check(doctor("--json"), "state")["result"] == "pass"
    run("--project", project, "contacts", "pull")
    assert check(doctor("--json"), "state")["result"] == "pass"
    file = project / "var" / "mlgroup.db"
    file.chmod(0o644)
    assert check(doctor("--json"), "state")["result"] == "pass", "nobody gets into the folder"
    (project / "var").chmod(0o755)
    found = check(doctor("--json"), "state")
    assert (found["result"], found["mend"]) == ("warn", f"chmod o-rwx {project / 'var'} {file}")
    file.chmod(0o600)
    assert check(doctor("--json"), "state")["mend"] == f"chmod o-rwx {project / 'var'}"


def test_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """Whoever shares a project with a group has set it so."""
    (tmp_path / "shared").mkdir(mode=0o775)
    (tmp_path / "shared").chmod(0o775)
    file = tmp_path / "shared" / "file"
    file.write_text("x", encoding="utf-8")
    file.chmod(0o664)
    make_private_folder(tmp_path / "shared")
    make_private_file(file)
    assert (mode(tmp_path / "shared"), mode(file), file.read_text(encoding="utf-8")) == (0o775, 0o664, "x")


def test_a_file_that_was_left_half_written_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".a.html.part").write_text("half", encoding="utf-8")
    write_private(tmp_path / "a.html", b"whole")
    assert (tmp_path / "a.html").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
