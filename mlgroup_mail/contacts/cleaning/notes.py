"""What is said about a row: rejected, or accepted with a value dropped, or accepted and worth a look."""

import unicodedata
from dataclasses import dataclass, field

from mlgroup_mail import addresses
from mlgroup_mail.contacts.fields import Field

_ADDRESSES = frozenset({Field.EMAIL, Field.ALIASES})
_PERSONAL = frozenset({Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ID})
_SHOWN = 40
_KEPT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class RowNote:
    """A row that was rejected, or a value that was dropped or should be looked at: where and why.

    `row` is the number that a spreadsheet shows, `column` the header as written ("" for the whole row). `kept` tells
    that nothing was dropped. `value` is for the people who keep the list, `value_masked` may be logged: addresses
    and names are masked in it.
    """

    source: str
    row: int
    column: str
    reason: str
    kept: bool = False
    value: str = field(default="", repr=False)
    value_masked: str = ""


def shown(cell: str) -> str:
    """A cell on one line for a table or a file, without control characters and not endless."""
    text = " ".join("".join(char if unicodedata.category(char) != "Cc" else " " for char in cell[:_KEPT]).split())
    return f"{text}…" if len(cell) > _KEPT else text


def masked(column: Field, cell: str) -> str:
    """A cell as it may be logged: short, on one line, names and addresses masked."""
    text = shown(cell)
    if column in _ADDRESSES and "@" in text:
        text = addresses.mask(text).partition(" ")[0]
    elif column in _ADDRESSES | _PERSONAL:
        text = f"{text[:1]}…" if text else ""
    text = addresses.mask_text(text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
