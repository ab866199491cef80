"""A message as it goes over the wire: its commands and its content, made once, before its first byte."""

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass

from mlgroup_mail.content.message.dot_stuffing import has_bare_line_ends, stuffed
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.delivery.transports.smtp_meaning import Phase
from mlgroup_mail.model import Message

_CONTROL = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(kw_only=True, slots=True)
class Letter:
    """One message on its way over one connection, and how far it has come.

    `mail` and `rcpt` are whole commands, `content` is dot-stuffed and ends with a line end; its final dot is no part
    of it.
    """

    message: Message
    mail: bytes
    rcpt: bytes
    content: bytes
    first: bool = False
    """Nothing was said over this connection before: another new one would be no better."""
    phase: Phase = Phase.MAIL
    named: bool = False
    """The server has taken its recipient."""
    dot_at: int = sys.maxsize
    """Where in all that is said over the connection its final dot stands."""
    settled: bool = False
    """What came of it is known, though answers to it may still be on their way."""


def letter_of(message: Message, abilities: Collection[str]) -> Letter:
    """The message for a server with these abilities (the keywords of its EHLO, in small letters)."""
    # Written out here, because smtplib's own `mail` and `rcpt` parse the address once more, and change some.
    sender = " ".join([f"MAIL FROM:<{message.envelope_from}>", *_parameters(message, abilities)])
    recipient = f"RCPT TO:<{message.address}>"
    return Letter(
        message=message,
        mail=sender.encode() + b"\r\n",
        rcpt=recipient.encode() + b"\r\n",
        content=_content(message),
    )


def why_unsendable(message: Message, abilities: Collection[str]) -> str:
    """Why this message must not be put on the wire at all; empty where nothing is wrong with it."""
    if not _is_for_smtp(message) and has_bare_line_ends(message.content):
        return "not sent: the message has a line end other than CRLF"
    if _CONTROL.search(message.address) or _CONTROL.search(message.envelope_from):
        return "not sent: the address has a character that no address may have"
    if not _ascii(message) and "smtputf8" not in abilities:
        return "not sent: the server takes no address with letters outside ASCII before the @"
    return ""


def _is_for_smtp(message: Message) -> bool:
    """Whether its template has looked through its content and stuffed it, once for all recipients of the variant."""
    return isinstance(message.template, MessageTemplate) and message.template.for_smtp


def _content(message: Message) -> bytes:
    content = message.content if _is_for_smtp(message) else stuffed(message.content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _ascii(message: Message) -> bool:
    return message.address.isascii() and message.envelope_from.isascii()


def _parameters(message: Message, abilities: Collection[str]) -> list[str]:
    """What the server may know beforehand, where it has said that it understands it."""
    parameters = []
    if "size" in abilities:
        parameters.append(f"SIZE={len(message.content)}")
    if "8bitmime" in abilities and not message.content.isascii():
        parameters.append("BODY=8BITMIME")
    if not _ascii(message):
        parameters.append("SMTPUTF8")
    return parameters
