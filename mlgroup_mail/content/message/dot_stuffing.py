"""Content as SMTP writes it: no line is a lone dot, and none ends but in CRLF (RFC 5321, 2.3.8 and 4.5.2)."""


def stuffed(lines: bytes) -> bytes:
    """Text that begins at the start of a line and whose lines end in CRLF, with each leading dot doubled."""
    doubled = lines.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def has_bare_line_ends(content: bytes) -> bool:
    """Whether a CR or LF stands alone.

    Servers differ over where such a message ends, which lets its text forge a second one ("SMTP smuggling").
    """
    # Every CR and every LF is part of a CRLF where there are as many of each; counting is faster than looking.
    pairs = content.count(b"\r\n")
    return content.count(b"\r") != pairs or content.count(b"\n") != pairs
