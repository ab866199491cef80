"""Pictures in a compiled page: each becomes a part of the mail, or an address under which it is hosted."""

import base64
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from mlgroup_mail.content.frozen import FrozenImage, FrozenSource, texts_of
from mlgroup_mail.content.written_tags import URL_ATTRIBUTES, Tags, tags_of
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.message import InlineImage

SCHEME = "image:"
"""Until the end of compiling, the source of a picture is this and its name: `image:chart.png`."""

_SHOWING = frozenset({"src", "background", "poster"})
"""Attributes whose whole value is a picture's source."""
_IN_SRCSET = re.compile(r"(?:^|(?<=[\s,]))image:(?P<name>[^\s,]+)")
_IN_CSS = re.compile(
    r"\burl\(\s*(?P<quote>[\"']|&quot;|&apos;|&#39;|&#x27;|)image:(?P<name>.+?)(?P=quote)\s*\)", re.IGNORECASE
)
_LEFT_IN_ADDRESS = re.compile(r"(?:^|[\s,])(?P<left>image:[^\s,]*)", re.IGNORECASE)
_LEFT_IN_CSS = re.compile(r"\(\s*[\"']?\s*(?P<left>image:[^\s\"')]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSource:
    """A picture as templates see it: its `src` until the end of compiling, and its size in pixels."""

    src: str
    width: int
    height: int


class ImageSources(Mapping[str, ImageSource]):
    """A mailing's pictures by name. Looking up another raises CampaignError, which says where it is named."""

    def __init__(self, source: FrozenSource) -> None:
        self._source = source

    def __getitem__(self, key: str) -> ImageSource:
        key = unicodedata.normalize("NFC", key)
        image = _known(key, self._source)
        return ImageSource(src=SCHEME + quote(key), width=image.width, height=image.height)

    def __contains__(self, key: object) -> bool:
        return key in self._source.images

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.images)

    def __len__(self) -> int:
        return len(self._source.images)


def image_sources(source: FrozenSource) -> ImageSources:
    """What texts and templates find under `images`."""
    return ImageSources(source)


def place_images(html: str, source: FrozenSource) -> tuple[str, tuple[InlineImage, ...]]:
    """The page with the final source of every picture, and the pictures that travel within the mail.

    Raises CampaignError for a picture that is not there, and for a source that shows none where it stands.
    """
    pieces: list[str] = []
    shown: dict[str, InlineImage] = {}
    end = 0
    for name, start, stop in _shown(html, source):
        image = source.images[name]
        pieces += html[end:start], _address(name, image, source)
        end = stop
        if not source.images_url:
            shown.setdefault(image.digest, _inline(name, image, source))
    placed = "".join([*pieces, html[end:]])
    _refuse_left_over(placed, source)
    return placed, tuple(shown.values())


def with_pictures_inside(html: str, source: FrozenSource, pictures: Mapping[str, bytes]) -> str:
    """A finished page as a browser can show it by itself; `pictures` are their bytes by digest."""
    for name, image in source.images.items():
        if (address := _address(name, image, source)) in html:
            content = base64.b64encode(pictures[image.digest]).decode()
            html = html.replace(address, f"data:{image.media_type};base64,{content}")
    return html


def _shown(html: str, source: FrozenSource) -> Iterator[tuple[str, int, int]]:
    """The name of each picture that the page shows, and where its source begins and ends, in order."""
    for begin, end in sorted(_sources(html)):
        written = unescape(html[begin:end].removeprefix(SCHEME))
        name = written if written in source.images else unquote(written)
        _known(name, source)
        yield name, begin, end


def _sources(html: str) -> Iterator[tuple[int, int]]:
    """Where the page shows a picture by its name: in attributes, and in styles as `url(image:...)`."""
    if SCHEME not in html:
        return
    tags = tags_of(html)
    for attribute in tags.attributes:
        if attribute.name in _SHOWING and attribute.value.startswith(SCHEME):
            yield attribute.start, attribute.start + len(attribute.value)
        elif attribute.name == "srcset":
            yield from _found(_IN_SRCSET, attribute.value, attribute.start)
    for start, style in _styles(tags):
        yield from _found(_IN_CSS, style, start)


def _found(pattern: re.Pattern[str], text: str, start: int) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(text):
        yield start + found.start("name") - len(SCHEME), start + found.end("name")


def _styles(tags: Tags) -> Iterator[tuple[int, str]]:
    yield from tags.sheets
    yield from ((each.start, each.value) for each in tags.attributes if each.name == "style")


def _refuse_left_over(html: str, source: FrozenSource) -> None:
    """A source that was not found above reaches no reader: no mail program knows the scheme."""
    if SCHEME not in html.casefold():
        return
    tags = tags_of(html)
    places = [(_LEFT_IN_ADDRESS, each.value) for each in tags.attributes if each.name in URL_ATTRIBUTES]
    places += [(_LEFT_IN_CSS, style) for _, style in _styles(tags)]
    for pattern, text in places:
        if found := pattern.search(unescape(text)):
            raise CampaignError(
                f"“{found['left']}” shows no picture here",
                where=_mention(unquote(found["left"][len(SCHEME) :]), source),
                mend='Write {{ images["chart.png"].src }} as a whole src or background-url, or within url(...).',
            )


def _known(name: str, source: FrozenSource) -> FrozenImage:
    if name in source.images:
        return source.images[name]
    near = difflib.get_close_matches(name, source.images, n=1)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    raise CampaignError(
        f"there is no picture “{name}”",
        where=_mention(name, source),
        mend=f"{hint}Put the file beside campaign.md and write its whole name, as in ![what it shows](chart.png).",
    )


def _mention(name: str, source: FrozenSource) -> str:
    """File and line that name a picture first."""
    for place, text in texts_of(source).items():
        if name and (at := text.find(name)) >= 0:
            return f"{place}, line {text.count(chr(10), 0, at) + 1}"
    return source.text_file


def _inline(name: str, image: FrozenImage, source: FrozenSource) -> InlineImage:
    content_id = _content_id(image, source)
    return InlineImage(name=name, media_type=image.media_type, content_id=content_id, digest=image.digest)


def _content_id(image: FrozenImage, source: FrozenSource) -> str:
    return f"{image.digest[:32]}@{source.group['list_id']}"


def _address(name: str, image: FrozenImage, source: FrozenSource) -> str:
    """What stands in the finished page; nothing in it needs escaping."""
    if source.images_url:
        return f"{source.images_url}/{image.digest}/{quote(PurePosixPath(name).name, safe='')}"
    return f"cid:{_content_id(image, source)}"
