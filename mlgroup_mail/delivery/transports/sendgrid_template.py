"""A variant as a SendGrid request: what all share is written once, each recipient's own is a personalization.

SendGrid replaces tags in the content by each recipient's values and escapes nothing, so values go escaped for the place
they stand in, by the functions that fill a message for SMTP. Tags are random, of one length and in no text, so that no
value can hold one: substituting in any order gives the same. Headers know no substitution: they go with each recipient,
all of them, because it is nowhere said whether a recipient's headers add to the request's or replace them.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from mlgroup_mail.content.message import headers
from mlgroup_mail.content.message.merging import clean, merge_subject, written
from mlgroup_mail.content.message.message_template import shared_fields, ways_out
from mlgroup_mail.content.message.mime_tree import CALENDAR_FILE, base64_lines, file_name
from mlgroup_mail.model.message import CompiledMessage, InlineImage, MergeValues, Sender, Slot, SlotContext

DELIVERY = "delivery"
"""The only custom argument: what names a delivery to the outside (`merging.delivery_key`). Events bring it back."""

_OFF: dict[str, Any] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
"""Said each time, whatever the account is set to: links stay as they were approved, and opting out is ours."""

MOST_TAGS = 100
"""Substitutions of one personalization: the smallest of the numbers that SendGrid's pages give."""

_NOT_IN_A_NAME = re.compile(r'[<>\[\]:;@\\,"]+')


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTemplate:
    """A variant's request without its recipients.

    `text` and `html` have a tag wherever a field stands; `tags` are the slots behind them. `shared` has every other key
    of the request as JSON, but for the pictures, which all variants share.
    """

    compiled: CompiledMessage
    one_click: bool
    text: str
    html: str
    tags: tuple[tuple[str, Slot], ...]
    fields: Mapping[str, str]
    """The header fields that are the same for all."""
    subject_differs: bool
    shared: Mapping[str, Any]
    pictures: tuple[tuple[InlineImage, bytes], ...]
    """Each with its `mime_tree.base64_lines`."""

    @classmethod
    def build(
        cls,
        compiled: CompiledMessage,
        *,
        sender: Sender,
        list_id: str,
        one_click: bool,
        pictures: Mapping[str, bytes] = MappingProxyType({}),
    ) -> "RequestTemplate":
        """Build what all recipients of a variant share; takes what `MessageTemplate.build` takes, and raises as it."""
        if missing := [image.name for image in compiled.images if image.digest not in pictures]:
            raise ValueError(f"the ledger lacks the bytes of the picture “{missing[0]}”")
        tokens = {token: slot for token, slot in compiled.tokens.items() if slot.context is not SlotContext.HEADER}
        tag_of = dict(zip(tokens, _random_tags(len(tokens), but_not_in=compiled.text + compiled.html), strict=True))
        subject_differs = any(token in compiled.subject for token in compiled.tokens)
        shared: dict[str, Any] = {"from": _mailbox(sender.name, sender.address)}
        if sender.reply_to:
            shared["reply_to"] = _mailbox(sender.name, sender.reply_to)
        if not subject_differs:
            shared["subject"] = headers.on_one_line(compiled.subject)
        shared |= {"tracking_settings": _OFF, "mail_settings": {"footer": {"enable": False}}}
        return cls(
            compiled=compiled,
            one_click=one_click,
            text=_replaced(compiled.text, tag_of),
            html=_replaced(compiled.html, tag_of),
            tags=tuple((tag_of[token], slot) for token, slot in tokens.items()),
            fields=dict(shared_fields(compiled, list_id, one_click=one_click)),
            subject_differs=subject_differs,
            shared=shared,
            pictures=tuple((image, pictures[image.digest]) for image in compiled.images),
        )

    def fill(self, values: MergeValues, *, message_id: str, date: datetime) -> bytes:  # noqa: ARG002 (SendGrid's)
        """One recipient's personalization, as JSON. Raises ValueError where what is our own is wrong."""
        links = ", ".join(headers.in_brackets(ways_out(values, one_click=self.one_click)))
        person: dict[str, Any] = {
            "to": [_mailbox(_shown_name(values.name), headers.one_address(values.address))],
            "headers": {**self.fields, "Message-ID": headers.one_message_id(message_id), "List-Unsubscribe": links},
            "custom_args": {DELIVERY: message_id[1:].rpartition("@")[0]},
            "substitutions": {tag: written(slot, values) for tag, slot in self.tags},
        }
        if self.subject_differs:
            person["subject"] = headers.on_one_line(merge_subject(self.compiled, values))
        return orjson.dumps(person)

    def around(self, *, text: str | None = None, html: str | None = None, sandbox: bool = False) -> tuple[bytes, bytes]:
        """The request before its personalizations, and behind them; with finished texts where given."""
        shared = dict(self.shared)
        if sandbox:
            shared["mail_settings"] = {**shared["mail_settings"], "sandbox_mode": {"enable": True}}
        shared["content"] = [
            {"type": "text/plain", "value": self.text if text is None else text},
            {"type": "text/html", "value": self.html if html is None else html},
        ]
        before = [orjson.dumps(shared)[:-1]]
        for number, attachment in enumerate(self._attachments()):
            before += b',"attachments":[' if number == 0 else b",", attachment
        if len(before) > 1:
            before.append(b"]")
        return b"".join([*before, b',"personalizations":[']), b"]}"

    def alone(self, person: bytes) -> tuple[bytes, str, str]:
        """A personalization without substitutions, and the finished text and page that go with it."""
        document = orjson.loads(person)
        values: dict[str, str] = document.pop("substitutions")
        return orjson.dumps(document), _replaced(self.text, values), _replaced(self.html, values)

    def _attachments(self) -> list[bytes]:
        inline = [
            _attachment(
                lines,
                type=image.media_type,
                filename=_plain_file_name(image),
                disposition="inline",
                content_id=image.content_id,
            )
            for image, lines in self.pictures
        ]
        if not self.compiled.calendar:
            return inline
        # SendGrid takes no parameters in a type; METHOD stands in the calendar itself, where RFC 5546 has it.
        lines = base64_lines(self.compiled.calendar.encode())
        return [*inline, _attachment(lines, type="text/calendar", filename=CALENDAR_FILE, disposition="attachment")]


def substitution_bytes(person: bytes) -> int:
    """How many bytes the substitutions of a personalization take, as they are sent."""
    return len(orjson.dumps(orjson.loads(person)["substitutions"]))


def _attachment(lines: bytes, **keys: str) -> bytes:
    # The base64 is put in as it is: a picture may be large, and it needs no escaping.
    return orjson.dumps(keys)[:-1] + b',"content":"' + lines.replace(b"\r\n", b"") + b'"}'


def _plain_file_name(image: InlineImage) -> str:
    """A picture's name: SendGrid takes no semicolon or comma in it, and encodes nothing beyond ASCII."""
    return re.sub(r"[^ -~]|[;,\"\\]", "_", file_name(image.name)) or "picture"


def _random_tags(number: int, *, but_not_in: str) -> list[str]:
    """So many tags of 24 letters and digits that stand nowhere in a text."""
    found: set[str] = set()
    while len(found) < number:
        tag = secrets.token_hex(12)
        if tag not in but_not_in:
            found.add(tag)
    return list(found)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """All at once, so that no value is looked at again."""
    if not values:
        return text
    return re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], text)


def _mailbox(name: str, address: str) -> dict[str, str]:
    return {"email": address, "name": name} if name else {"email": address}


def _shown_name(name: str) -> str:
    """A recipient's name without what an address list is made of.

    SendGrid takes no comma or semicolon in it ("Limitations" of mail/send), and quotes none of the others:
    https://github.com/sendgrid/sendgrid-python/issues/291
    """
    return " ".join(_NOT_IN_A_NAME.sub(" ", clean(name)).split())
