"""What is told about a document: what was not kept, and what somebody should look at, each with its place in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

_NEAR = 6
"""So many words name a place."""
_LONGEST = 80
_WINDOW = 300
"""So many characters around a place are looked at."""


class RemarkKind(StrEnum):
    """What a remark is about."""

    LOST = "lost"
    """Something of the document is not in the campaign."""
    LOOK = "look"
    """It was kept or understood in one way, and its author may want another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """One remark: `what` without a full stop, `near` the place in words ("" where `what` says it)."""

    kind: RemarkKind
    what: str
    near: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.near}" if self.near else self.what


def lost(what: str, near: str = "") -> Remark:
    """Something that is not in the campaign."""
    return Remark(kind=RemarkKind.LOST, what=what, near=near)


def look(what: str, near: str = "") -> Remark:
    """Something to look at."""
    return Remark(kind=RemarkKind.LOOK, what=what, near=near)


def quoted(text: str, longest: int = _LONGEST) -> str:
    """The beginning of a text, in quotes, on one line, without what would steer a terminal."""
    words = "".join(char for char in " ".join(text.split()) if char.isprintable())
    if len(words) > longest:
        words = words[:longest].rpartition(" ")[0] or words[:longest]
        words = f"{words.rstrip(' ,;:.–-')} ..."
    return f"“{words}”"


def totals(counts: Mapping[str, int]) -> Iterator[Remark]:
    """What a walk only counts: `inserted`, `deleted`, `underlined`, lines of `contents`."""
    if inserted := counts["inserted"]:
        yield look(f"changes were tracked: {inserted} insertion{_s(inserted)} taken as accepted")
    if deleted := counts["deleted"]:
        yield lost(f"{deleted} deletion{_s(deleted)} of tracked changes")
    if underlined := counts["underlined"]:
        yield lost(f"the line under {underlined} passage{_s(underlined)}: in a mail it would look like a link")
    if counts["contents"]:
        yield lost("a table of contents")


class Spots:
    """Collects remarks while a document is walked through, and names their places when its text is known."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self.here = 0
        """How many characters have been read."""
        self._found: list[tuple[int, Remark]] = []

    def read(self, text: str) -> None:
        """Text that the walk has come by; a line break ends a paragraph."""
        self._text.append(text)
        self.here += len(text)

    def note(self, remark: Remark, at: int | None = None) -> None:
        """A remark on a place, the one that the walk has reached unless told."""
        self._found.append((self.here if at is None else at, remark))

    def remarks(self) -> tuple[Remark, ...]:
        """The remarks in the document's order."""
        text = "".join(self._text)
        return tuple(
            Remark(kind=each.kind, what=each.what, near=_near(text, at)) for at, each in sorted(self._found, key=_place)
        )


def _place(found: tuple[int, Remark]) -> int:
    return found[0]


def _near(text: str, at: int) -> str:
    """The words before a place in its own paragraph, or else those after it, or before."""
    before, after = text[max(0, at - _WINDOW) : at], text[at : at + _WINDOW]
    if words := before.rpartition("\n")[2].split():
        return f"after {quoted(' '.join(words[-_NEAR:]))}"
    if words := after.lstrip().partition("\n")[0].split():
        return f"before {quoted(' '.join(words[:_NEAR]))}"
    words = before.split()
    return f"after {quoted(' '.join(words[-_NEAR:]))}" if words else ""


def _s(count: int) -> str:
    return "" if count == 1 else "s"
