"""Addresses in a document: targets of links, and addresses that stand in the text as they are."""

import re
from urllib.parse import quote

_TRAILING = r"(?<![.,;:!?'’”»)])"
ADDRESS = re.compile(
    r"(?<![\w@.+-])(?:"
    rf"https?://[^\s<>\"“”{{}}|\\^`\[\]]+{_TRAILING}"
    rf"|www\.[^\s<>\"“”{{}}|\\^`\[\]@]+\.[^\s<>\"“”{{}}|\\^`\[\]@]+{_TRAILING}"
    r"|(?:mailto:)?[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![\w@-])"
    r")"
)
"""An address in running text, without the full stop or bracket after it."""

_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_SAFE = "!#$%&'*+,-./:;=?@_~"
"""What stays as it is in a target; brackets and braces would mean something to Markdown or Jinja."""
_PLAIN = re.compile(r"[!#$&-;=?-Z_a-z~]+")
"""What an autolink shows unchanged: printable ASCII without %, quotes, brackets and braces."""


def target(href: str) -> str:
    """The target of a link as Markdown takes it; empty where it leads nowhere from a mail.

    mammoth 1.13 hands over whatever stands between the first and the last quotation mark of a field's code, as in
    `HYPERLINK "https://www.example.org/" \\l "part"`.
    """
    address, *switches = href.strip().split('"')
    if len(switches) >= 2 and switches[0].strip() == "\\l":
        address = f"{address}#{switches[1]}"
    address = address.strip()
    if address.lower().startswith("www."):
        address = f"https://{address}"
    if not address.lower().startswith(_SCHEMES) or re.search(r"[\x00-\x1f\x7f]", address):
        return ""
    return quote(address, safe=_SAFE)


def link(text: str, address: str, *, words: str) -> str:
    """A link; `text` is the Markdown of its `words`. Blanks at its ends go outside."""
    inner = text.strip()
    if not inner:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    shown = words if words == address else f"mailto:{words}"
    if shown == address and _PLAIN.fullmatch(words):
        return f"{before}<{words}>{after}"
    return f"{before}[{inner}]({address}){after}"


def autolink(address: str, escaped: str) -> str:
    """An address of the running text as a link to itself; `escaped` is its Markdown."""
    if address.startswith("www.") or not _PLAIN.fullmatch(address):
        goal = target(address)
        return f"[{escaped}]({goal})" if goal else escaped
    return f"<{address}>"
