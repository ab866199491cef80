"""What cleaning a list came to, as tables for people and as JSON for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlgroup_mail.cli.output import say, show_table

if TYPE_CHECKING:
    from mlgroup_mail.contacts.cleaning import Cleaned, RowNote

_SHOWN = 40
"""Rows of a table of rejected rows; people mend these first and look again."""


def show_cleaned(cleaned: "Cleaned") -> None:
    """What became of the rows, then the rejected and the noted ones."""
    counts = {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged into another row's contact": cleaned.merged,
        "rejected": len(cleaned.rejected),
        "accepted, a value dropped": len(cleaned.noted),
        "contacts whose status is an opt-out": len(cleaned.opt_outs),
    }
    show_table(("The list", "Number"), counts.items())
    for each in cleaned.columns:
        read = ", ".join(f"{field} from “{label}”" for field, label in each.read.items())
        unread = f"; not read: {', '.join(f'“{label}”' for label in each.unread)}" if each.unread else ""
        say(f"Columns of {each.source}: {read}{unread}.")
    _show_notes("Rejected rows", cleaned.rejected)
    _show_notes("Dropped values", cleaned.noted)


def _show_notes(title: str, notes: "Sequence[RowNote]") -> None:
    if not notes:
        return
    rows = [(note.source, note.row, note.column, note.value_masked, note.reason) for note in notes[:_SHOWN]]
    show_table(("Source", "Row", "Column", "Value", "Reason"), rows, title=title)
    if len(notes) > _SHOWN:
        say(f"... and {len(notes) - _SHOWN} more; --json lists all.")


def cleaned_json(cleaned: "Cleaned") -> dict[str, Any]:
    """The same as one JSON object: rows, contacts, merged, rejected and noted rows, columns."""
    return {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged": cleaned.merged,
        "rejected": [_note(note) for note in cleaned.rejected],
        "noted": [_note(note) for note in cleaned.noted],
        "opt_outs": len(cleaned.opt_outs),
        "columns": [{"source": each.source, "read": each.read, "unread": each.unread} for each in cleaned.columns],
    }


def _note(note: "RowNote") -> dict[str, Any]:
    return {
        "source": note.source,
        "row": note.row,
        "column": note.column,
        "reason": note.reason,
        "value": note.value_masked,
    }
