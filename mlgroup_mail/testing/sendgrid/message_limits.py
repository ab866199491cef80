"""What the service wants of content, subject, sender, headers, arguments and attachments, beyond its schema.

Source: its pages "Limitations" and "Errors" of mail/send, whose sentences these are.
"""

import base64
import binascii
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import Flaw
from mlgroup_mail.testing.sendgrid.recipient_limits import is_address

ARGUMENT_BYTES = 10_000
LONGEST_DELAY = 72 * 3600
RESERVED = frozenset(
    (
        "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
        "to", "from", "subject", "reply-to", "cc", "bcc",
    )
)  # fmt: skip
_BREAKS = frozenset("\r\n")


def message_flaws(document: Mapping[str, Any]) -> Iterator[Flaw]:
    """What is wrong with a message that fits the schema."""
    yield from _sender_flaws(document)
    yield from _subject_flaws(document)
    yield from _content_flaws(document)
    for index, attachment in enumerate(document.get("attachments", ())):
        yield from _attachment_flaws(f"attachments.{index}", attachment)
    yield from _header_flaws("headers", document)
    for index, personalization in enumerate(document["personalizations"]):
        place = f"personalizations.{index}"
        yield from _header_flaws(f"{place}.headers", personalization)
        yield from _argument_flaws(f"{place}.custom_args", document, personalization)
        yield from _time_flaws(f"{place}.send_at", personalization)
    yield from _time_flaws("send_at", document)
    if not all(category.isascii() for category in document.get("categories", ())):
        yield Flaw(message="Categories can not contain non-ASCII characters.", field="categories", topic="categories")


def _sender_flaws(document: Mapping[str, Any]) -> Iterator[Flaw]:
    if "reply_to" in document and "reply_to_list" in document:
        yield Flaw(message="reply_to and reply_to_list are mutually exclusive.", field="reply_to", topic="reply_to")
    senders = [("from", document["from"]), ("reply_to", document.get("reply_to"))]
    senders += [
        (f"personalizations.{index}.from", each.get("from")) for index, each in enumerate(document["personalizations"])
    ]
    for place, sender in senders:
        if sender is None:
            continue
        if not is_address(sender["email"]):
            yield Flaw(message="The email must be a valid address.", field=f"{place}.email", topic=place)
        if _BREAKS & set(sender.get("name", "")):
            yield Flaw(message="The name cannot contain CRLF characters.", field=f"{place}.name", topic=place)


def _subject_flaws(document: Mapping[str, Any]) -> Iterator[Flaw]:
    own = [each.get("subject") for each in document["personalizations"]]
    if not document.get("subject") and not all(own) and "template_id" not in document:
        yield Flaw(
            message="The subject is required. You can get around this requirement if you use a template with a subject "
            "defined or if every personalization has a subject defined.",
            field="subject",
            topic="subject",
        )
    if any(_BREAKS & set(subject) for subject in [document.get("subject"), *own] if subject):
        yield Flaw(message="The subject cannot contain CRLF characters.", field="subject", topic="subject")


def _content_flaws(document: Mapping[str, Any]) -> Iterator[Flaw]:
    content = document.get("content", ())
    if not content and "template_id" not in document:
        yield Flaw(
            message="Unless a valid template_id is provided, the content parameter is required. "
            "There must be at least one defined content block.",
            field="content",
            topic="content",
        )
    kinds = [part["type"] for part in content]
    for index, kind in enumerate(kinds):
        if set(kind) & set(";,\r\n"):
            yield Flaw(
                message="The content type cannot contain ';', ',', or CRLF characters.",
                field=f"content.{index}.type",
                topic="content.type",
            )
    places = [{"text/plain": 0, "text/html": 1}.get(kind, 2) for kind in kinds]
    if places != sorted(places) or places.count(0) > 1 or places.count(1) > 1:
        yield Flaw(
            message="Following RFC 1341, section 7.2, if either text/html or text/plain are to be sent in your email: "
            "text/plain needs to be first, followed by text/html, followed by any other content.",
            field="content",
            topic="content.value",
        )


def _attachment_flaws(place: str, attachment: Mapping[str, Any]) -> Iterator[Flaw]:
    try:
        base64.b64decode(attachment["content"], validate=True)
    except binascii.Error:
        yield Flaw(
            message="The attachment content must be base64 encoded.",
            field=f"{place}.content",
            topic="attachments.content",
        )
    for name in ("type", "filename", "content_id"):
        if set(attachment.get(name, "")) & set(";,\r\n"):
            yield Flaw(
                message=f"The attachment {name} cannot contain ';', or CRLF characters.",
                field=f"{place}.{name}",
                topic=f"attachments.{name}",
            )


def _header_flaws(place: str, holder: Mapping[str, Any]) -> Iterator[Flaw]:
    headers = holder.get("headers", {})
    if len({name.lower() for name in headers}) < len(headers):
        yield Flaw(message="The headers cannot contain duplicate keys.", field=place, topic="headers")
    for name, value in headers.items():
        if not (name and name.isascii() and name.isprintable()) or set(name) & set(" :"):
            reason = "Header keys cannot contain non-ASCII characters or empty spaces."
        elif name.lower() in RESERVED:
            reason = "Header cannot be one of the reserved keys."
        elif not isinstance(value, str):
            reason = "All values of the headers object must be strings."
        elif not value.isascii() or _BREAKS & set(value):
            reason = "Header values cannot contain non-ASCII or CRLF characters."
        else:
            continue
        yield Flaw(message=reason, field=f"{place}.{name}", topic="headers")


def _argument_flaws(place: str, document: Mapping[str, Any], personalization: Mapping[str, Any]) -> Iterator[Flaw]:
    topic = "personalizations.custom_args"
    if "custom_args" in personalization and not personalization["custom_args"]:
        yield Flaw(message="custom_args cannot be empty.", field=place, topic=topic)
    arguments = {**document.get("custom_args", {}), **personalization.get("custom_args", {})}
    if not all(isinstance(value, str) for value in arguments.values()):
        yield Flaw(message="All values of custom arguments object must be strings", field=place, topic=topic)
    elif sum(len(name.encode()) + len(value.encode()) for name, value in arguments.items()) > ARGUMENT_BYTES:
        yield Flaw(
            message="The combined size of both global and personalization custom arguments may not exceed "
            f"{ARGUMENT_BYTES:,} bytes per personalization.",
            field=place,
            topic=topic,
        )


def _time_flaws(place: str, holder: Mapping[str, Any]) -> Iterator[Flaw]:
    if holder.get("send_at", 0) > time.time() + LONGEST_DELAY:
        yield Flaw(message="Scheduling more than 72 hours in advance is forbidden.", field=place, topic="send_at")
