"""Writing a report into a file that people open."""

from pathlib import Path

from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef
from mlgroup_mail.reporting.report.figures import Report
from mlgroup_mail.settings.app import App


def usual_file(app: App, ref: MailingRef) -> Path:
    """Where a mailing's report lies unless somebody says otherwise: `var/reports/<campaign>-<mailing>.html`."""
    return app.project.state / "reports" / f"{ref.campaign}-{ref.mailing}.html"


def write_report(app: App, report: Report, out: Path | None = None) -> Path:
    """Write the page of a report and return its file; whoever has the old one open sees the old or the new one.

    Raises UsageError where it cannot be written.
    """
    from mlgroup_mail.reporting.report.page import page

    file = out or usual_file(app, report.ref)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part")
        part.write_text(page(report), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        message = f"the report cannot be written to {file}: {error.strerror}"
        raise UsageError(message, mend="Name another: --out FILE") from None
    return file
