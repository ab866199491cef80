"""Header fields as bytes: no value, whatever it holds, can begin another header or another recipient.

The standard library folds display names without their quotes and long List-Unsubscribe fields into encoded-words
(seen in 3.11), so fields that carry a person's values are written here and read back by the tests with its parser.
"""

import base64
import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from mlgroup_mail.content.message.merging import clean

FOLD_AT = 76
"""Columns of a line (RFC 5322 asks for 78 at most, RFC 2047 for 76 where encoded-words are)."""

BREAK = "\r\n "
"""What folds a field: the blank belongs to the text."""

_PLAIN_TEXT = re.compile(r"[!-~]{1,60}(?: [!-~]{1,60})*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 .,'()_-]{1,60}")
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f-\x9f()<>\[\]:;@\\,\"]+@[A-Za-z0-9._-]+")
_MESSAGE_ID = re.compile(r"<[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]+@[A-Za-z0-9.-]+>")
# Only the scheme in either case: over the whole link it takes four times as long, and lets the sign for kelvin pass.
_LINK = re.compile(r"(?i:https://|mailto:)[!#-;=?-~]+", re.ASCII)
# 39 bytes make 52 characters of base64; with its frame and the longest field name here, the line stays within 76.
_WORD_BYTES = 39


def unstructured(name: str, text: str) -> bytes:
    """A field of free text (Subject), folded; encoded-words where it is not plain ASCII words."""
    text = on_one_line(text)
    if _PLAIN_TEXT.fullmatch(text) and "=?" not in text:
        return _line(name, _folded(text.split(" "), len(name) + 2))
    return _line(name, BREAK.join(_encoded_words(text)) if text else "")


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """A field with exactly one mailbox (From, To, Reply-To).

    Raises ValueError for an address that is not one normalised address: nothing is guessed here.
    """
    address, shown = one_address(address), clean(display_name).strip()
    if not shown:
        return _line(name, address)
    if _PLAIN_NAME.fullmatch(shown):
        fits = len(name) + len(shown) + len(address) + 7 <= FOLD_AT
        return _line(name, f'"{shown}"{" " if fits else BREAK}<{address}>')
    # Quoting would do for a careful reader; an encoded-word leaves nothing to be careful about.
    return _line(name, BREAK.join([*_encoded_words(shown), f"<{address}>"]))


def links(name: str, addresses: list[str]) -> bytes:
    """A field of links in angle brackets (List-Unsubscribe, RFC 2369); raises ValueError for one that is none."""
    return _line(name, ("," + BREAK).join(in_brackets(addresses)))


def message_id(value: str) -> bytes:
    """The Message-ID field; `value` has its angle brackets. Raises ValueError for anything else."""
    return _line("Message-ID", one_message_id(value))


def sent_at(moment: datetime) -> bytes:
    """The Date field. `moment` is aware."""
    if moment.tzinfo is None:
        raise ValueError("a Date needs a time zone")
    return _date(moment.replace(microsecond=0))


@lru_cache(maxsize=16)
def _date(second: datetime) -> bytes:
    """Thousands of messages go in one second: to write it takes longer than any other field."""
    return _line("Date", format_datetime(second))


def plain(name: str, value: str) -> bytes:
    """A field of our own making, ASCII and short."""
    if not re.fullmatch(r"[ -~]{1,900}", value):
        raise ValueError(f"{name} must be printable ASCII on one line")
    return _line(name, value)


def on_one_line(text: str) -> str:
    """A text as a Subject may hold it, not encoded."""
    return " ".join(clean(text).split(" ")).strip()


def one_address(address: str) -> str:
    """The same, where it is a single normalised address; raises ValueError: nothing is guessed here."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("this is not a single mail address")
    return address


def one_message_id(value: str) -> str:
    """The same, where it is a Message-ID in its angle brackets; raises ValueError."""
    if not _MESSAGE_ID.fullmatch(value):
        raise ValueError("a Message-ID is written <left@right>")
    return value


def in_brackets(addresses: list[str]) -> list[str]:
    """Each link as List-Unsubscribe holds it; raises ValueError for one that is none."""
    for address in addresses:
        if not _LINK.fullmatch(address) or len(address) > 900:
            raise ValueError("List-Unsubscribe takes https and mailto addresses in ASCII")
    return [f"<{address}>" for address in addresses]


def _line(name: str, value: str) -> bytes:
    # Only a local part may be beyond ASCII here, which SMTPUTF8 (RFC 6532) writes as UTF-8.
    return f"{name}: {value}\r\n".encode()


def _folded(words: list[str], column: int) -> str:
    """Words on lines of `FOLD_AT` columns, the first of which begins at `column`."""
    lines, line = [], ""
    for word in words:
        if line and column + len(line) + 1 + len(word) > FOLD_AT:
            lines.append(line)
            line, column = word, 1
        else:
            line = f"{line} {word}" if line else word
    return BREAK.join([*lines, line])


def _encoded_words(text: str) -> list[str]:
    """Base64 encoded-words (RFC 2047), each holding whole characters."""
    words, chunk = [], b""
    for character in text:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in [*words, chunk]]
