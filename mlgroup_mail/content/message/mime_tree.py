"""What stands below the header of a message: its parts in their order, cut where merge fields are filled in.

multipart/mixed                 only with a calendar
  multipart/alternative         the last form that a reader's program understands is shown (RFC 2046, 5.1.4)
    text/plain
    multipart/related           only with pictures (RFC 2387)
      text/html
      image/...
  text/calendar
"""

import base64
import hashlib
from collections.abc import Mapping
from email.headerregistry import HeaderRegistry, MessageIDHeader
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import SMTP
from pathlib import PurePosixPath

from mlgroup_mail.content.merge_fields import split_at_tokens
from mlgroup_mail.content.message.merging import clean
from mlgroup_mail.content.message.quoted_printable import encode, join_pieces
from mlgroup_mail.model.message import CompiledMessage, InlineImage, Slot

CALENDAR_FILE = "invitation.ics"

Cut = list[bytes | Slot]
"""Encoded bytes, and the slots between them."""

_REGISTRY = HeaderRegistry()
# Without this, a Content-ID too long for its line becomes encoded-words, and the picture is not found (seen in 3.11).
_REGISTRY.map_to_type("content-id", MessageIDHeader)  # type: ignore[arg-type]  # typeshed knows bases only
_POLICY = SMTP.clone(header_factory=_REGISTRY)


def base64_lines(content: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045, 6.8), without the last line's end."""
    return base64.encodebytes(content).rstrip(b"\n").replace(b"\n", b"\r\n")


def mime_tree(compiled: CompiledMessage, pictures: Mapping[str, bytes]) -> Cut:
    """From the MIME-Version field to the end; `pictures` are the `base64_lines` of each inline image by digest.

    They become segments as they are: all variants share the same bytes. Raises KeyError for one that is missing.
    """
    tree = _Tree(compiled)
    plain = tree.text("plain", compiled.text)
    shown: Message = tree.text("html", compiled.html)
    if compiled.images:
        images = [tree.image(image, pictures[image.digest]) for image in compiled.images]
        shown = tree.multipart("related", [shown, *images], type="text/html")
    root: Message = tree.multipart("alternative", [plain, shown])
    if compiled.calendar:
        root = tree.multipart("mixed", [root, tree.calendar(compiled.calendar)])
    return tree.cut(root)


class _Tree:
    """Parts whose contents are put in after `email` has written what stands around them."""

    def __init__(self, compiled: CompiledMessage) -> None:
        self._compiled = compiled
        # "=_" occurs neither in quoted-printable nor in base64, so no boundary can occur in a part (RFC 2045, 6.7).
        everything = (compiled.text, compiled.html, compiled.calendar, *(image.digest for image in compiled.images))
        self._mark = f"=_{hashlib.sha256(chr(0).join(everything).encode()).hexdigest()[:24]}"
        self._contents: list[Cut] = []

    def multipart(self, subtype: str, parts: list[Message], **parameters: str) -> MIMEMultipart:
        for part in parts:
            del part["MIME-Version"]
        # None begins another: a reader that looks at the beginning of a line only must not take one for the other.
        boundary = f"{self._mark}.{subtype}"
        return MIMEMultipart(subtype, boundary, parts, policy=_POLICY, **parameters)

    def text(self, subtype: str, text: str) -> Message:
        return self._leaf(f"text/{subtype}", "quoted-printable", _quoted(text, self._compiled), charset="utf-8")

    def image(self, image: InlineImage, lines: bytes) -> Message:
        part = self._leaf(image.media_type, "base64", [lines])
        part["Content-ID"] = f"<{image.content_id}>"
        _name_file(part, "inline", file_name(image.name))
        return part

    def calendar(self, calendar: str) -> Message:
        # Base64, because a calendar's line ends and folds are its own (RFC 5545, 3.1) and must arrive as they are.
        lines = base64_lines(calendar.encode())
        parameters = {"charset": "utf-8", "method": "PUBLISH", "name": CALENDAR_FILE}
        part = self._leaf("text/calendar", "base64", [lines], **parameters)
        _name_file(part, "attachment", CALENDAR_FILE)
        return part

    def cut(self, root: Message) -> Cut:
        rest, cut = root.as_bytes(), list[bytes | Slot]()
        for number, content in enumerate(self._contents):
            before, _, rest = rest.partition(self._placeholder(number).encode())
            cut += before, *content
        return [*cut, rest]

    def _leaf(self, media_type: str, encoding: str, content: Cut, **parameters: str) -> Message:
        kind, _, subtype = media_type.partition("/")
        part = MIMENonMultipart(kind, subtype, policy=_POLICY, **parameters)
        part["Content-Transfer-Encoding"] = encoding
        part.set_payload(self._placeholder(len(self._contents)))
        self._contents.append(content)
        return part

    def _placeholder(self, number: int) -> str:
        return f"{self._mark}.{number}."


def _name_file(part: Message, disposition: str, name: str) -> None:
    # A tuple is written by RFC 2231.
    part.add_header("Content-Disposition", disposition, filename=name if name.isascii() else ("utf-8", "", name))


def file_name(path: str) -> str:
    """A picture's name without its folders, as readers are shown it."""
    # Some readers take "=?" within quotes for the beginning of an encoded-word.
    return clean(PurePosixPath(path).name).replace("=?", "_").strip()


def _quoted(text: str, compiled: CompiledMessage) -> Cut:
    pieces, slots = split_at_tokens(text.replace("\r\n", "\n").replace("\r", "\n"), compiled.tokens)
    first, *others = join_pieces([encode(piece) for piece in pieces])
    body: Cut = [first]
    for slot, segment in zip(slots, others, strict=True):
        body += slot, segment
    return body
