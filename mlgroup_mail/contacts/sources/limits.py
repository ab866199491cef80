"""How much a contact file may hold. What lies far beyond any list is refused before it fills memory or hours."""

from mlgroup_mail.errors import ContactSourceError

LARGEST_FILE = 600_000_000
"""Bytes of a file on disk: some six million people as CSV."""

LARGEST_UNPACKED = 1_000_000_000
"""Bytes that a workbook may unpack to: a full sheet of a million rows takes about half of it."""

WIDEST = 16_384
"""Columns of a sheet, and cells in a row of text (Excel specifications and limits)."""

MOST_SHEET_ROWS = 1_048_576
"""Rows of a sheet (Excel specifications and limits)."""

MOST_ROWS = 10_000_000
"""Rows of a text file or of a query's answer."""

MOST_TEXT = 600_000_000
"""Characters in the columns that are read: one text in a workbook can stand in a million cells."""

LONGEST_ROW = 4_000_000
"""Characters in one row of text, and bytes of one row in a workbook."""

MOST_REMARKS = 1_000
"""Rows about which the same thing is said one by one; the rest are only counted."""


def too_much(what: str, *, where: str) -> ContactSourceError:
    """The one error for all of these: `what` is too much."""
    return ContactSourceError(
        f"{what}: far more than a list of contacts has",
        where=where,
        mend="Save the columns of the list alone as CSV; a longer list can be split into several sources.",
    )
