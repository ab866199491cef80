"""Small pictures, made by Pillow."""

import io
from functools import cache

from PIL import Image


@cache
def drawn(kind: str = "PNG", *, width: int = 12, height: int = 8, colour: str = "#1f4e79") -> bytes:
    """A picture of one colour, as PNG, JPEG, GIF or anything else that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()


@cache
def noise(width: int, height: int) -> bytes:
    """A PNG that cannot be made small: three bytes a pixel."""
    file = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(file, "PNG", compress_level=0)
    return file.getvalue()
