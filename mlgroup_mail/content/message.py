"""The bytes on the wire: a variant's message is built once and cut at its slots, then filled for each recipient."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import SMTP
from typing import NamedTuple

from mlgroup_mail.content import headers
from mlgroup_mail.content.merge_fields import split_at_tokens
from mlgroup_mail.content.merging import merge_subject, written
from mlgroup_mail.content.quoted_printable import encode, join_pieces
from mlgroup_mail.model.message import CompiledMessage, MergeValues, Sender, Slot


class _Place(NamedTuple):
    """The bytes of `slots[slot]` go to `segments[segment]`."""

    segment: int
    slot: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageTemplate:
    """A variant's message as pre-encoded segments; filling encodes the slots only and joins.

    `segments` has an empty place for each slot, `places` says which of `slots` goes where (a slot that occurs
    several times is encoded once).
    """

    compiled: CompiledMessage
    one_click: bool
    segments: tuple[bytes, ...]
    places: tuple[_Place, ...]
    slots: tuple[Slot, ...]
    subject: bytes | None
    """The finished Subject field; None where it has slots."""

    @classmethod
    def build(
        cls,
        compiled: CompiledMessage,
        *,
        sender: Sender,
        list_id: str,
        one_click: bool,
    ) -> "MessageTemplate":
        """Build the message that all recipients of a variant share.

        `list_id` is `<topic>.<list id of the group>` (RFC 2919). `one_click` adds the https link and
        List-Unsubscribe-Post (RFC 8058). Raises ValueError where the sender's address is none.
        """
        slots = list(dict.fromkeys(compiled.tokens.values()))
        numbers = {slot: number for number, slot in enumerate(slots)}
        segments: list[bytes] = []
        places = []
        fixed, has_slots = _fixed_headers(compiled, sender, list_id, one_click=one_click)
        for text in _mime(compiled, fixed):
            if isinstance(text, Slot):
                places.append(_Place(len(segments), numbers[text]))
                segments.append(b"")
            else:
                segments.append(text)
        return cls(
            compiled=compiled,
            one_click=one_click,
            segments=tuple(segments),
            places=tuple(places),
            slots=tuple(slots),
            subject=None if has_slots else headers.unstructured("Subject", compiled.subject),
        )

    def fill(self, values: MergeValues, *, message_id: str, date: datetime) -> bytes:
        """The finished message for one recipient, with CRLF line ends, not dot-stuffed.

        `message_id` has its angle brackets, `date` is aware. No value of a person can break it. Raises ValueError
        where what is our own is wrong: an address that was not normalised, a link that is none, a Message-ID.
        """
        encoded = [encode(written(slot, values)) for slot in self.slots]
        parts = list(self.segments)
        for segment, slot in self.places:
            parts[segment] = encoded[slot]
        return b"".join((self._own_headers(values, message_id, date), *parts))

    def _own_headers(self, values: MergeValues, message_id: str, date: datetime) -> bytes:
        if self.one_click and not values.one_click:
            raise ValueError("this mailing offers one click, and this recipient has no link for it")
        ways_out = [values.one_click, values.opt_out_mail] if self.one_click else [values.opt_out_mail]
        return b"".join(
            (
                headers.sent_at(date),
                headers.message_id(message_id),
                headers.mailbox("To", values.name, values.address),
                self.subject or headers.unstructured("Subject", merge_subject(self.compiled, values)),
                headers.links("List-Unsubscribe", ways_out),
            )
        )


def _fixed_headers(compiled: CompiledMessage, sender: Sender, list_id: str, *, one_click: bool) -> tuple[bytes, bool]:
    """The header fields that all recipients share, and whether the subject is not one of them."""
    fields = [headers.mailbox("From", sender.name, sender.address)]
    if sender.reply_to:
        fields.append(headers.mailbox("Reply-To", sender.name, sender.reply_to))
    fields.append(headers.plain("List-Id", f"<{list_id}>"))
    if one_click:
        fields.append(headers.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    # People wrote it, so it is not Auto-Submitted (RFC 3834, 5); these two keep holiday replies away all the same.
    fields.append(headers.plain("Precedence", "bulk"))
    fields.append(headers.plain("X-Auto-Response-Suppress", "OOF, AutoReply"))
    fields.append(headers.plain("Content-Language", compiled.language))
    fields += [headers.plain(name, value) for name, value in compiled.headers]
    return b"".join(fields), any(token in compiled.subject for token in compiled.tokens)


def _mime(compiled: CompiledMessage, fixed: bytes) -> list[bytes | Slot]:
    """The shared headers and the body, text before HTML, cut at the slots."""
    # "=_" cannot occur in quoted-printable, so the boundary cannot occur in a part (RFC 2045, 6.7).
    boundary = f"=_{hashlib.sha256((compiled.text + compiled.html).encode()).hexdigest()[:24]}"
    bodies = {"plain": compiled.text, "html": compiled.html}
    message = MIMEMultipart("alternative", boundary=boundary, policy=SMTP)
    for subtype in bodies:
        part = MIMENonMultipart("text", subtype, policy=SMTP, charset="utf-8")
        del part["MIME-Version"]
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(f"{boundary}.{subtype}")
        message.attach(part)
    cut: list[bytes | Slot] = []
    rest = fixed + message.as_bytes()
    for subtype, text in bodies.items():
        before, _, rest = rest.partition(f"{boundary}.{subtype}".encode())
        cut += [before, *_body(text, compiled)]
    return [*cut, rest]


def _body(text: str, compiled: CompiledMessage) -> list[bytes | Slot]:
    pieces, slots = split_at_tokens(text.replace("\r\n", "\n").replace("\r", "\n"), compiled.tokens)
    first, *others = join_pieces([encode(piece) for piece in pieces])
    body: list[bytes | Slot] = [first]
    for slot, segment in zip(slots, others, strict=True):
        body += slot, segment
    return body
