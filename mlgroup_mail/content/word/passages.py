"""Passages that a document marks and a mail does not: runs beside each other that carry the same mark are one."""

from mlgroup_mail.content.word.remarks import Spots, look, quoted

_MARKED = {
    "highlight": "highlighted in the document, not in the mail",
    "strike": "struck through in the document, kept as it reads",
}


class Passages:
    """Collects the marked passages of a paragraph and tells each with its place."""

    def __init__(self, spots: Spots) -> None:
        self._spots = spots
        self._open: dict[str, tuple[int, str]] = dict.fromkeys(_MARKED, (0, ""))

    def read(self, mark: str, text: str, *, on: bool) -> None:
        """A run's text, and whether it carries a mark: "highlight" or "strike"."""
        at, passage = self._open[mark]
        if on:
            self._open[mark] = (at if passage else self._spots.here, passage + text)
        elif text.strip():
            self._end(mark)

    def end(self) -> None:
        """A paragraph ends, and with it every passage."""
        for mark in _MARKED:
            self._end(mark)

    def _end(self, mark: str) -> None:
        at, text = self._open[mark]
        self._open[mark] = (0, "")
        if text.strip():
            self._spots.note(look(f"{_MARKED[mark]}: {quoted(text)}"), at)
