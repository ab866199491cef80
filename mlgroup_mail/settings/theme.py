"""`[theme]` of `mlgroup.toml`: what the mails look like, with colours that can be read and fonts that are there."""

import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from mlgroup_mail.documents import Document, web_address

LIGHT_CARD = "#ffffff"
"""The ground of all text in the light."""
DARK_CARD = "#1b222a"
"""The ground of all text in dark mode."""
QUIET = "#4d5a67"
"""The colour of the footer, which stands on the page's own ground."""

LEAST_CONTRAST = 4.5
"""WCAG 2.1, success criterion 1.4.3, level AA."""

FONTS = {
    "Arial": "Arial, Helvetica, sans-serif",
    "Verdana": "Verdana, Geneva, sans-serif",
    "Tahoma": "Tahoma, Geneva, sans-serif",
    "Trebuchet": "'Trebuchet MS', Tahoma, sans-serif",
    "Georgia": "Georgia, 'Times New Roman', serif",
    "Times": "'Times New Roman', Times, serif",
    "Palatino": "'Palatino Linotype', Palatino, Georgia, serif",
    "System": "-apple-system, 'Segoe UI', Roboto, Arial, sans-serif",
}
"""Stacks by name. For letters that a font lacks (Arabic, Chinese) every mail program takes its own."""

_GENERIC = ("sans-serif", "serif", "monospace")
_SERIF = ("Georgia", "Times New Roman", "Times", "Palatino Linotype", "Palatino", "Cambria", "Garamond")
_MONOSPACE = ("Courier New", "Courier", "Consolas", "Menlo")
_SANS = ("Arial", "Helvetica", "Helvetica Neue", "Verdana", "Geneva", "Tahoma", "Trebuchet MS", "Segoe UI", "Calibri")
_SAFE = {name.casefold(): name for name in (*_SANS, "Roboto", "-apple-system", *_SERIF, *_MONOSPACE, *_GENERIC)}

PICTURE_TYPES = (".png", ".jpg", ".jpeg", ".gif")
"""What every mail program shows; Outlook shows neither SVG nor WebP."""


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, from 1 to 21 (WCAG 2.1, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    """`share` of a colour on a ground, as `#rrggbb`."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    return "#" + "".join(f"{round(over * share + under * (1 - share)):02x}" for over, under in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError("is not a colour such as #1f4e79")
    return value.lower()


def _font(value: str) -> str:
    """A stack by its name, or one of web-safe names; each name of several words in single quotes, a generic last."""
    if stack := {name.casefold(): stack for name, stack in FONTS.items()}.get(value.casefold()):
        return stack
    names = [part.strip().strip("'\"").strip() for part in value.split(",")]
    for name in names:
        if name.casefold() not in _SAFE:
            listed = ", ".join(name for name in _SAFE.values() if name not in _GENERIC)
            raise ValueError(
                f"“{name}” is no font that mail programs have. Write one of {', '.join(FONTS)}, or a list of these: "
                f"{listed}"
            )
    known = [_SAFE[name.casefold()] for name in names]
    if known[-1] not in _GENERIC:
        known.append("serif" if known[-1] in _SERIF else "monospace" if known[-1] in _MONOSPACE else "sans-serif")
    return ", ".join(f"'{name}'" if " " in name else name for name in known)


def _picture(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or not path.parts:
        raise ValueError("must lie in templates/, such as “logos/ours.png”")
    if path.suffix.lower() not in PICTURE_TYPES:
        raise ValueError(f"must be a picture that every mail program shows: {', '.join(PICTURE_TYPES)}")
    return value


Colour = Annotated[str, AfterValidator(_colour)]
Picture = Annotated[str, AfterValidator(_picture)]


class ImagePlace(StrEnum):
    """Where the pictures of a mail lie."""

    EMBEDDED = "embedded"
    """Within it: they are seen without asking, and their bytes go to everybody."""
    HOSTED = "hosted"
    """Under the public address: mails are small, and many programs ask before they fetch them."""


class Logo(Document):
    """`[[theme.logo]]`: a host's mark in the head of each mail. `width` is in CSS pixels; the file best has twice that.

    `file_dark` is shown in dark mode; without one the logo keeps a light plate behind it. Both lie in `templates/`.
    """

    file: Picture
    file_dark: Picture | None = None
    alt: str = Field(min_length=1, max_length=120)
    link: Annotated[str, AfterValidator(web_address)] = ""
    width: int = Field(default=120, ge=16, le=260)


class Theme(Document):
    """`[theme]`. Colours are `#rrggbb`: `accent` for the head, headings and links, `accent_dark` the same in dark
    mode, `text` for what is read, `background` for the ground around the mail."""

    accent: Colour = "#1f4e79"
    accent_dark: Colour = "#8ab8e6"
    text: Colour = "#24292f"
    background: Colour = "#eef1f4"
    font: Annotated[str, AfterValidator(_font)] = FONTS["Arial"]
    footer: str = ""
    images: ImagePlace = ImagePlace.EMBEDDED
    logo: tuple[Logo, ...] = Field(default=(), max_length=2)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        for key, colour, ground, place in (
            ("accent", self.accent, LIGHT_CARD, "on white"),
            ("accent_dark", self.accent_dark, DARK_CARD, f"on the dark ground {DARK_CARD}"),
            ("text", self.text, LIGHT_CARD, "on white"),
            ("background", self.background, QUIET, f"under the footer's {QUIET}"),
        ):
            ratio = contrast(colour, ground)
            if ratio < LEAST_CONTRAST:
                direction = "lighter" if key in ("accent_dark", "background") else "darker"
                raise ValueError(
                    f"{key} = {colour} cannot be read well: its contrast {place} is {int(ratio * 100) / 100:.2f}, "
                    f"and {LEAST_CONTRAST} is the least. Choose a {direction} colour"
                )
        return self
