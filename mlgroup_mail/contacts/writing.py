"""The cleaned list as a file that every program reads, and that `contacts check` reads back."""

import csv
from collections.abc import Iterable
from pathlib import Path

from mlgroup_mail.contacts.texts import guarded
from mlgroup_mail.model import Contact

COLUMNS = ("address", "name", "organisation", "country", "timezone", "language", "status", "topics", "themes")


def write_clean(contacts: Iterable[Contact], path: Path) -> None:
    """Write contacts as CSV (UTF-8, commas, one header row); several values in a cell stand apart by "; "."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([guarded(_cell(getattr(contact, column))) for column in COLUMNS] for contact in contacts)


def _cell(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "; ".join(value)
