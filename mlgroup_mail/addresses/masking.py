"""What may be shown of an address in logs and errors."""

import re

_ADDRESS_IN_TEXT = re.compile(r"[^\s<>()\[\]\",;:]+(?:[@\uff20\ufe6b]|%40)[^\s<>()\[\]\",;:]+")
_OTHER_AT = re.compile(r"[\uff20\ufe6b]|%40")


def mask(address: str) -> str:
    """What may be shown in logs and errors: `a…@example.org`."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}…@{host}" if local else "…"


def mask_name(name: str) -> str:
    """What may be shown of a person's name: `A… L…`, the first letter of each word."""
    return " ".join(f"{word[0]}…" for word in name.split())


def mask_text(text: str) -> str:
    """A text from elsewhere (a server's answer) with every address in it masked, however its @ is written."""
    return _ADDRESS_IN_TEXT.sub(lambda found: mask(_OTHER_AT.sub("@", found[0])), text)
