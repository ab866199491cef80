"""Pictures in a compiled page: each becomes a part of the mail, or an address under which it is hosted."""

from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model.message import InlineImage

SCHEME = "image:"
"""Until the end of compiling, the source of a picture is this and its name: `image:chart.png`."""


def place_images(html: str, source: FrozenSource) -> tuple[str, tuple[InlineImage, ...]]:
    """The page with the final source of every picture, and the pictures that travel within the mail."""
    return html, ()
