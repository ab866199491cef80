"""What templates see as `theme`: the project's colours and what follows from them, its font, its logos."""

from collections.abc import Mapping
from typing import Any, Protocol

from mlgroup_mail.settings.theme import DARK_CARD, LIGHT_CARD, QUIET, mixed

_PANEL = 0.08
"""So much of the accent lies in the ground of a panel; more would cost the text on it its contrast."""


class Picture(Protocol):
    """A picture that a template may show: its source, and its size in pixels."""

    @property
    def src(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102


def theme_pictures(theme: Mapping[str, Any]) -> tuple[str, ...]:
    """The theme's pictures by the names that `images` has them under: `templates/` and the path in that folder."""
    return tuple(
        dict.fromkeys(
            _name(file) for logo in theme.get("logo", ()) for file in (logo["file"], logo["file_dark"]) if file
        )
    )


def theme_context(theme: Mapping[str, Any], images: Mapping[str, Picture], direction: str) -> dict[str, Any]:
    """`theme` as templates see it, from what approval froze of it; `direction` is the text's, "ltr" or "rtl".

    Besides the keys of `[theme]`: `start` and `end`, the sides on which a line begins and ends; `panel` and
    `panel_dark`, the grounds of what is set apart; `card_dark`; `quiet`, the colour of small print; `logos`, each with
    src, src_dark ("" where there is none), width, height, alt, link; and whether all `logos_go_dark`.
    """
    logos = [_logo(logo, images) for logo in theme.get("logo", ())]
    start, end = ("right", "left") if direction == "rtl" else ("left", "right")
    return {
        "start": start,
        "end": end,
        **{key: value for key, value in theme.items() if key != "logo"},
        "card_dark": DARK_CARD,
        "quiet": QUIET,
        "panel": mixed(theme["accent"], LIGHT_CARD, _PANEL),
        "panel_dark": mixed(theme["accent_dark"], DARK_CARD, _PANEL),
        "logos": logos,
        "logos_go_dark": all(logo["src_dark"] for logo in logos),
    }


def _logo(logo: Mapping[str, Any], images: Mapping[str, Picture]) -> dict[str, Any]:
    picture = images[_name(logo["file"])]
    width = int(logo["width"])
    return {
        "src": picture.src,
        "src_dark": images[_name(logo["file_dark"])].src if logo["file_dark"] else "",
        "width": width,
        "height": max(1, round(width * picture.height / picture.width)),
        "alt": logo["alt"],
        "link": logo["link"],
    }


def _name(file: str) -> str:
    return f"templates/{file}"
