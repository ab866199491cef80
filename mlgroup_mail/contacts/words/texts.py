"""Texts as people type and copy them: one line, one spelling, values apart."""

import re
import unicodedata

_UNSEEN = dict.fromkeys(
    [0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
"""Unseen characters that mean nothing in a name. The joiners U+200C and U+200D do, in Persian and in Indic scripts."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_BREAK = r"\r\n\x0b\x0c\x85\u2028\u2029"
# A run of blanks is looked at once, from its first one on.
_HEADER_LINE = re.compile(rf"(?<!\s)[^\S{_BREAK}]*+[{_BREAK}]\s*+[A-Za-z][A-Za-z0-9-]*\s*:")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


_COMPUTED = re.compile(r"=.+|[+\-@][A-Za-z][\w.]*\s*[(|!].*")
_FAILED = re.compile(r"#(?:N/A|NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!|NV|WERT!|BEZUG!|NOM\s*\?|VALEUR\s*!|¡\w+!|¿\w+\?)")
_DAMAGED = re.compile("\ufffd|[ÃÂÐÑ][\u0080-\u00bf]|â€")
"""The replacement character, and UTF-8 read as cp1252 or ISO 8859-1."""

_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
"""Marks that many leave out: accents, Hebrew points, Arabic vowels. In Indic scripts marks are part of the word."""

_ONE_LETTER = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"} | {"ی": "ي", "ک": "ك", "ـ": None}
)
"""Letters with strokes and Persian forms, which keyboards lack, as they are then typed."""

LONGEST = 10_000
"""Characters of a cell that is looked at; no list has such a name, and its length costs time."""


class TextError(ValueError):
    """This cell cannot be used; the text says why, without repeating it."""


def one_line(cell: str) -> str:
    """A cell as one line: NFC, blanks and line breaks collapsed, unseen characters gone, otherwise as written.

    The quote that exports put before `=`, `+`, `-` and `@` (see `guarded`) is taken off; behind it, what looks like a
    formula is a text. Raises TextError for other formulas and the errors that they gave, for control characters, for
    a line break followed by what looks like a mail header, and beyond `LONGEST` characters.
    """
    if len(cell) > LONGEST:
        raise TextError(f"longer than {LONGEST} characters")
    if cell.isascii() and cell.isalnum():
        return cell
    if _HEADER_LINE.search(cell):
        raise TextError("a line that looks like a mail header")
    text = " ".join(unicodedata.normalize("NFC", cell.translate(_UNSEEN)).split())
    if _CONTROL.search(text):
        raise TextError("control characters")
    if _COMPUTED.fullmatch(text):
        raise TextError("a formula stands where its value should")
    if _FAILED.fullmatch(text):
        raise TextError("a formula gave an error instead of a value")
    return unguarded(text)


def damaged(text: str) -> bool:
    """Whether letters were lost or doubled when a text was saved in one encoding and read in another."""
    return bool(_DAMAGED.search(text))


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
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    text = text.casefold().translate(_ONE_LETTER)
    if text.isalpha():
        return unicodedata.normalize("NFKC", text)
    words = "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in text)
    return unicodedata.normalize("NFKC", " ".join(words.split()))
