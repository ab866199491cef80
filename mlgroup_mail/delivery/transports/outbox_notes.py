"""What the messages of the outbox do not say themselves, in a file beside them: one line each, between tabs."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.model import Message

FILE = "messages.tsv"
"""Delivery number, contact number (0: none), variant's name ("" where all read the same)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Whose a message is, by the contact's number (0: nobody's), and which variant."""

    contact_id: int = 0
    variant: str = ""


def note_messages(folder: Path, messages: Iterable[Message]) -> None:
    """Add messages that were written; raises OSError."""
    lines = "".join(
        f"{message.delivery_id}\t{message.contact_id}\t{' '.join(message.variant.split())}\n"
        for message in messages
        if message.contact_id or message.variant
    )
    if not lines:
        return
    # One write at the end of the file: those of several processes stand one behind the other.
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, lines.encode())
    finally:
        os.close(descriptor)


def read_notes(folder: Path) -> dict[int, Note]:
    """What is noted of each message, by delivery number; what cannot be read is left out."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    cells = (line.split("\t") for line in lines)
    return {
        int(found[0]): Note(contact_id=int(found[1]), variant=found[2])
        for found in cells
        if len(found) == 3 and found[0].isdecimal() and found[1].isdecimal()
    }
