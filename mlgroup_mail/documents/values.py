"""Values that stand in several kinds of files."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_ADDRESSES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\"'<>]")


def one_line(value: str) -> str:
    """A text that can stand in a header: raises ValueError for one of several lines."""
    if _CONTROLS.search(value):
        raise ValueError("must stand on one line, without control characters")
    return value


Line = Annotated[str, AfterValidator(one_line)]
"""A text that can stand in a header."""
FilledLine = Annotated[str, Field(min_length=1), AfterValidator(one_line)]
"""The same, and not empty."""


def web_address(value: str) -> str:
    """A whole web address, or none at all; raises ValueError."""
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        complete = False
    if value and (not complete or _NOT_IN_ADDRESSES.search(value)):
        raise ValueError("must be a web address that begins with https://")
    return value


def matching(pattern: str, message: str) -> AfterValidator:
    """A text must match a regular expression as a whole; `message` says what that means, in words."""
    compiled = re.compile(pattern)

    def check(value: str | None) -> str | None:
        if value is not None and not compiled.fullmatch(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)
