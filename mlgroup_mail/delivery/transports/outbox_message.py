"""The page of one message of the outbox: as HTML, as text, its headers, and raw; what travels with it beside."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from mlgroup_mail.delivery.transports.outbox_copies import Attachment, Copy
from mlgroup_mail.delivery.transports.outbox_frame import INDEX, page, replace, size, table, text, time
from mlgroup_mail.delivery.transports.outbox_notes import Note

LONGEST_RAW = 100_000
"""Bytes of a message that the page shows raw; the file beside it is whole."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SAVED = (".ics", ".png", ".jpg", ".jpeg", ".gif", ".txt")
"""What a browser that opens it from this folder does not run."""
_VIEWS = {"text": "Text", "headers": "Headers", "raw": "Raw", "html": "HTML"}

# Tabs without a script: the view whose name the address ends in is shown, and the last one where it ends in none.
_STYLE = """\
.views { display: flex; gap: .25rem; margin: 0; }
.views a { padding: .45rem .9rem; border: 1px solid var(--line); border-bottom: 0; background: var(--ground); }
.view { display: none; border: 1px solid var(--line); background: var(--sheet); scroll-margin-top: 100vh; }
.view:target, .view:last-of-type { display: block; }
.view:target ~ .view:last-of-type { display: none; }
.view table { border: 0; }
.view td:first-child { color: var(--quiet); font-size: .9rem; white-space: nowrap; }
.view td { overflow-wrap: anywhere; }
.views a:last-child { order: -1; background: var(--sheet); font-weight: 600; }
main:has(.view:target) .views a { background: var(--ground); font-weight: 400; }
iframe { display: block; width: 100%; height: 80vh; min-height: 30rem; border: 0; background: var(--sheet); }
pre { margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: clamp(12px, calc((100vw - 4rem) / 44), 14px)/1.5
  ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
ul { margin: 0 0 1.5rem; padding-left: 1.2rem; overflow-wrap: anywhere; }
li span { color: var(--quiet); }
.pictures { margin: 0; padding: .6rem .9rem; font-size: .9rem; }
""" + "".join(
    f'main:has(#{name}:target) .views a[href="#{name}"] {{ background: var(--sheet); font-weight: 600; }}\n'
    for name in _VIEWS
)


def write_message_page(path: Path, copy: Copy, content: bytes, *, note: Note, before: str, after: str) -> None:
    """Write the page of a message beside its file, and what travels with it.

    `path` is the message's own, `before` and `after` are the names of the pages beside it in the list ("": none).
    """
    attached = "".join(_attached(path, copy.attachments))
    pictures = _pictures(copy.attachments)
    facts = [f"To {text(copy.recipient)}"] if copy.recipient else []
    facts += [f"contact {note.contact_id}"] if note.contact_id else []
    facts += [f"variant {text(note.variant)}"] if note.variant else []
    facts += [time(copy.date)] if copy.date else []
    facts += [size(copy.size), f'<a href="{path.name}" download>{path.name}</a>']
    views = {
        "text": f"<pre>{escape(copy.text)}</pre>" if copy.text else "<pre>There is no text part.</pre>",
        "headers": table("<th>Field</th><th>Value</th>", [_header(*each) for each in copy.headers]) + pictures,
        "raw": _raw(path, content),
        "html": _html(copy),
    }
    steps = [f'<a href="{INDEX}">← All messages of this mailing</a>']
    steps += [f'<a href="{before}" rel="prev">Previous</a>'] if before else []
    steps += [f'<a href="{after}" rel="next">Next</a>'] if after else []
    tabs = "".join(f'<a href="#{name}">{title}</a>' for name, title in _VIEWS.items())
    sections = "\n".join(f'<section class="view" id="{name}">{content}</section>' for name, content in views.items())
    shown = (
        f"<nav>{' '.join(steps)}</nav>\n<h1>{text(copy.subject or '(no subject)')}</h1>\n<p>{' · '.join(facts)}</p>\n"
        f"{f'<ul>{attached}</ul>' if attached else ''}\n"
        f'<nav class="views" aria-label="Views">{tabs}</nav>\n{sections}'
    )
    replace(path.with_suffix(".html"), page(copy.subject or "(no subject)", shown, style=_STYLE))


def _html(copy: Copy) -> str:
    if not copy.html:
        return f"<pre>{escape(copy.text)}</pre>"
    # The sandbox runs nothing and lets nothing lead out of it; the page's policy lets nothing be fetched.
    return f'<iframe sandbox title="The message as HTML" srcdoc="{escape(copy.html)}"></iframe>'


def _header(name: str, value: str) -> str:
    return f"<tr><td>{escape(name)}</td><td>{text(value)}</td></tr>"


def _raw(path: Path, content: bytes) -> str:
    shown = escape(content[:LONGEST_RAW].decode("utf-8", "replace").replace("\r\n", "\n"))
    more = f"\n... The whole message is in {path.name}." if len(content) > LONGEST_RAW else ""
    return f"<pre>{shown}{more}</pre>"


def _attached(path: Path, attachments: Iterable[Attachment]) -> Iterator[str]:
    """A line for each part that travels beside the text; it becomes a file beside the page."""
    for each in attachments:
        if each.content is None:
            continue
        name = _file_name(path, each.name)
        replace(path.with_name(name), each.content)
        says = f"{text(each.says)}: " if each.says else ""
        yield f'<li>{says}<a href="{name}" download>{text(each.name)}</a> {_size(each)}</li>'


def _pictures(attachments: Iterable[Attachment]) -> str:
    """The pictures that the page itself shows, below the headers: nobody looks for them first."""
    shown = [f"{text(each.name)} {_size(each)}" for each in attachments if each.content is None]
    return f'<p class="pictures">Pictures in the page: {"; ".join(shown)}</p>' if shown else ""


def _size(attachment: Attachment) -> str:
    return f"<span>{escape(attachment.media_type)}, {size(attachment.size)}</span>"


def _file_name(path: Path, name: str) -> str:
    safe = f"{path.stem}-{_UNSAFE.sub('-', name).strip('.-')[:80] or 'part'}"
    return safe if safe.lower().endswith(_SAVED) else f"{safe}.txt"
