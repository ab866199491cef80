"""The bytes on the wire: a variant's message is built once and cut at its slots, then filled for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from mlgroup_mail.content.message import headers
from mlgroup_mail.content.message.merging import merge_subject, written
from mlgroup_mail.content.message.mime_tree import mime_tree
from mlgroup_mail.content.message.quoted_printable import encode
from mlgroup_mail.model.message import CompiledMessage, MergeValues, Sender, Slot


class _Place(NamedTuple):
    """The bytes of `slots[slot]` go to `segments[segment]`."""

    segment: int
    slot: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageTemplate:
    """A variant's message as pre-encoded segments; filling encodes the slots only and joins.

    `segments` has an empty place for each slot, `places` says which of `slots` goes where (a slot that occurs
    several times is encoded once). Pictures are segments of their own, which all variants share.
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
        pictures: Mapping[str, bytes] = MappingProxyType({}),
    ) -> "MessageTemplate":
        """Build the message that all recipients of a variant share.

        `list_id` is `<topic>.<list id of the group>` (RFC 2919). `one_click` adds the https link and
        List-Unsubscribe-Post (RFC 8058). `pictures` has the `mime_tree.base64_lines` of each inline image by its
        digest. Raises ValueError where the sender's address is none, or a picture is missing.
        """
        if missing := [image.name for image in compiled.images if image.digest not in pictures]:
            raise ValueError(f"the ledger lacks the bytes of the picture “{missing[0]}”")
        slots = list(dict.fromkeys(compiled.tokens.values()))
        numbers = {slot: number for number, slot in enumerate(slots)}
        segments = [_fixed_headers(compiled, sender, list_id, one_click=one_click)]
        places = []
        for piece in mime_tree(compiled, pictures):
            if isinstance(piece, Slot):
                places.append(_Place(len(segments), numbers[piece]))
                segments.append(b"")
            else:
                segments.append(piece)
        has_slots = any(token in compiled.subject for token in compiled.tokens)
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

        `message_id` has its angle brackets, `date` is aware. No value of a person can break it. Its header is ASCII,
        but for an address whose local part is not, which is UTF-8 (RFC 6532). Raises ValueError where what is our own
        is wrong: an address that was not normalised, a link that is none, a Message-ID.
        """
        encoded = [encode(written(slot, values)) for slot in self.slots]
        parts = [self._own_headers(values, message_id, date), *self.segments]
        for segment, slot in self.places:
            parts[segment + 1] = encoded[slot]
        return b"".join(parts)

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


def _fixed_headers(compiled: CompiledMessage, sender: Sender, list_id: str, *, one_click: bool) -> bytes:
    """The header fields that all recipients share; those of MIME follow."""
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
    return b"".join(fields)
