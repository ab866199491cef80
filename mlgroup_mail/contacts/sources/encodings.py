"""Which encoding a text file is in: told by its first bytes, proved by UTF-8, or guessed from its words.

A guess is judged by words: an encoding explains a word if all its accented letters belong to one language that is
written in that encoding, and its capitals stand where capitals stand. "M\\x81ller" is nothing in Windows' code page
and a German name in that of DOS. Where several explain the same, the more common one of office programs wins.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.contacts.sources.alphabets import ENCODINGS, explained
from mlgroup_mail.errors import ContactSourceError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEAD = 65_536
_CHUNK = 1 << 20
_MOST_WORDS = 3_000
"""Distinct words with bytes beyond ASCII that a guess looks at."""
_LOOKED_AT = 8
"""Pieces of the file with such bytes in which it looks for them."""

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a") | {0x7F})
_MOST_CONTROLS = 0.02
"""Of the first bytes, so many may be control characters in a text."""

_WORD = re.compile(rb"[A-Za-z'\x80-\xff]*[\x80-\xff][A-Za-z'\x80-\xff]*")
_FITS = 0.7
"""An encoding that explains less than this of the words is no guess to rely on."""

_EASTERN = ["cp932", "euc_jp", "gb18030", "big5", "cp949", "cp874"]
"""What charset-normalizer is asked about: scripts with too many letters for a table of ours, and Thai."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """The name that Python knows it by, and whether it is a guess."""

    name: str
    guessed: bool = False


def told_encoding(path: Path) -> Encoding | None:
    """What the first bytes tell: a byte order mark, or the zeros of UTF-16; None where they tell nothing.

    Raises ContactSourceError for a file that is no text.
    """
    head = _head(path)
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return Encoding(name=name)
    if b"\0" in head and (name := _utf16(head)):
        return Encoding(name=name, guessed=True)
    _refuse_many(b"\0", head, path)
    return None


def guessed_encoding(path: Path) -> Encoding:
    """The encoding that explains the words best; for a file that is not UTF-8.

    Raises ContactSourceError where none explains them, or where it is no text.
    """
    _refuse_many(_CONTROLS, _head(path), path)
    used: set[int] = set()
    words: set[bytes] = set()
    looked_at = 0
    for chunk in _chunks(path):
        used.update(chunk.translate(None, bytes(range(128))))
        if looked_at < _LOOKED_AT and len(words) < _MOST_WORDS and not chunk.isascii():
            words.update(_WORD.findall(chunk))
            looked_at += 1
    if sum(map(_is_utf8, words)) * 2 > len(words):
        raise ContactSourceError(
            f"row {_first_line_beyond_utf8(path)} is not UTF-8, and the rows around it are",
            where=str(path),
            mend="Correct the letters that look wrong there, and save the file as “CSV UTF-8” again.",
        )
    fitting = [name for name in ENCODINGS if _decodes(used, name)]
    scores = {name: explained([word.decode(name) for word in words], name) for name in fitting}
    best = max(scores, key=scores.__getitem__, default="")
    if best and scores[best] >= _FITS:
        return Encoding(name=best, guessed=True)
    if eastern := _eastern(path):
        return Encoding(name=eastern, guessed=True)
    raise ContactSourceError(
        "this text is not in UTF-8 or any usual encoding",
        where=str(path),
        mend='Save it as “CSV UTF-8”, or name its encoding in contacts.toml: encoding = "...".',
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _refuse_many(signs: bytes, head: bytes, path: Path) -> None:
    """A stray control character is a slip, many are a file of another kind."""
    if len(head) - len(head.translate(None, signs)) > max(3, len(head) * _MOST_CONTROLS):
        raise ContactSourceError("this is not a text file, whatever its name ends in", where=str(path))


def _utf16(head: bytes) -> str:
    """UTF-16 without a byte order mark: the byte order under which ASCII letters, commas and line ends appear."""
    best, most = "", 0
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        usual = sum(char.isascii() and (char.isalnum() or char in '\r\n\t ,;|@."') for char in text)
        if usual > most and usual * 5 > len(text):
            best, most = name, usual
    return best


def _chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces that end with a line, so that no word is cut."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk + file.readline(_CHUNK)


def _decodes(used: set[int], name: str) -> bool:
    """Whether every byte is a character, and none a control character that only an encoding's table knows."""
    try:
        text = bytes(sorted(used)).decode(name)
    except UnicodeDecodeError:
        return False
    return not any("\x80" <= char <= "\x9f" for char in text)


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _first_line_beyond_utf8(path: Path) -> int:
    with path.open("rb") as file:
        return next((number for number, line in enumerate(file, start=1) if not _is_utf8(line)), 1)


def _eastern(path: Path) -> str:
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        head = file.read(_HEAD) + file.readline(_HEAD)
    found = from_bytes(head, cp_isolation=_EASTERN, preemptive_behaviour=False).best()
    return found.encoding if found else ""
