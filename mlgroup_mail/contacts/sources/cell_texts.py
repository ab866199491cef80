"""Values of workbooks and databases as the texts that a CSV file would hold."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite


def as_text(value: object) -> str:
    """One value: whole numbers without a fraction, dates as in ISO 8601, several values apart by "; "."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return (value.date() if value.timetz() == time() else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", errors="replace")
    if isinstance(value, Iterable) and not isinstance(value, dict):
        return "; ".join(as_text(each) for each in value)
    return str(value)


def _number(value: float | Decimal) -> str:
    # Beyond 17 digits a float is no exact number any more.
    if isfinite(value) and int(value) == value and len(whole := str(int(value))) <= 17:
        return whole
    return format(value, "f") if isinstance(value, Decimal) else repr(value)
