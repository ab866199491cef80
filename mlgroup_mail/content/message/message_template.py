"""The bytes on the wire: a variant's message is built once and cut at its slots, then filled for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from mlgroup_mail.content.message import headers
from mlgroup_mail.content.message.dot_stuffing import has_bare_line_ends, stuffed
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
    for_smtp: bool = False
    """Whether what `fill` gives is looked through for bare line ends and dot-stuffed already."""

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

    @classmethod
    def build_for_smtp(
        cls,
        compiled: CompiledMessage,
        *,
        sender: Sender,
        list_id: str,
        one_click: bool,
        pictures: Mapping[str, bytes] = MappingProxyType({}),
    ) -> "MessageTemplate":
        """The same, filled with what SMTP writes: what all recipients share is looked through and stuffed once.

        Raises ValueError where there is a bare line end in it, too.
        """
        built = cls.build(compiled, sender=sender, list_id=list_id, one_click=one_click, pictures=pictures)
        if any(map(has_bare_line_ends, built.segments)):
            raise ValueError("the message has a line end other than CRLF")
        # A segment behind a slot begins with the rest of a line.
        segments = tuple(segment.replace(b"\r\n.", b"\r\n..") for segment in built.segments)
        return replace(built, segments=segments, for_smtp=True)

    def fill(self, values: MergeValues, *, message_id: str, date: datetime) -> bytes:
        """The finished message for one recipient, with CRLF line ends, dot-stuffed only where it is `for_smtp`.

        `message_id` has its angle brackets, `date` is aware. No value of a person can break it. Its header is ASCII,
        but for an address whose local part is not, which is UTF-8 (RFC 6532). Raises ValueError where what is our own
        is wrong: an address that was not normalised, a link that is none, a Message-ID.
        """
        encoded = [encode(written(slot, values)) for slot in self.slots]
        own_headers = self._own_headers(values, message_id, date)
        if self.for_smtp:
            encoded = list(map(stuffed, encoded))  # Each begins a line.
            if any(map(has_bare_line_ends, (own_headers, *encoded))):
                raise ValueError("the message has a line end other than CRLF")
        parts = [own_headers, *self.segments]
        for segment, slot in self.places:
            parts[segment + 1] = encoded[slot]
        return b"".join(parts)

    def _own_headers(self, values: MergeValues, message_id: str, date: datetime) -> bytes:
        return b"".join(
            (
                headers.sent_at(date),
                headers.message_id(message_id),
                headers.mailbox("To", values.name, values.address),
                self.subject or headers.unstructured("Subject", merge_subject(self.compiled, values)),
                headers.links("List-Unsubscribe", ways_out(values, one_click=self.one_click)),
            )
        )


def ways_out(values: MergeValues, *, one_click: bool) -> list[str]:
    """The links of List-Unsubscribe; raises ValueError where the mailing offers one click and this one has no link."""
    if one_click and not values.one_click:
        raise ValueError("this mailing offers one click, and this recipient has no link for it")
    return [values.one_click, values.opt_out_mail] if one_click else [values.opt_out_mail]


def shared_fields(compiled: CompiledMessage, list_id: str, *, one_click: bool) -> list[tuple[str, str]]:
    """The header fields, name and value, that are the same for all recipients, whichever way the message goes."""
    fields = [("List-Id", f"<{list_id}>")]
    if one_click:
        fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    # People wrote it, so it is not Auto-Submitted (RFC 3834, 5); these two keep holiday replies away all the same.
    fields += [("Precedence", "bulk"), ("X-Auto-Response-Suppress", "OOF, AutoReply")]
    return [*fields, ("Content-Language", compiled.language), *compiled.headers]


def _fixed_headers(compiled: CompiledMessage, sender: Sender, list_id: str, *, one_click: bool) -> bytes:
    """The header fields that all recipients share; those of MIME follow."""
    fields = [headers.mailbox("From", sender.name, sender.address)]
    if sender.reply_to:
        fields.append(headers.mailbox("Reply-To", sender.name, sender.reply_to))
    fields += [headers.plain(*field) for field in shared_fields(compiled, list_id, one_click=one_click)]
    return b"".join(fields)
