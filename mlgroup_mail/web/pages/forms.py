"""What a POST brings, within bounds: the fields of a form in either encoding (RFC 8058, section 3.2)."""

import email
from collections.abc import Iterator
from email.message import Message
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from mlgroup_mail.web.bodies import read_body

LARGEST_BODY = 32_000
"""Bytes. One click has 30 as a form and some 200 in parts."""
PATIENCE = 10.0
"""Seconds that a body may take to come."""
MOST_FIELDS = 50

Fields = dict[str, str]


async def read_form(request: Request) -> Fields | Response:
    """The fields, or the answer to a body that is not read to its end. What is no form has no fields."""
    body = await read_body(request, largest=LARGEST_BODY, patience=PATIENCE)
    if isinstance(body, Response):
        return body
    return fields_of(request.headers.get("content-type", ""), body)


def fields_of(content_type: str, body: bytes) -> Fields:
    """The fields of a body, names in lower case, the first of each name; none for what is no form.

    A body without a type that is known is read as the plain form: what matters is that an opt-out is heard.
    """
    fields: Fields = {}
    found = _in_parts(content_type, body) if content_type.lower().startswith("multipart/") else _encoded(body)
    for name, value in found:
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _encoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return []


def _in_parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Multipart (RFC 7578), by the standard library's reader of mails: the two have the same form."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.message_from_bytes(head + body)
    payload = message.get_payload()
    parts = [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
    for part in parts[:MOST_FIELDS]:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            yield name, content.decode("utf-8", "replace")
