from pathlib import Path

import pytest

from mlgroup_mail.settings.project import Project
from tests.cli.conftest import run
from tests.content.projects import project_at

__all__ = ["project", "run"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_at(tmp_path)
