"""Messages to hand over."""

from __future__ import annotations

import itertools

from mlgroup_mail.model import Message, Outcome

_numbers = itertools.count(1)

CONTENT = (
    b"From: The group <group@example.org>\r\n"
    b"To: Ada <ada@example.org>\r\n"
    b"Subject: News\r\n"
    b"\r\n"
    b"Dear Ada,\r\n"
    b".hidden by its dot\r\n"
    b"From here on\r\n"
)


def make_message(address: str = "ada@example.org", *, content: bytes = CONTENT, **fields: object) -> Message:
    """A message with numbers of its own."""
    number = next(_numbers)
    defaults = {
        "attempt_id": number,
        "delivery_id": 1000 + number,
        "campaign": "2021-10-newsletter",
        "mailing": "issue",
        "envelope_from": "bounces@example.org",
    }
    return Message(address=address, content=content, **(defaults | fields))  # type: ignore[arg-type]


def always() -> bool:
    """A `may_begin` that never says no."""
    return True


def handed(transport, messages, may_begin) -> list[Outcome]:
    """What came of handing messages over, all of it."""
    return list(transport.send(list(messages), may_begin))
