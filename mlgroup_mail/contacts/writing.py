"""The cleaned list as a file that every program reads, and what was said about its rows."""

import csv
from collections.abc import Iterable
from pathlib import Path

from mlgroup_mail.contacts.cleaning.cleaned import Cleaned
from mlgroup_mail.contacts.words.texts import guarded
from mlgroup_mail.model import Contact

COLUMNS = ("address", "name", "organisation", "country", "timezone", "language", "status", "topics", "themes")


def write_clean(contacts: Iterable[Contact], path: Path) -> None:
    """Write contacts as CSV (UTF-8, commas, one header row); several values in a cell stand apart by "; "."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([guarded(_cell(getattr(contact, column))) for column in COLUMNS] for contact in contacts)


def write_notes(cleaned: Cleaned, path: Path) -> None:
    """Write what is said about rows as CSV, for whoever mends the list: the values as they stand in it."""
    kinds = {"rejected": cleaned.rejected, "merged": cleaned.merged, "accepted": cleaned.noted}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("source", "row", "outcome", "column", "value", "reason"))
        for outcome, notes in kinds.items():
            for note in notes:
                remark = f"{note.reason}; nothing was dropped" if note.kept and outcome == "accepted" else note.reason
                cells = (note.source, str(note.row), outcome, note.column, note.value, remark)
                writer.writerow([guarded(cell) for cell in cells])


def _cell(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "; ".join(value)
