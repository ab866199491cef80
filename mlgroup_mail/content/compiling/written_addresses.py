"""Web addresses that stand in a text, whether as links or as words."""

import re
from html import unescape
from urllib.parse import unquote

_ADDRESS = re.compile(r"https?://[^\s<>\"“”]+", re.IGNORECASE)
_AROUND = ".,;:!?)]}'*_`’/"
"""What may stand behind an address and is none of it; a slash at its end tells nothing."""
_ENDS = r"/?(?![/\w%~+@=$-]|[.,;:!](?=\w))"
"""Behind these letters and marks an address is another, longer one; “?”, “&” and “#” only tell its page more."""
_SCHEME = re.compile(r"https?://", re.IGNORECASE)


def addresses_in(text: str) -> list[str]:
    """The addresses in a plain text, in order, each as often as it stands there."""
    return [bare(found[0]) for found in _ADDRESS.finditer(text)]


def bare(address: str) -> str:
    """An address without what may stand behind it: by this form it is known, wherever it was found."""
    return address.rstrip(_AROUND)


def holds_address(text: str, address: str) -> bool:
    """Whether a text has an address: as a link or as words, escaped for HTML or for a query, without its https:// too.

    A longer address that begins with it is the one of another page.
    """
    plain, wanted = _plain(text), bare(_plain(address))
    without_scheme = _SCHEME.sub("", wanted)
    # A host alone is also what mail addresses end with.
    start = rf"(?<![\w.-]){re.escape(without_scheme)}" if "/" in without_scheme else re.escape(wanted)
    return bool(wanted) and re.search(start + _ENDS, plain) is not None


def _plain(text: str) -> str:
    """A text without the escapes of HTML and of queries, in which one address may be told to another."""
    return unquote(unquote(unescape(text))).casefold()
