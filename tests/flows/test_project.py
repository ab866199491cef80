"""Which project a worker's flows work in: the two steps of `prefect.yaml`."""

from pathlib import Path

import pytest

from flows.project import enter_directory, note_directory
from mlgroup_mail.errors import UsageError
from tests.flows.projects import write_project


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that `prefect deploy` is run in."""
    monkeypatch.delenv("MLGROUP_PROJECT", raising=False)
    project = write_project(tmp_path / "here")
    monkeypatch.chdir(project.root)
    return project.root


def test_a_worker_on_the_same_machine_works_where_deploy_was_run(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = note_directory()
    monkeypatch.chdir(tmp_path)

    assert enter_directory(**noted) == {"directory": str(here)}
    assert Path.cwd() == here


def test_a_worker_on_another_machine_names_its_own_project(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = write_project(tmp_path / "there").root
    noted = note_directory()
    monkeypatch.setenv("MLGROUP_PROJECT", str(there))

    enter_directory(**noted)

    assert Path.cwd() == there


def test_deploying_outside_a_project_is_an_error_that_says_so(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="there is no project here"):
        note_directory()


def test_a_worker_whose_project_is_gone_says_so(here: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no project here"):
        enter_directory(str(tmp_path / "moved-away"))
