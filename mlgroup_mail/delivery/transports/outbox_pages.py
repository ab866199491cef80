"""The pages to browse the outbox with: one of all mailings, one of each mailing's messages."""

import heapq
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from mlgroup_mail.delivery.transports.outbox_copies import Copy, read_copy

SHOWN = 300
"""How many messages of a mailing are listed; the others lie in the folder like them."""

INDEX = "index.html"

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { --text: #1d2733; --quiet: #5b6876; --ground: #f6f7f9; --sheet: #ffffff; --line: #e1e5ea; --link: #1f4e79; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9ef; --quiet: #9aa7b5; --ground: #12171d; --sheet: #1a2129; --line: #2c3641; --link: #8ab8e6; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
p { margin: 0 0 1.5rem; color: var(--quiet); }
nav { margin-bottom: 1rem; font-size: .9rem; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
table { width: 100%; border-collapse: collapse; background: var(--sheet); border: 1px solid var(--line); }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--quiet); }
th, td { padding: .6rem .9rem; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tr:last-child td { border-bottom: 0; }
td.what { overflow-wrap: anywhere; }
td.quiet { color: var(--quiet); font-size: .9rem; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  main { padding: 1.25rem .9rem 3rem; }
  thead { display: none; }
  tbody tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .7rem .9rem; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; }
  td, td.quiet { padding: 0; border: 0; text-align: left; white-space: normal; }
  td.what { flex: 1 0 100%; margin-bottom: .15rem; }
}
</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mailing:
    """A mailing's folder as the page of all mailings shows it."""

    folder: Path
    messages: int
    newest: float


def write_pages(outbox: Path, changed: Iterable[Path]) -> None:
    """Write the pages of the changed mailings' folders, and the page of all mailings."""
    for folder in sorted(changed):
        _replace(folder / INDEX, _mailing_page(outbox, folder))
    _replace(outbox / INDEX, _outbox_page(outbox))


def _outbox_page(outbox: Path) -> str:
    mailings = sorted(_mailings(outbox), key=lambda mailing: (-mailing.newest, mailing.folder))
    rows = [
        f'<tr><td class="what"><a href="{_link(outbox, mailing.folder)}">{_name(outbox, mailing.folder)}</a></td>'
        f'<td class="quiet number">{_count(mailing.messages)}</td>'
        f'<td class="quiet">written {_time(datetime.fromtimestamp(mailing.newest).astimezone())}</td></tr>'
        for mailing in mailings
    ]
    table = _table('<th>Mailing</th><th class="number">Messages</th><th>Time</th>', rows)
    intro = "These messages were written as files. None of them has left this machine."
    return _PAGE.substitute(title="Outbox", content=f"<h1>Outbox</h1>\n<p>{intro}</p>\n{table}")


def _mailing_page(outbox: Path, folder: Path) -> str:
    files = [path for path in folder.glob("*.eml") if path.stem.isdigit()]
    rows = [_row(path) for path in heapq.nsmallest(SHOWN, files, key=lambda path: int(path.stem))]
    many = f" The first {SHOWN} are listed; the others lie beside this page." if len(files) > SHOWN else ""
    name = _name(outbox, folder)
    head = '<th>Subject</th><th>To</th><th>Time</th><th class="number">Size</th><th>File</th>'
    return _PAGE.substitute(
        title=f"{name} - outbox",
        content=(
            f'<nav><a href="../../{INDEX}">← All mailings</a></nav>\n<h1>{name}</h1>\n'
            f"<p>{_count(len(files))}, written as files: none has left this machine.{many}</p>\n{_table(head, rows)}"
        ),
    )


def _row(path: Path) -> str:
    """One message's line; its copy for the browser is written on the way."""
    copy = read_copy(path.read_bytes())
    page = path.with_suffix(".html")
    _replace(page, copy.html)
    return (
        f'<tr><td class="what"><a href="{page.name}">{escape(copy.subject or "(no subject)")}</a></td>'
        f'<td class="quiet">{escape(copy.recipient)}</td><td class="quiet">{_date(copy)}</td>'
        f'<td class="quiet number">{_size(copy.size)}</td>'
        f'<td class="quiet"><a href="{path.name}">.eml</a></td></tr>'
    )


def _mailings(outbox: Path) -> Iterable[_Mailing]:
    for folder in outbox.glob("*/*/"):
        times = [path.stat().st_mtime for path in folder.glob("*.eml")]
        if times:
            yield _Mailing(folder=folder, messages=len(times), newest=max(times))


def _table(head: str, rows: list[str]) -> str:
    return "\n".join(["<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"])


def _name(outbox: Path, folder: Path) -> str:
    return escape(folder.relative_to(outbox).as_posix())


def _link(outbox: Path, folder: Path) -> str:
    return f"{_name(outbox, folder)}/{INDEX}"


def _count(messages: int) -> str:
    return f"{messages:,} message{'' if messages == 1 else 's'}"


def _date(copy: Copy) -> str:
    return _time(copy.date) if copy.date else ""


def _time(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def _size(size: int) -> str:
    return f"{max(1, round(size / 1000)):,} kB"


def _replace(path: Path, text: str) -> None:
    """Write a page so that whoever looks at that moment sees the old one or the new one."""
    # Two processes may write the pages of one outbox at once.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
