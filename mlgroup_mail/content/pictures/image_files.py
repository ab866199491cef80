"""Picture files: those that a mailing names, each checked to be one that mail programs show."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from mlgroup_mail.content.frozen import FrozenImage, FrozenSource, texts_of
from mlgroup_mail.content.pictures.picture_formats import MEDIA_TYPES, PictureError, check_whole, media_type_of
from mlgroup_mail.content.templates.template_files import template_folders, template_place
from mlgroup_mail.content.templates.theming import theme_pictures
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project

LARGEST = 1_000_000
"""Bytes of one picture."""
LARGEST_TOGETHER = 3_000_000
"""Bytes of all pictures of a mailing. In a mail they grow by a third, and many servers stop at 10 MB."""
WIDEST = 4000
"""Pixels, in either direction."""

_SUFFIXES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
_NOT_SHOWN = {
    ".svg": "SVG", ".webp": "WebP", ".avif": "AVIF", ".heic": "HEIC", ".heif": "HEIF", ".tif": "TIFF",
    ".tiff": "TIFF", ".bmp": "BMP", ".emf": "EMF", ".wmf": "WMF", ".eps": "EPS", ".ico": "ICO",
}  # fmt: skip
_MEND_FORMAT = "Save it as PNG (drawings, logos) or JPEG (photographs), and name that file."
_MEND_SIZE = "Save it smaller: a mail is 600 pixels wide, so 1,200 are enough; photographs are smallest as JPEG."
_NAMED_TEMPLATE = re.compile(rf"templates/[^\s\"'<>]+?(?:{'|'.join(map(re.escape, (*_SUFFIXES, *_NOT_SHOWN)))})(?!\w)")


def freeze_images(project: Project, source: FrozenSource) -> dict[str, FrozenImage]:
    """The pictures that a mailing's texts, its templates and the theme name, by name.

    A name is a path within the campaign's folder, or `templates/` and a path in the templates' folders. It counts
    where it is written out; what no text names may lie there in any form. Raises CampaignError naming file and mend.
    """
    images, sizes = {}, {}
    for name, path in _named(project, source):
        place, suffix = _place(source, name), path.suffix.lower()
        if kind := _NOT_SHOWN.get(suffix):
            raise CampaignError(f"many mail programs do not show {kind} pictures", where=place, mend=_MEND_FORMAT)
        content = _read(path, place)
        images[name] = _checked(content, suffix, place)
        sizes[images[name].digest] = (len(content), place)
    together = sum(size for size, _ in sizes.values())
    if together > LARGEST_TOGETHER:
        raise CampaignError(
            f"the pictures have {_megabytes(together)} together, and {_megabytes(LARGEST_TOGETHER)} is the most",
            where=max(sizes.values())[1],
            mend=_MEND_SIZE,
        )
    return images


def read_pictures(project: Project, source: FrozenSource) -> dict[str, bytes]:
    """The bytes of a frozen mailing's pictures, by digest; raises CampaignError where a file has changed since."""
    paths, found = dict(_named(project, source)), {}
    for name, image in source.images.items():
        place = _place(source, name)
        content = _read(paths[name], place) if name in paths else b""
        if hashlib.sha256(content).hexdigest() != image.digest:
            raise CampaignError("this picture has just changed", where=place, mend="Run the same command again.")
        found[image.digest] = content
    return found


def _named(project: Project, source: FrozenSource) -> Iterator[tuple[str, Path]]:
    """Each picture that is named, with its file."""
    # A file's name may come decomposed from a Mac; names are compared and frozen in the composed form.
    written = "\n".join((*texts_of(source).values(), json.dumps(source.values, ensure_ascii=False)))
    texts = unicodedata.normalize("NFC", written)
    folder = project.campaigns / source.campaign
    for path in sorted(folder.rglob("*")):
        name = unicodedata.normalize("NFC", path.relative_to(folder).as_posix())
        if path.suffix.lower() in {*_SUFFIXES, *_NOT_SHOWN} and _is_named(name, texts) and path.is_file():
            yield name, path
    for name in sorted({*_NAMED_TEMPLATE.findall("\n".join(source.templates.values())), *theme_pictures(source.theme)}):
        yield name, _template_file(project, name)


def _is_named(name: str, texts: str) -> bool:
    return any(re.search(rf"(?<![\w.-]){re.escape(each)}(?![\w-])", texts) for each in {name, quote(name)})


def _template_file(project: Project, name: str) -> Path:
    inner = PurePosixPath(name).relative_to("templates")
    if ".." in inner.parts:
        raise CampaignError(f"“{name}” lies outside the templates' folder", mend="Name a file in templates/.")
    for folder in template_folders(project):
        if (folder / inner).is_file():
            return folder / inner
    raise CampaignError("this picture is missing", where=name, mend="Put the file there, or name another.")


def _place(source: FrozenSource, name: str) -> str:
    return name if name.startswith(template_place("")) else f"campaigns/{source.campaign}/{name}"


def _read(path: Path, place: str) -> bytes:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise CampaignError(f"this picture cannot be read: {error.strerror}", where=place) from None
    if size > LARGEST:
        message = f"this picture has {_megabytes(size)}, and {_megabytes(LARGEST)} is the most: it goes to everybody"
        raise CampaignError(message, where=place, mend=_MEND_SIZE)
    return content


def _checked(content: bytes, suffix: str, place: str) -> FrozenImage:
    media_type = media_type_of(content)
    if media_type is None:
        raise CampaignError("this is no PNG, JPEG or GIF picture", where=place, mend=_MEND_FORMAT)
    if media_type != _SUFFIXES[suffix]:
        raise CampaignError(
            f"this is a {MEDIA_TYPES[media_type]} picture, and its name says “{suffix}”",
            where=place,
            mend=f"Rename it to end with “.{media_type.removeprefix('image/')}”, here and where it is named.",
        )
    try:
        width, height = check_whole(content, media_type)
    except PictureError as error:
        raise CampaignError(str(error), where=place, mend="Copy or save it once more from where it came.") from None
    if max(width, height) > WIDEST:
        message = f"this picture is {width} × {height} pixels, and {WIDEST} is the most in either direction"
        raise CampaignError(message, where=place, mend=_MEND_SIZE)
    digest = hashlib.sha256(content).hexdigest()
    return FrozenImage(digest=digest, media_type=media_type, width=width, height=height)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
