"""The sample project, for benchmarks."""

import shutil
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.shipped import shipped

NEWSLETTER = "2021-10-newsletter"


def sample_source(folder: Path) -> FrozenSource:
    """The sample newsletter, frozen."""
    shutil.copy(shipped("mlgroup.toml"), folder / "mlgroup.toml")
    shutil.copytree(shipped("campaigns"), folder / "campaigns")
    project = read_project(folder)
    return freeze(project, read_campaign(project, NEWSLETTER), "issue", {"members": 253, "countries": 33})
