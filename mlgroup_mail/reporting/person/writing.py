"""Writing down what is held about a person, into files that only their owner may read."""

import json
from pathlib import Path

from mlgroup_mail.errors import UsageError
from mlgroup_mail.private_files import write_private
from mlgroup_mail.reporting.person.record import PersonReport


def write_record(report: PersonReport, path: Path) -> Path:
    """Write JSON (.json) or the page (.html), in place of what stood there; returns the file.

    Raises UsageError for another suffix, and where it cannot be written.
    """
    content = _content(report, path)
    try:
        write_private(path, content.encode())
    except OSError as error:
        raise UsageError(f"this file cannot be written: {error.strerror}", where=str(path)) from None
    return path


def _content(report: PersonReport, path: Path) -> str:
    from mlgroup_mail.reporting.person.page import page

    match path.suffix.lower():
        case ".json":
            return json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n"
        case ".html":
            return page(report)
        case _:
            raise UsageError(f"“{path.name}” is neither .json nor .html", mend="End the file's name with one of them.")
