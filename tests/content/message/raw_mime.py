"""A strict reader of finished messages, from the RFCs alone: it forgives nothing that the standard library forgives."""

import base64
import binascii
import quopri
import re
from dataclasses import dataclass, field

_FIELD = re.compile(rb"([!-9;-~]+): ?(.*)", re.DOTALL)
_QUOTED_PRINTABLE = bytes(range(ord(" "), ord("~") + 1)) + b"\t\r\n"
_BOUNDARY = re.compile(rb'boundary="([^"]{1,70})"')


@dataclass(kw_only=True)
class Part:
    """A part as it stands on the wire: unfolded header fields in order, and its body without the last line end."""

    fields: list[tuple[str, bytes]]
    body: bytes
    parts: list["Part"] = field(default_factory=list)

    def all(self, name: str) -> list[bytes]:
        """Every field of that name."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name: str) -> bytes:
        """The only field of that name."""
        (value,) = self.all(name)
        return value

    @property
    def media_type(self) -> str:
        """Without its parameters."""
        return self.one("Content-Type").split(b";")[0].decode("ascii")

    def decoded(self) -> bytes:
        """The body without its transfer encoding; CRLF in what is text."""
        encoding = self.one("Content-Transfer-Encoding")
        if encoding == b"base64":
            assert re.fullmatch(rb"(?:[A-Za-z0-9+/=]{1,76}\r\n)*[A-Za-z0-9+/=]{0,76}", self.body), "lines of base64"
            return base64.b64decode(self.body.replace(b"\r\n", b""), validate=True)
        assert encoding == b"quoted-printable"
        assert not self.body.translate(None, _QUOTED_PRINTABLE), "RFC 2045, 6.7, rule 2"
        assert not re.search(rb"=(?!\r\n|[0-9A-F]{2})", self.body), "rule 1"
        assert not re.search(rb"[ \t](?:\r\n|\Z)", self.body), "rule 3"
        assert max(map(len, self.body.split(b"\r\n"))) <= 76, "rule 5"
        return quopri.decodestring(self.body)

    def leaves(self) -> list["Part"]:
        """Every part that is none of parts, in order."""
        return [leaf for part in self.parts for leaf in part.leaves()] if self.parts else [self]


def read_message(content: bytes, *, utf8: bool = False) -> Part:
    """Read a message; AssertionError wherever it breaks a rule of RFC 5322, 2045 or 2046. `utf8`: by RFC 6532."""
    assert content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n"), "line ends are CRLF"
    assert b"\0" not in content
    assert max(map(len, content.split(b"\r\n"))) <= 998, "RFC 5322, 2.1.1"
    message = _part(content, utf8=utf8)
    assert utf8 or content.isascii(), "7-bit"
    assert message.one("MIME-Version") == b"1.0"
    for name in ("From", "To", "Date", "Message-ID", "Subject", "List-Id", "List-Unsubscribe"):
        assert len(message.all(name)) == 1, name
    for name in ("Cc", "Bcc", "Sender", "Resent-To"):
        assert not message.all(name), name
    return message


def _part(content: bytes, *, utf8: bool = False) -> Part:
    head, blank, body = content.partition(b"\r\n\r\n")
    assert blank, "a header ends with an empty line"
    fields = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        # One word alone may be longer: an address, an id.
        words = [each.strip().partition(b": ")[2] or each.strip() for each in line.split(b"\r\n")]
        assert all(len(each) <= 76 or b" " not in each for each in words), "folded where it can be (RFC 5322, 2.1.1)"
        assert not re.search(rb"\r\n[ \t]+(?:\r\n|\Z)", line), "no line of blanks alone"
        found = _FIELD.fullmatch(line)
        assert found, "a field is a name, a colon and a value"
        value = found[2].replace(b"\r\n", b"")
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value), "no control character"
        assert utf8 or value.isascii()
        fields.append((found[1].decode("ascii"), value))
    part = Part(fields=fields, body=body)
    if part.media_type.startswith("multipart/"):
        (boundary,) = _BOUNDARY.findall(part.one("Content-Type"))
        part.parts = [_part(piece) for piece in _pieces(body, boundary)]
    return part


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts between the delimiters; there is neither preamble nor epilogue (RFC 2046, 5.1.1)."""
    lines = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert lines[0] == b"", "no preamble"
    assert lines[-1].strip(b"\r\n") == b"--", "closed, and nothing behind it"
    for piece in lines[1:-1]:
        assert piece.startswith(b"\r\n"), "nothing behind the delimiter on its line: no longer boundary begins with it"
    return [piece[2:] for piece in lines[1:-1]]


def words(value: bytes) -> str:
    """An unfolded field with its encoded-words decoded (RFC 2047), written without the standard library's reader."""
    text, end = "", 0
    for found in re.finditer(rb"=\?utf-8\?b\?([A-Za-z0-9+/=]+)\?=", value):
        assert len(found[0]) <= 75
        between = value[end : found.start()]
        if not (end and not between.strip()):
            text += between.decode()
        try:
            text += base64.b64decode(found[1], validate=True).decode()
        except binascii.Error:
            raise AssertionError("an encoded-word that is none") from None
        end = found.end()
    return text + value[end:].decode()
