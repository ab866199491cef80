"""Merge fields: opaque tokens while a template is compiled, a recipient's values afterwards."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlgroup_mail.model.message import Slot, SlotContext

RECIPIENT_FIELDS = ("name", "first_name", "address", "organisation")
"""Fields of `recipient` that differ for nearly everybody."""
LINK_FIELDS = ("opt_out", "opt_out_all")
"""Fields of `links`: out of this topic, out of everything."""
SHARED_FIELDS = ("timezone", "themes", "topics", "language", "status", "country")
"""Fields of `recipient` that groups share: real values, one compiled variant for each combination."""
SHARED_SETS = ("themes", "topics")
"""Those of them that are sets."""

MERGE_FIELDS = (*(f"recipient.{name}" for name in RECIPIENT_FIELDS), *(f"links.{name}" for name in LINK_FIELDS))


def placed(name: str, place: str) -> str:
    """A field's name together with file and line where it is written, as MergeFields takes it."""
    return f"{name}\0{place}"


class MergeFields(dict[str, Any]):
    """What a template sees as `recipient` or `links`: values by name, a merge field also by its `placed` name."""

    def __missing__(self, key: str) -> Any:
        name, mark, place = key.partition("\0")
        if not mark:
            raise KeyError(key)
        value = self[name]
        return value.at(place) if isinstance(value, MergeField) else value


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedSlot(Slot):
    """A slot while a text is compiled: `place` is file and line where the field is written."""

    place: str = ""


class MergeField:
    """What a template sees in place of a merge field: something that prints as its token and can do nothing else."""

    __slots__ = ("_place", "_tokens", "name", "token")

    def __init__(self, name: str, tokens: "Tokens", fallback: str | None = None, place: str = "") -> None:
        self.name = name
        self._tokens = tokens
        self._place = place
        self.token = tokens.of(PlacedSlot(field=name, context=SlotContext.PLAIN, fallback=fallback, place=place))

    def with_fallback(self, fallback: str) -> "MergeField":
        """The same field with what stands in for an empty value."""
        return MergeField(self.name, self._tokens, fallback, self._place)

    def at(self, place: str) -> "MergeField":
        """The same field as it is written at that place: file and line."""
        return MergeField(self.name, self._tokens, place=place)

    def __str__(self) -> str:
        return self.token

    def __html__(self) -> str:
        return self.token


class Tokens:
    """Hands out tokens: letters and digits, of one length, that occur nowhere in the text by themselves.

    `seed` is a digest over that very text, so that no text can hold a token of its own. `stage` keeps the tokens of
    compiling apart from those of the compiled message.
    """

    def __init__(self, seed: str, stage: str) -> None:
        # Hexadecimal digits stand in no word of MJML, CSS or HTML behind a q and before a z.
        self.prefix = f"q{hashlib.sha256(f'{stage}:{seed}'.encode()).hexdigest()[:14]}"
        self._slots: dict[Slot, str] = {}

    def of(self, slot: Slot) -> str:
        """The token of a slot; the same for the same slot."""
        return self._slots.setdefault(slot, f"{self.prefix}{len(self._slots):03}z")

    @property
    def slots(self) -> dict[str, Slot]:
        """Every token handed out, with its slot."""
        return {token: slot for slot, token in self._slots.items()}

    def readable(self, text: str) -> str:
        """A text for people: each token as its field is written."""
        for token, slot in self.slots.items():
            text = text.replace(token, f"{{{{ {slot.field} }}}}")
        return text

    def damaged(self, text: str) -> bool:
        """Whether something changed or cut a token: its beginning is there, the whole is not."""
        begun = len(re.findall(re.escape(self.prefix), text, re.IGNORECASE))
        return begun != sum(text.count(token) for token in self._slots.values())


def find_tokens(text: str, tokens: Iterable[str]) -> list[tuple[int, str]]:
    """Where each token stands, in order."""
    pattern = "|".join(map(re.escape, tokens))
    return [(found.start(), found[0]) for found in re.finditer(pattern, text)] if pattern else []


def split_at_tokens(text: str, tokens: Mapping[str, Slot]) -> tuple[list[str], list[Slot]]:
    """The literal pieces of a text, and the slots between them: always one piece more than slots."""
    pieces, slots, end = [], [], 0
    for start, token in find_tokens(text, tokens):
        pieces.append(text[end:start])
        slots.append(tokens[token])
        end = start + len(token)
    return [*pieces, text[end:]], slots
