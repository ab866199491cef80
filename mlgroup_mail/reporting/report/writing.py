"""Writing a report into a file that people open."""

from pathlib import Path

from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import MailingRef
from mlgroup_mail.private_files import write_private
from mlgroup_mail.reporting.report.figures import Report
from mlgroup_mail.settings.app import App


def usual_file(app: App, ref: MailingRef) -> Path:
    """Where a mailing's report lies unless somebody says otherwise: `var/reports/<campaign>-<mailing>.html`."""
    return app.project.state / "reports" / f"{ref.campaign}-{ref.mailing}.html"


def write_report(app: App, report: Report, out: Path | None = None) -> Path:
    """Write the page of a report, for its owner alone, and return its file.

    Raises UsageError where it cannot be written.
    """
    from mlgroup_mail.reporting.report.page import page

    file = out or usual_file(app, report.ref)
    try:
        write_private(file, page(report).encode())
    except OSError as error:
        message = f"the report cannot be written to {file}: {error.strerror}"
        raise UsageError(message, mend="Name another: --out FILE") from None
    return file
