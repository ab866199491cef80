"""Small projects to read campaigns from: the sample group's settings, and whatever a test writes."""

from datetime import UTC, datetime
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model.message import CompiledMessage, MergeValues
from mlgroup_mail.settings.project import Project, read_project
from mlgroup_mail.shipped import shipped

FIGURES = {"members": 258, "countries": 33}
SENT = datetime(2021, 11, 2, 9, tzinfo=UTC)

FRONT = """\
kind = "newsletter"
topic = "newsletter"
subject = "News"
preheader = "What is new"
sender = "newsletter"
audience = "members"

[[mailing]]
name = "issue"
send_at = "2021-11-02 09:00 Europe/London"
"""


def project_at(root: Path) -> Project:
    """The sample group's settings with no campaign, calendar or template of its own."""
    (root / "mlgroup.toml").write_text(shipped("mlgroup.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (root / "campaigns").mkdir(exist_ok=True)
    return read_project(root)


def write_campaign(project: Project, text: str = "Hello.", *, front: str = FRONT, name: str = "letter") -> None:
    """Write `campaigns/<name>/campaign.md`."""
    folder = project.campaigns / name
    folder.mkdir(exist_ok=True)
    (folder / "campaign.md").write_text(f"+++\n{front}+++\n{text}", encoding="utf-8")


def frozen(project: Project, text: str = "Hello.", *, front: str = FRONT, opt_out_page: bool = False) -> FrozenSource:
    """Write a campaign and freeze its mailing `issue`."""
    write_campaign(project, text, front=front)
    return freeze(project, read_campaign(project, "letter"), "issue", FIGURES, opt_out_page=opt_out_page)


def compiled(project: Project, text: str = "Hello.", *, front: str = FRONT) -> CompiledMessage:
    """Write a campaign, freeze it, and compile it for nobody in particular."""
    return compile_message(frozen(project, text, front=front), {})


def write_template(project: Project, name: str, text: str) -> None:
    """Put a template of the project's own before the shipped one."""
    path = project.templates / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def values(**changes: str) -> MergeValues:
    """A recipient's values."""
    given = {
        "address": "ana.silva@office.example",
        "name": "Ana Silva",
        "first_name": "Ana",
        "organisation": "Statistical Office",
        "opt_out": "https://mail.example.org/o/topic?a=1&b=2",
        "opt_out_all": "https://mail.example.org/o/all",
        "opt_out_mail": "mailto:ml-group@example.org?subject=opt%20out",
        "one_click": "https://mail.example.org/o/topic",
    }
    return MergeValues(**given | changes)
