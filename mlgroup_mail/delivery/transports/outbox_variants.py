"""Which variant each message of the outbox is, in a file beside the messages: one line each, number, tab, name."""

import os
from collections.abc import Iterable
from pathlib import Path

FILE = "variants.tsv"


def note_variants(folder: Path, variants: Iterable[tuple[int, str]]) -> None:
    """Add (delivery id, variant's name) of messages that were written; raises OSError."""
    lines = "".join(f"{number}\t{' '.join(name.split())}\n" for number, name in variants if name)
    if not lines:
        return
    # One write at the end of the file: those of several processes stand one behind the other.
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, lines.encode())
    finally:
        os.close(descriptor)


def read_variants(folder: Path) -> dict[int, str]:
    """The name of each message's variant, by delivery id; what cannot be read is left out."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = (line.partition("\t") for line in lines)
    return {int(number): name for number, _, name in found if number.isdecimal() and name}
