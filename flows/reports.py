"""Reports: a page for each mailing that a run sent of, which the run links to."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from prefect.artifacts import acreate_link_artifact

from flows import artifacts
from flows.project import in_project
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef
from mlgroup_mail.reporting.report.figures import report_on
from mlgroup_mail.reporting.report.writing import write_report
from mlgroup_mail.settings.app import App


async def link_reports(refs: Sequence[MailingRef], *, now: datetime | None) -> None:
    """Write the report of each mailing and link it; where a file cannot be written, say how to get it elsewhere.

    The page lies where the run does, and nowhere in public: the link opens on that machine, its words help on others.
    """
    files = await in_project(lambda app: [_written(app, ref) for ref in refs], now=now)
    for ref, file in zip(refs, files, strict=True):
        command = f"mlgroup-mail report {ref}"
        if file is None:
            await artifacts.show(
                "report", f"The report could not be written. Try: `{command} --out FILE`", about=str(ref)
            )
            continue
        await acreate_link_artifact(
            link=file.as_uri(),
            link_text=f"Report of {ref}",
            key=artifacts.key("report", str(ref)),
            description=f"var/reports/{file.name} in the project's directory, or: {command}",
        )


def _written(app: App, ref: MailingRef) -> Path | None:
    try:
        return write_report(app, report_on(app, ref))
    except UsageError:
        return None
