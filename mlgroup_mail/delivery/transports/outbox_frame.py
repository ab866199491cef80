"""What all pages of the outbox share: a frame without scripts that fetches nothing, tables, times and sizes."""

import os
import re
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

INDEX = "index.html"

_NO_CHARACTERS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    f"{''.join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))}]"
)
"""What no page may hold (HTML, 13.2.3.5): a message may."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>$title</title>
<style>
:root { --text: #1d2733; --quiet: #5b6876; --ground: #f6f7f9; --sheet: #ffffff; --line: #e1e5ea; --link: #1f4e79; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9ef; --quiet: #9aa7b5; --ground: #12171d; --sheet: #1a2129; --line: #2c3641; --link: #8ab8e6; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p { margin: 0 0 1.5rem; color: var(--quiet); overflow-wrap: anywhere; }
nav { margin-bottom: 1rem; font-size: .9rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
table { width: 100%; border-collapse: collapse; background: var(--sheet); border: 1px solid var(--line); }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--quiet); }
th, td { padding: .6rem .9rem; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tr:last-child td { border-bottom: 0; }
td.what { overflow-wrap: anywhere; }
td.what span { display: block; color: var(--quiet); font-size: .9rem; }
td.quiet { color: var(--quiet); font-size: .9rem; white-space: nowrap; }
td.words { white-space: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  main { padding: 1.25rem .9rem 3rem; }
  thead { display: none; }
  tbody tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .7rem .9rem; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; }
  td, td.quiet { padding: 0; border: 0; text-align: left; white-space: normal; }
  td.what { flex: 1 0 100%; margin-bottom: .15rem; }
}
$style</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
""")


def page(title: str, content: str, *, style: str = "") -> str:
    """A whole page; `title` is text, `content` HTML, `style` CSS of this page alone."""
    return _NO_CHARACTERS.sub("\ufffd", _PAGE.substitute(title=escape(title), content=content, style=style))


def text(words: str) -> str:
    """Text as HTML: nothing in it is markup, and none of its direction marks reaches what stands beside it."""
    return f"<bdi>{escape(words)}</bdi>"


def table(head: str, rows: list[str]) -> str:
    """A table of rows (`<tr>...`) under its head cells (`<th>...`)."""
    return "\n".join(["<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"])


def count(number: int, noun: str) -> str:
    """A number of things: `1 message`, `1,200 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def time(moment: datetime) -> str:
    """A time as the message has it."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def size(number: int) -> str:
    """A number of bytes, in kB."""
    return f"{max(1, round(number / 1000)):,} kB"


def replace(path: Path, content: str | bytes) -> None:
    """Write a file so that whoever looks at that moment sees the old one or the new one."""
    # Two processes may write the pages of one outbox at once.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
