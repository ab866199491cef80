"""Pages to ask, and the command line beside them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import approved_letter, letter, use
from tests.cli.conftest import Run, run
from tests.web.readers import Pages, pages_at

__all__ = ["approved_letter", "letter", "run", "use"]


@pytest.fixture(scope="session")
def planned_letter(approved_letter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with its letter planned: six readers, contacts 1 to 6, mailing 1. Copy it."""
    from mlgroup_mail.cli import main

    root = Path(shutil.copytree(approved_letter, tmp_path_factory.mktemp("planned") / "project"))
    assert main._run(["--project", str(root), "plan", "letter/issue"]) == 0
    return root


@pytest.fixture
def readers(planned_letter: Path, tmp_path: Path, run: Run) -> Path:
    """A planned letter of the test's own, in the current directory."""
    return Path(shutil.copytree(planned_letter, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def pages(readers: Path) -> Iterator[Pages]:
    """The pages of this letter's readers."""
    with pages_at(readers) as found:
        yield found
