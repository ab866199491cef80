"""Texts as people type and copy them: one line, one spelling, values apart."""

import re
import unicodedata

_UNSEEN = dict.fromkeys(
    [0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
"""Unseen characters that mean nothing in a name. The joiners U+200C and U+200D do, in Persian and in Indic scripts."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_HEADER_LINE = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]\s*[A-Za-z][A-Za-z0-9-]*\s*:")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


class TextError(ValueError):
    """This cell cannot be used; the text says why, without repeating it."""


def one_line(cell: str) -> str:
    """A cell as one line: NFC, blanks and line breaks collapsed, unseen characters gone, otherwise as written.

    The quote that exports put before `=`, `+`, `-` and `@` (see `guarded`) is taken off. Raises TextError for
    control characters and for a line break followed by what looks like a mail header.
    """
    if cell.isascii() and cell.isalnum():
        return cell
    if _HEADER_LINE.search(cell):
        raise TextError("a line that looks like a mail header")
    text = " ".join(unicodedata.normalize("NFC", cell.translate(_UNSEEN)).split())
    if _CONTROL.search(text):
        raise TextError("control characters")
    return unguarded(text)


def guarded(text: str) -> str:
    """A text for a cell that a spreadsheet must not take for a formula: a quote goes before `= + - @`, tab and CR.

    Source of the rule: OWASP, CSV injection. A quote before such a sign gets another, so that `unguarded` undoes it.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """A text from a cell, without the quote that `guarded` put before it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def split_values(text: str, separators: str = ";") -> tuple[str, ...]:
    """The values of a cell, each once, in their order."""
    parts = re.split(f"[{re.escape(separators)}]", text) if text else []
    return tuple(dict.fromkeys(value for part in parts if (value := " ".join(part.split()))))


def plain(text: str) -> str:
    """A text for comparing: without accents, case and punctuation, words apart by one blank."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", bare.casefold()))
