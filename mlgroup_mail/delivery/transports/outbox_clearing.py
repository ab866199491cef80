"""Taking messages out of the outbox: those of one person, and those that have lain there for long."""

import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.delivery.durable_files import write_durably
from mlgroup_mail.delivery.transports.outbox import folder_of
from mlgroup_mail.delivery.transports.outbox_frame import INDEX
from mlgroup_mail.delivery.transports.outbox_notes import FILE as NOTES
from mlgroup_mail.delivery.transports.outbox_pages import write_pages
from mlgroup_mail.model import MailingRef

log = logging.getLogger(__name__)

_HEAD = 16_384
"""Bytes in which the header of a message ends."""
_TO = re.compile(rb"^to:[ \t]*((?:[^\r\n]*(?:\r?\n[ \t])?)*)", re.IGNORECASE | re.MULTILINE)


def messages_of(outbox: Path, deliveries: Mapping[MailingRef, Iterable[int]], mailboxes: Collection[str]) -> set[Path]:
    """The messages of these deliveries, and all others that are addressed to these mailboxes (address keys)."""
    theirs = {
        folder_of(outbox, ref.campaign, ref.mailing) / f"{number}.eml"
        for ref, numbers in deliveries.items()
        for number in numbers
    }
    found = {path for path in theirs if path.exists()}
    return found | {path for path in _messages(outbox) if path not in found and _is_to(path, mailboxes)}


def messages_before(outbox: Path, moment: datetime) -> set[Path]:
    """The messages that were written before a moment."""
    return {path for path in _messages(outbox) if _written(path) < moment.timestamp()}


def remove_messages(outbox: Path, messages: Collection[Path]) -> int:
    """Delete messages with their pages and what travels with them; returns how many were there. Raises OSError.

    Pages of what is left are made anew; a folder of which nothing is left goes too.
    """
    removed = 0
    for folder in sorted({path.parent for path in messages}):
        numbers = {path.stem for path in messages if path.parent == folder}
        # The message last: whoever is stopped finds it again.
        for entry in sorted(_beside(folder, numbers), key=lambda path: path.suffix == ".eml"):
            entry.unlink(missing_ok=True)
            removed += entry.suffix == ".eml"
        _remove_notes(folder, numbers)
        _tidy(outbox, folder)
    return removed


def _messages(outbox: Path) -> Iterator[Path]:
    return outbox.glob("*/*/*.eml")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _is_to(path: Path, mailboxes: Collection[str]) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).partition(b"\r\n\r\n")[0]
    except FileNotFoundError:
        return False
    # The header's text alone: whoever has a million messages waits for each of them.
    written = [found[1].decode("utf-8", "replace") for found in _TO.finditer(head)]
    return any(_key(address) in mailboxes for _, address in getaddresses(map(_decoded, written)))


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(" ".join(value.split()))))
    except (LookupError, ValueError):
        return value


def _key(address: str) -> str:
    try:
        return addresses.key(addresses.normalise(address))
    except addresses.AddressError:
        return ""


def _beside(folder: Path, numbers: Collection[str]) -> list[Path]:
    """The files of these messages: `7.eml`, `7.html`, `7-invitation.ics`, and drafts of them."""
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if re.split("[.-]", entry.name.lstrip("."))[0] in numbers]


def _remove_notes(folder: Path, numbers: Collection[str]) -> None:
    path = folder / NOTES
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if line.partition("\t")[0] not in numbers]
    write_durably(path, "".join(kept).encode())


def _tidy(outbox: Path, folder: Path) -> None:
    if not any(folder.glob("*.eml")):
        for name in (INDEX, NOTES):
            (folder / name).unlink(missing_ok=True)
        for empty in (folder, folder.parent):
            try:
                empty.rmdir()
            except OSError:
                # Something else lies there, and is not ours.
                break
    try:
        write_pages(outbox, [folder] if folder.exists() and any(folder.glob("*.eml")) else [])
    except OSError as error:
        log.warning("the outbox's pages could not be written: %s", error.strerror)
