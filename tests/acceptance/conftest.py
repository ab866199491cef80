"""Projects that are ready to send from: made once a process, copied for each test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlgroup_mail.cli import main
from tests.acceptance.projects import ISSUE, LETTER, sample_project, small_project
from tests.cli.conftest import run

__all__ = ["run"]


@pytest.fixture(scope="session")
def approved_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project with its list pulled, its opt-outs imported and its newsletter approved. Copy it."""
    root = sample_project(tmp_path_factory.mktemp("sample") / "project")
    with _no_settings():
        _order(root, "contacts", "pull")
        _order(root, "opt-out", "import", str(root / "contacts" / "opt-outs" / "sample-opt-outs.csv"))
        _order(root, "approve", ISSUE, "--by", "the editor")
    return root


@pytest.fixture(scope="session")
def approved_letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with its list pulled and its letter approved. Copy it."""
    root = small_project(tmp_path_factory.mktemp("small") / "project")
    with _no_settings():
        _order(root, "contacts", "pull")
        _order(root, "approve", LETTER, "--by", "the editor")
    return root


@pytest.fixture
def sample(approved_sample: Path, tmp_path: Path) -> Path:
    """A sample project of the test's own, in the current directory, approved."""
    return Path(shutil.copytree(approved_sample, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def letter(approved_letter: Path, tmp_path: Path) -> Path:
    """A small project of the test's own, in the current directory, approved: six people, one letter."""
    return Path(shutil.copytree(approved_letter, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> "Settings":
    """`use(through(server))` sets settings for the commands that `run` runs."""
    return Settings(monkeypatch)


class Settings:
    """The environment of the commands of one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, settings: dict[str, str]) -> None:
        """Set these, beside those that are set."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)


@contextmanager
def _no_settings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("MLGROUP_", "PREFECT_"))]:
            patch.delenv(name)
        yield


def _order(root: Path, *arguments: str) -> None:
    assert main._run(["--project", str(root), *arguments]) == 0
