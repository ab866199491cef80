"""Blocks `speaker`: somebody who speaks."""

from dataclasses import dataclass

from mlgroup_mail.content.templates.theming import Picture
from mlgroup_mail.content.writing.blocks.keys import read_keys
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.words import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """A person: the photo's words for those who do not see it are the name."""

    name: Words
    role: Words
    photo: Picture | None
    words: Words


def read_speaker(fence: Fence) -> Speaker:
    """Read `name:`, `role:`, `photo:` and the Markdown below them; only the name is required."""
    keys = read_keys(fence, ("name", "role", "photo"), required=("name",))
    photo = keys.plain("photo")
    return Speaker(
        name=keys.line("name"),
        role=keys.line("role"),
        photo=fence.writing.picture(photo, keys.where("photo")) if photo else None,
        words=keys.flow(),
    )
