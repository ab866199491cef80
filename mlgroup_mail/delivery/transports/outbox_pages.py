"""The pages to look at the outbox: one of all mailings, one of each mailing's messages, one of each message."""

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from mlgroup_mail.delivery.transports.outbox_copies import Copy, read_copy, read_subject
from mlgroup_mail.delivery.transports.outbox_frame import INDEX, count, page, replace, size, table, text, time
from mlgroup_mail.delivery.transports.outbox_message import write_message_page
from mlgroup_mail.delivery.transports.outbox_notes import Note, read_notes

SHOWN = 300
"""So many messages of a mailing are listed, besides one of each variant; the others lie in the folder like them."""
LARGEST_PAGES = 50_000_000
"""Bytes of the messages that are listed: with large pictures it is fewer than SHOWN, and at least one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mailing:
    """A mailing's folder as the page of all mailings shows it."""

    folder: Path
    subject: str
    messages: int
    newest: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """Which of a mailing's messages are shown, by delivery id: the `first` ones, and one of each variant by name."""

    first: Sequence[int]
    of_variants: Mapping[str, int]

    @property
    def numbers(self) -> list[int]:
        """All of them, in order."""
        return sorted({*self.first, *self.of_variants.values()})


def write_pages(outbox: Path, changed: Iterable[Path]) -> None:
    """Write the pages of the changed mailings' folders, and the page of all mailings."""
    for folder in sorted(changed):
        replace(folder / INDEX, _mailing_page(outbox, folder))
    replace(outbox / INDEX, _outbox_page(outbox))


def _outbox_page(outbox: Path) -> str:
    mailings = sorted(_mailings(outbox), key=lambda mailing: (-mailing.newest, mailing.folder))
    rows = [
        f'<tr><td class="what"><a href="{_link(outbox, mailing.folder)}">{_name(outbox, mailing.folder)}</a>'
        f"<span>{text(mailing.subject)}</span></td>"
        f'<td class="quiet number">{count(mailing.messages, "message")}</td>'
        f'<td class="quiet">written {time(datetime.fromtimestamp(mailing.newest).astimezone())}</td></tr>'
        for mailing in mailings
    ]
    intro = "These messages were written as files. None of them has left this machine."
    head = '<th>Mailing</th><th class="number">Messages</th><th>Time</th>'
    return page("Outbox", f"<h1>Outbox</h1>\n<p>{intro}</p>\n{table(head, rows)}")


def _mailings(outbox: Path) -> Iterator[_Mailing]:
    for folder in outbox.glob("*/*/"):
        if numbers := _numbers(folder):
            yield _Mailing(
                folder=folder,
                subject=read_subject(folder / f"{min(numbers)}.eml"),
                messages=len(numbers),
                newest=folder.stat().st_mtime,
            )


def _mailing_page(outbox: Path, folder: Path) -> str:
    """A mailing's page; those of its messages are written on the way."""
    numbers, notes = _numbers(folder), read_notes(folder)
    variants = {number: note.variant for number, note in notes.items()}
    listed = _listed(folder, numbers, variants)
    several = len(listed.of_variants) > 1
    head = (
        f"<th>To</th><th>Contact</th><th>Delivery</th><th>Subject</th>{'<th>Variant</th>' if several else ''}"
        '<th>Time</th><th class="number">Size</th><th>File</th>'
    )
    rows = list(_rows(folder, listed.numbers, notes, several=several))
    name = _name(outbox, folder)
    intro = (
        f"{count(len(numbers), 'message')}, written as files: none has left this machine. "
        "Names and addresses are masked; the contact's number is that of <code>mlgroup-mail log</code>, which has the "
        "addresses. A file is called after its delivery: <code>log --json</code> has it as “delivery_id”."
    )
    content = [
        f'<nav><a href="../../{INDEX}">← All mailings</a></nav>\n<h1>{name}</h1>',
        f"<p>{intro}{_left_out(numbers, listed)}</p>",
        _variants(numbers, variants, listed) if several else "",
        table(head, rows),
    ]
    return page(f"{folder.relative_to(outbox).as_posix()} - outbox", "\n".join(content))


def _listed(folder: Path, numbers: Iterable[int], variants: Mapping[int, str]) -> _Listed:
    first: list[int] = []
    room = LARGEST_PAGES
    for number in heapq.nsmallest(SHOWN, numbers):
        room -= (folder / f"{number}.eml").stat().st_size
        if first and room < 0:
            break
        first.append(number)
    of_variants: dict[str, int] = {}
    for number in sorted(numbers):
        of_variants.setdefault(variants.get(number, ""), number)
    return _Listed(first=first, of_variants=of_variants)


def _left_out(numbers: Sequence[int], listed: _Listed) -> str:
    if len(listed.numbers) == len(numbers):
        return ""
    one_of_each = " and one of each variant" if len(listed.of_variants) > 1 else ""
    return f" The first {len(listed.first):,}{one_of_each} are listed; the others lie beside this page."


def _variants(numbers: Iterable[int], variants: Mapping[int, str], listed: _Listed) -> str:
    """What there is to look at: each variant with one of its messages."""
    counts = Counter(variants.get(number, "") for number in numbers)
    rows = [
        f'<tr><td class="what"><a href="{number}.html">{text(name or "not named")}</a></td>'
        f'<td class="quiet number">{count(counts[name], "message")}</td></tr>'
        for name, number in sorted(listed.of_variants.items(), key=lambda each: -counts[each[0]])
    ]
    head = '<th>Variant, with one of its messages</th><th class="number">Messages</th>'
    return f"<h2>Variants</h2>\n{table(head, rows)}\n<h2>Messages</h2>"


def _rows(folder: Path, numbers: Sequence[int], notes: Mapping[int, Note], *, several: bool) -> Iterator[str]:
    pages = ["", *(f"{number}.html" for number in numbers), ""]
    for place, number in enumerate(numbers):
        path = folder / f"{number}.eml"
        content = path.read_bytes()
        copy = read_copy(content)
        note = notes.get(number, Note())
        write_message_page(path, copy, content, note=note, before=pages[place], after=pages[place + 2])
        yield _row(path, copy, note, several=several)


def _row(path: Path, copy: Copy, note: Note, *, several: bool) -> str:
    variant = f'<td class="quiet words">{text(note.variant)}</td>' if several else ""
    whose = f"contact {note.contact_id}" if note.contact_id else ""
    name = f"<span>{text(copy.name)}</span>" if copy.name else ""
    return (
        f'<tr><td class="what"><a href="{path.stem}.html">{text(copy.recipient or "(nobody)")}</a>{name}</td>'
        f'<td class="quiet">{whose}</td><td class="quiet">delivery {path.stem}</td>'
        f'<td class="quiet words">{text(copy.subject or "(no subject)")}</td>{variant}'
        f'<td class="quiet">{time(copy.date) if copy.date else ""}</td>'
        f'<td class="quiet number">{size(copy.size)}</td>'
        f'<td class="quiet"><a href="{path.name}">.eml</a></td></tr>'
    )


def _numbers(folder: Path) -> list[int]:
    """The messages of a mailing, by delivery id. Asks for names only: there may be a hundred thousand."""
    with os.scandir(folder) as entries:
        names = (entry.name.partition(".") for entry in entries)
        return [int(stem) for stem, _, suffix in names if suffix == "eml" and stem.isdecimal()]


def _name(outbox: Path, folder: Path) -> str:
    return escape(folder.relative_to(outbox).as_posix())


def _link(outbox: Path, folder: Path) -> str:
    return f"{_name(outbox, folder)}/{INDEX}"
