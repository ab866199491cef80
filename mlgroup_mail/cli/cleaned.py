"""What cleaning a list came to: tables for people, JSON for programs, a CSV with every row to look at."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlgroup_mail.cli.output import say, show_table

if TYPE_CHECKING:
    from mlgroup_mail.contacts.cleaning.cleaned import Cleaned
    from mlgroup_mail.contacts.cleaning.notes import RowNote

_LISTED = 15
"""Rows that a table shows one by one; more of them are gathered by reason, with examples."""
_EXAMPLES = 3


def show_cleaned(cleaned: "Cleaned") -> None:
    """What became of the rows, then those that somebody should look at."""
    dropped, kept = _parted(cleaned.noted)
    counts = {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged into another row's contact": len(cleaned.merged),
        "rejected": len(cleaned.rejected),
        "accepted, a value dropped": len(dropped),
        "accepted, worth a look": len(kept),
        "contacts whose status is an opt-out": len(cleaned.opt_outs),
    }
    show_table(("The list", "Number"), counts.items())
    for each in cleaned.columns:
        read = ", ".join(f"{field} from “{label}”" for field, label in each.read.items())
        unread = f"; not read: {', '.join(f'“{label}”' for label in each.unread)}" if each.unread else ""
        say(f"Columns of {each.source}: {read}{unread}.")
        if each.encoding:
            say(f"{each.source} was read as {each.encoding}, which is a guess: if names look wrong, name its encoding.")
        for note in each.notes:
            say(f"{each.source}: {note}.")
    _show_notes("Rejected rows", cleaned.rejected)
    _show_notes("Dropped values (the person is kept)", dropped)
    _show_notes("Worth a look (nothing was dropped)", kept)
    _show_notes("Merged rows", cleaned.merged)


def _parted(noted: "Sequence[RowNote]") -> "tuple[list[RowNote], list[RowNote]]":
    return [note for note in noted if not note.kept], [note for note in noted if note.kept]


def _show_notes(title: str, notes: "Sequence[RowNote]") -> None:
    if not notes:
        return
    if len(notes) <= _LISTED:
        rows = [(note.source, note.row, note.column, _value(note), note.reason) for note in notes]
        show_table(("Source", "Row", "Column", "Value", "Reason"), rows, title=title)
        return
    gathered = list(_gathered(notes))
    show_table(("Source", "Column", "Reason", "Rows", "For example"), gathered[:_LISTED], title=title)
    if rest := sum(rows for _, _, _, rows, _ in gathered[_LISTED:]):
        say(f"... and {rest} rows more. --notes FILE writes every row.")


def _gathered(notes: "Sequence[RowNote]") -> Iterator[tuple[str, str, str, int, str]]:
    """Notes by reason, the most frequent first."""
    groups: dict[tuple[str, str, str], list[RowNote]] = defaultdict(list)
    for note in notes:
        groups[note.source, note.column, note.reason].append(note)
    for (source, column, reason), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        examples = "; ".join(f"row {note.row}: {_value(note)}" for note in group[:_EXAMPLES])
        yield source, column, reason, len(group), examples


def _value(note: "RowNote") -> str:
    """A value is shown to whoever sits at the terminal; what goes into a file or a pipe may be a log."""
    return note.value if sys.stdout.isatty() else note.value_masked


def cleaned_json(cleaned: "Cleaned") -> dict[str, Any]:
    """The same as one JSON object: rows, contacts, merged, rejected and noted rows, columns."""
    return {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "merged": len(cleaned.merged),
        "rejected": [_note(note) for note in cleaned.rejected],
        "noted": [_note(note) | {"kept": note.kept} for note in cleaned.noted],
        "opt_outs": len(cleaned.opt_outs),
        "columns": [asdict(each) for each in cleaned.columns],
    }


def _note(note: "RowNote") -> dict[str, Any]:
    return {
        "source": note.source,
        "row": note.row,
        "column": note.column,
        "reason": note.reason,
        "value": note.value_masked,
    }
