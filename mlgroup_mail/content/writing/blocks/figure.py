"""Blocks `figure`: a picture with a caption."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from mlgroup_mail.content.templates.theming import Picture
from mlgroup_mail.content.writing.blocks.keys import read_keys
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.content.writing.words import TEXT_WIDTH, Words
from mlgroup_mail.errors import CampaignError


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A picture; `width` is in CSS pixels, `link` the address it leads to ("" for none)."""

    image: Picture
    alt: str
    caption: Words
    link: str
    width: int


def read_figure(fence: Fence) -> Figure:
    """Read `image:`, `alt:`, `caption:` and `link:`; the first two are required."""
    keys = read_keys(fence, ("image", "alt", "caption", "link"), required=("image", "alt"))
    if keys.below.lines:
        raise CampaignError(
            "a figure has no running text",
            where=keys.below.where(0),
            mend="Write it below the block, or as one line “caption: ...”.",
        )
    image = fence.writing.picture(keys.plain("image"), keys.where("image"))
    return Figure(
        image=image,
        alt=str(keys.line("alt")),
        caption=keys.line("caption"),
        link=_address(keys.plain("link"), keys.where("link")),
        width=min(image.width, TEXT_WIDTH),
    )


def _address(written: str, where: str) -> str:
    if not written:
        return ""
    address = parser().normalizeLink(written)
    try:
        parts = urlsplit(address)
        whole = (parts.scheme in ("https", "http") and bool(parts.hostname)) or parts.scheme == "mailto"
    except ValueError:
        whole = False
    if not whole:
        raise CampaignError(
            f"“{written}” is no whole address", where=where, mend="Write one that begins with https://."
        )
    return address
