"""Pictures of a document: which are kept, under which names, and what is told about them."""

import re
import unicodedata
from collections.abc import Callable

from bs4 import BeautifulSoup, Tag

from mlgroup_mail.content.word.remarks import Remark, look, lost, quoted
from mlgroup_mail.content.word.word_text import Picture

LARGEST = 1_000_000
"""Bytes above which a picture is too heavy for a mail."""

_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF87a": "gif", b"GIF89a": "gif"}
_OTHERS = {
    b"\x01\x00\x00\x00": "EMF", b"\xd7\xcd\xc6\x9a": "WMF", b"\x01\x00\x09\x00": "WMF", b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF", b"<svg": "SVG", b"<?xml": "SVG", b"BM": "BMP", b"RIFF": "WebP", b"\x1f\x8b": "compressed",
}  # fmt: skip
_GUESS = re.compile(
    r"\s*(?:Description automatically generated(?: with \w+ confidence)?|AI-generated content may be incorrect)\.?\s*"
)
_MOST_WORDS = 6


def take_pictures(soup: BeautifulSoup, content: Callable[[str], bytes]) -> tuple[list[Picture], list[Remark]]:
    """Name every picture of a page and point its `img` to that name; those that mail cannot show leave the page.

    `content` gives the bytes of a part. One picture that stands in several places is one file.
    """
    pictures: dict[str, Picture] = {}
    told: list[Remark] = []
    for image in soup.find_all("img"):
        part = str(image.get("src") or "")
        alt, guessed = _alt(image)
        kept = pictures.get(part) or _picture(part, content(part), alt, {each.name for each in pictures.values()})
        near = _near(image)
        if isinstance(kept, str):
            told.append(lost(f"a picture in {kept} format: save it as PNG, and insert that", near))
            image.decompose()
            continue
        pictures[part] = kept
        image["src"], image["alt"] = kept.name, alt
        told += _remarks(kept, alt, near, guessed=guessed)
    return list(pictures.values()), told


def _remarks(picture: Picture, alt: str, near: str, *, guessed: bool) -> list[Remark]:
    told = []
    if not alt:
        told.append(look(f"{picture.name} has no description: write what it shows between the brackets of ![]", near))
    elif guessed:
        told.append(look(f"the description of {picture.name} is a guess of Word's: {quoted(alt)}"))
    if len(picture.content) > LARGEST:
        size = len(picture.content) / 1_000_000
        told.append(look(f"{picture.name} has {size:.1f} MB: save it smaller, 1,200 pixels wide are enough"))
    return told


def _picture(part: str, content: bytes, alt: str, taken: set[str]) -> Picture | str:
    """The picture, or the name of a format that mail does not have."""
    suffix = next((suffix for signature, suffix in _KINDS.items() if content.startswith(signature)), None)
    if suffix is None:
        known = next((name for signature, name in _OTHERS.items() if content.startswith(signature)), None)
        suffix = part.rpartition(".")[2][:8]
        return known or (suffix.upper() if suffix.isalnum() else "an unknown")
    stem = _slug(alt) or "picture"
    number = 1 if stem == "picture" else 0
    name = f"{stem}-{number}.{suffix}" if number else f"{stem}.{suffix}"
    while name in taken:
        number = max(number, 1) + 1
        name = f"{stem}-{number}.{suffix}"
    return Picture(name=name, content=content)


def _alt(image: Tag) -> tuple[str, bool]:
    """What Word knows of what a picture shows, on one line, and whether Word itself has guessed it."""
    text = str(image.get("alt") or "")
    alt = " ".join(_GUESS.sub(" ", text).split())
    return alt, bool(_GUESS.search(text))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:_MOST_WORDS])[:50].strip("-")


def _near(image: Tag) -> str:
    before = " ".join(reversed(list(image.find_all_previous(string=True, limit=12)))).split()
    if before:
        return f"after {quoted(' '.join(before[-6:]))}"
    after = " ".join(image.find_all_next(string=True, limit=12)).split()
    return f"before {quoted(' '.join(after[:6]))}" if after else ""
