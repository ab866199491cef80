"""A mailing's words in one language."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

_MARK = "…"
"""Stands where a line was."""
LINES = ("subject", "title", "preheader")
"""The words that stand outside the text, in front matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingText:
    """A mailing's words in one language: the original's, or those of a translation.

    `text` is Jinja and Markdown, from `text_file` (as shown to people) beginning on its line `text_line`. `places` are
    file and line of subject, title and preheader, where they are known.
    """

    language: str
    subject: str
    title: str
    preheader: str
    text: str
    text_file: str
    text_line: int
    places: dict[str, str] = field(default_factory=dict)

    def name_of(self, line: str) -> str:
        """What subject, title or preheader is called in errors: "campaigns/call/campaign.md (subject)"."""
        return f"{self._written_in(line)[0]} ({line})"

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """Every line of these words with its place: file and line. Each thing once: a title may be the subject."""
        words = {getattr(self, key): self.places.get(key, self.text_file) for key in reversed(LINES)}
        yield from ((place, line) for line, place in reversed(words.items()))
        for number, line in enumerate(self.text.split("\n"), start=self.text_line):
            yield f"{self.text_file}, line {number}", line

    @property
    def templates(self) -> dict[str, str]:
        """Each of these words as a Jinja text by what it is called, beginning on its true line."""
        lines = {self.name_of(line): (self._written_in(line)[1], getattr(self, line)) for line in LINES}
        lines[self.text_file] = self.text_line, self.text
        return {name: "\n" * (first - 1) + text for name, (first, text) in lines.items()}

    def without_line(self, place: str) -> "MailingText | None":
        """These words with “…” in place of the line at `place`, file and line; None where that changes more than it.

        That is a line of another file, one that begins or ends something, and one within a block.
        """
        for key in LINES:
            written = getattr(self, key)
            if place.startswith(self.name_of(key)) and written != _MARK:
                # A title is often the subject.
                same: dict[str, Any] = {line: _MARK for line in LINES if getattr(self, line) == written}
                return replace(self, **same)
        lines = self.text.split("\n")
        at = {f"{self.text_file}, line {number}": index for index, number in enumerate(self._numbers(lines))}.get(place)
        if at is None or "{{" not in lines[at] or "{%" in lines[at] or _MARK in lines[at]:
            return None
        if sum(line.lstrip().startswith(("```", "~~~")) for line in lines[:at]) % 2:
            return None
        return replace(self, text="\n".join([*lines[:at], _MARK, *lines[at + 1 :]]))

    def _numbers(self, lines: list[str]) -> range:
        return range(self.text_line, self.text_line + len(lines))

    def _written_in(self, line: str) -> tuple[str, int]:
        file, _, number = self.places.get(line, "").rpartition(", line ")
        return (file, int(number)) if file else (self.text_file, 1)
