"""Names that a text uses and nobody knows: what was meant, and what there is."""

import difflib
import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, UndefinedError
from jinja2.utils import missing


class UnknownNameError(UndefinedError):
    """A name that is not known in a text, or that `owner` does not have; `owner` is jinja2's `missing` in a text."""

    def __init__(self, owner: object, name: object, message: str | None) -> None:
        super().__init__(message)
        self.owner, self.name = owner, name

    def explained(self, context: Mapping[str, object]) -> tuple[str, str]:
        """The message and what to write instead; `context` is what the text sees."""
        wanted = str(self.name)
        if self.owner is missing:
            known = [name for name in context if name != "prose"]
            hint = _nearest(wanted, known) or _nearest_within(wanted, context)
            mend = f"{hint}Known: {', '.join(sorted(known))}. Values of your own go under [values] of the front matter."
            return f"“{wanted}” is not known here", mend
        table = next((f"{name}." for name, value in context.items() if value is self.owner), "")
        known = _names_of(self.owner)
        listed = f"Known: {', '.join(known)}." if known else "It has no parts."
        return f"“{table}{wanted}” is not known here", f"{_nearest(wanted, known, table)}{listed}"


class Unknown(StrictUndefined):
    """What a text gets for a name that is not known: an error as soon as it is used."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> None:
        if exc is UndefinedError and hint is None:
            exc = functools.partial(UnknownNameError, obj, name)
        super().__init__(hint, obj, name, exc)


def _nearest(wanted: str, known: list[str], table: str = "") -> str:
    near = difflib.get_close_matches(wanted, known, n=1)
    return f"Did you mean {table}{near[0]}? " if near else ""


def _nearest_within(wanted: str, context: Mapping[str, object]) -> str:
    """ "members" was meant for group.members."""
    inner = {key: name for name, table in context.items() if isinstance(table, Mapping) for key in table}
    near = difflib.get_close_matches(wanted, [key for key in inner if isinstance(key, str)], n=1)
    return f"Did you mean {inner[near[0]]}.{near[0]}? " if near else ""


def _names_of(owner: object) -> list[str]:
    if isinstance(owner, Mapping):
        return [name for name in owner if isinstance(name, str)]
    if isinstance(owner, str | int | float | list | tuple):
        return []
    return [name for name in dir(owner) if not name.startswith("_") and not callable(getattr(owner, name, None))]
