"""Which of a window's messages go in one request, by SendGrid's limits, counted in bytes as they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlgroup_mail.delivery.transports.sendgrid_template import MOST_TAGS, RequestTemplate, substitution_bytes
from mlgroup_mail.model import Message

MOST_PEOPLE = 1000
"""Personalizations of a request (the interface's description, `personalizations`)."""
MOST_BYTES = 28_000_000
"""A message may have 30 MB with its attachments; SendGrid adds headers of its own to what is counted here."""
MOST_SUBSTITUTED = 10_000
"""Bytes of substitutions of one personalization (the interface's description, `substitutions`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowRequest:
    """The request that a window makes, whose it is, in order, and who must wait for a further one.

    `finished`: it is for one alone, whose text and page are finished.
    """

    body: bytes
    messages: tuple[Message, ...]
    left: tuple[Message, ...]
    finished: bool = False


def request_of(messages: Sequence[Message], *, sandbox: bool = False) -> WindowRequest:
    """The request of a window, one message at least.

    It is of one variant, as many as fit, each address once. Who has too large substitutions waits until nobody else is
    left, and goes alone.
    """
    template = _template(messages[0])
    before, after = template.around(sandbox=sandbox)
    room = MOST_BYTES - len(before) - len(after)
    going: list[Message] = []
    left: list[Message] = []
    addresses: set[str] = set()
    for message in messages:
        address, size = message.address.casefold(), len(message.content) + 1
        fits = (
            message.template is template
            and len(going) < MOST_PEOPLE
            and address not in addresses
            # What is too large even for a request of its own is for SendGrid to say.
            and (size <= room or not going)
            and not _too_large(message)
        )
        if fits:
            room -= size
            addresses.add(address)
            going.append(message)
        else:
            left.append(message)
    if not going:
        return _alone(messages, sandbox=sandbox)
    body = b"".join((before, b",".join([message.content for message in going]), after))
    return WindowRequest(body=body, messages=tuple(going), left=tuple(left))


def _alone(messages: Sequence[Message], *, sandbox: bool) -> WindowRequest:
    first = messages[0]
    template = _template(first)
    person, text, html = template.alone(first.content)
    before, after = template.around(text=text, html=html, sandbox=sandbox)
    return WindowRequest(body=before + person + after, messages=(first,), left=tuple(messages[1:]), finished=True)


def _template(message: Message) -> RequestTemplate:
    assert isinstance(message.template, RequestTemplate), "this transport has made the messages that it sends"
    return message.template


def _too_large(message: Message) -> bool:
    # Few are looked into: what is within the limit as a whole is so in its parts.
    large = len(message.content) > MOST_SUBSTITUTED and substitution_bytes(message.content) > MOST_SUBSTITUTED
    return large or len(_template(message).tags) > MOST_TAGS
