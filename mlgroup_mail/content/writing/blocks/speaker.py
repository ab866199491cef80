"""Blocks `speaker`: somebody who speaks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from mlgroup_mail.content.templates.theming import Picture
from mlgroup_mail.content.writing.blocks.keys import read_keys
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.words import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """A person: the photo's words for those who do not see it are the name.

    `beside_photo` tells that another speaker next to this one has a photo: without one, room is left for it.
    """

    name: Words
    role: Words
    photo: Picture | None
    words: Words
    beside_photo: bool = False


def in_line(blocks: Iterable[object]) -> Iterator[object]:
    """The same blocks, where of speakers that follow one another all leave room for a photo if one has it."""
    for speakers, found in groupby(blocks, key=lambda block: isinstance(block, Speaker)):
        run = list(found)
        photos = speakers and any(isinstance(each, Speaker) and each.photo for each in run)
        yield from (replace(each, beside_photo=photos) if isinstance(each, Speaker) else each for each in run)


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
