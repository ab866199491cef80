"""A message of the outbox as a browser can show it."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Parsed
from email.utils import getaddresses, parsedate_to_datetime
from html import escape

from mlgroup_mail.addresses import mask

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_CID = re.compile(r"cid:([^\"'\s)>]+)", re.IGNORECASE)

# Looking at a message must not tell anybody that it was looked at: whatever it would fetch stays unfetched.
_FETCH_NOTHING = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """What the pages show of one message; `recipient` is masked, `size` in bytes, `html` a whole page."""

    subject: str
    recipient: str
    date: datetime | None
    size: int
    html: str


def read_copy(content: bytes) -> Copy:
    """Read a message as it was handed over."""
    # The older of the email package's two parsers: these are our own messages, and it is ten times as fast.
    message = message_from_bytes(content)
    return Copy(
        subject=str(make_header(decode_header(message["Subject"] or ""))),
        recipient=", ".join(mask(address) for _, address in getaddresses(message.get_all("To", [])) if address),
        date=_date(message["Date"]),
        size=len(content),
        html=_page(message),
    )


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _page(message: Parsed) -> str:
    parts = [part for part in message.walk() if not part.is_multipart()]
    html = next((_text(part) for part in parts if part.get_content_type() == "text/html"), None)
    if html is None:
        text = next((_text(part) for part in parts if part.get_content_type() == "text/plain"), "")
        return f"<!doctype html>\n<head>{_FETCH_NOTHING}</head>\n<pre>{escape(text)}</pre>\n"
    images = {_id(part): part for part in parts if part["Content-ID"]}
    html = _CID.sub(lambda found: _inline(images.get(found[1])) or found[0], html)
    with_policy, found = _HEAD.subn(lambda head: head[0] + _FETCH_NOTHING, html, count=1)
    return with_policy if found else _FETCH_NOTHING + html


def _text(part: Parsed) -> str:
    return _bytes(part).decode(part.get_content_charset("utf-8"), "replace")


def _bytes(part: Parsed) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _id(part: Parsed) -> str:
    return str(part["Content-ID"]).strip().strip("<>")


def _inline(part: Parsed | None) -> str:
    """An image as part of the page; empty where there is none."""
    if part is None:
        return ""
    return f"data:{part.get_content_type()};base64,{base64.b64encode(_bytes(part)).decode()}"
