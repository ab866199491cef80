"""What the variants of a mailing are called where people look at them: "fr, UTC+2"."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlgroup_mail.content.compiling.variants import EVENT_TIMES, TRANSLATION, variant_fields
from mlgroup_mail.content.frozen import FrozenSource


def variant_names(source: FrozenSource, keys: Mapping[str, int]) -> dict[int, str]:
    """The name of each variant by its id; `keys` are the ledger's (key -> id). "" where all read the same."""
    names = variant_fields(source).names
    found = {}
    for key, variant_id in keys.items():
        values = json.loads(key)
        # An older version may have told readers apart by other fields.
        parts = map(_part, names, values) if len(values) == len(names) else map(str, values)
        found[variant_id] = ", ".join(part or source.language for part in parts)
    return found


def _part(name: str, value: Any) -> str:
    """One field in words; "" for the language of the original."""
    field, _, member = name.partition(":")
    match value:
        case _ if name == TRANSLATION:
            return str(value)
        case _ if name == EVENT_TIMES:
            return _clock(value)
        case bool():
            return f"{field} {'with' if value else 'without'} {member}"
        case list():
            return f"{field} {'; '.join(map(str, value)) or 'none'}"
        case _:
            return f"{field} {value or 'none'}"


def _clock(times: Sequence[Sequence[Any]]) -> str:
    """By how much the reader's clock differs from UTC while the events take place."""
    offsets = sorted({offset for _, *offsets in times for offset in offsets})
    return " and ".join(map(_offset, offsets)) if offsets else "the organiser's time"


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
