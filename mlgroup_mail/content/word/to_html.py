"""From a Word document to HTML, by mammoth, and what is told on the way.

mammoth never sees the file itself: it gets a small one, made anew from the parts that were read within bounds, in
which a picture's content is only the name of its part.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from mlgroup_mail.archives import ForbiddenXmlError
from mlgroup_mail.content.word.elements import local, value
from mlgroup_mail.content.word.package import MOST_PARAGRAPHS, MOST_TEXT, Relation, WordPackage, relations_of
from mlgroup_mail.content.word.paragraph_styles import CAPTION_STYLE, HEADING_STYLE, QUOTE_STYLE
from mlgroup_mail.content.word.preparing import prepare
from mlgroup_mail.content.word.remarks import Remark, lost, quoted
from mlgroup_mail.content.word.styles import DEEPEST_HEADING, TITLE, Styles

TITLE_CLASS = "title"
"""The class of the heading that is the document's own title."""
CAPTION_CLASS = "caption"
"""The class of a paragraph below a picture or a table."""
NOTE_PREFIXES = ("footnote-", "endnote-")
"""How the ids of notes begin."""

_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_NOTES = ("footnotes", "endnotes")
_KEPT_KINDS = ("hyperlink", "image", "styles", "numbering", *_NOTES)
_STYLE_MAP = "\n".join(
    [
        f"p.{HEADING_STYLE}{TITLE} => h1.{TITLE_CLASS}:fresh",
        *(f"p.{HEADING_STYLE}{level} => h{level}:fresh" for level in range(1, DEEPEST_HEADING + 1)),
        f"p.{CAPTION_STYLE} => p.{CAPTION_CLASS}:fresh",
        f"p.{QUOTE_STYLE} => blockquote > p:fresh",
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WordHtml:
    """A document as mammoth writes it: headings, `p` (empty ones too), lists, tables, notes as a list at its end.

    The source of an `img` is the name of its part.
    """

    html: str
    remarks: tuple[Remark, ...]


def word_html(package: WordPackage) -> WordHtml:
    """The text of a document. Raises what reading a damaged document raises (`archives.DAMAGE`)."""
    import mammoth

    styles = Styles(_tree(package, package.related("styles")))
    remarks: list[Remark] = []
    parts: dict[str, bytes] = {}
    for part in (package.main, *(package.related(kind) for kind in _NOTES)):
        if part:
            tree, relations = package.tree(part), package.relations(part)
            _check_size(tree)
            remarks += prepare(
                tree, styles, comments=_comments(package), linked=_linked(relations), links=_links(relations)
            )
            parts[part] = _serialised(tree)
            parts[relations_of(part)] = _relations(relations.items())
            parts |= {each.target: each.target.encode() for each in relations.values() if _is_picture(package, each)}
    if part := package.related("numbering"):
        parts[part] = _serialised(package.tree(part))
    if part := package.related("styles"):
        parts[part] = _serialised(_list_styles(package.tree(part)))
    parts[relations_of("")] = _relations([("main", Relation("officeDocument", package.main, False))])
    try:
        converted = mammoth.convert_to_html(
            io.BytesIO(_archive(parts)),
            style_map=_STYLE_MAP,
            include_embedded_style_map=False,
            ignore_empty_paragraphs=False,
            convert_image=mammoth.images.img_element(_part_of),
        )
    except (AttributeError, TypeError) as error:
        raise ValueError("mammoth met an element without what it must have") from error
    symbols = sum("w:sym element" in message.message for message in converted.messages)
    if symbols:
        remarks.append(lost(f"{symbols} symbol{'' if symbols == 1 else 's'} of a font that a mail does not have"))
    return WordHtml(html=converted.value, remarks=(*remarks, *_frame(package)))


def _check_size(tree: Element) -> None:
    paragraphs = sum(local(each.tag) == "p" for each in tree.iter())
    if paragraphs > MOST_PARAGRAPHS:
        raise ForbiddenXmlError(f"{paragraphs:,} paragraphs")
    text = sum(len(each.text or "") for each in tree.iter())
    if text > MOST_TEXT:
        raise ForbiddenXmlError(f"a text of {text:,} characters")


def _list_styles(root: Element) -> Element:
    """Of the styles, mammoth needs those of lists; the others were looked at before."""
    root[:] = [each for each in root if value(each, "type") == "numbering"]
    return root


def _part_of(image: Any) -> dict[str, str]:
    with image.open() as content:
        return {"src": content.read().decode()}


def _tree(package: WordPackage, part: str) -> Element | None:
    return package.tree(part) if part else None


def _linked(relations: dict[str, Relation]) -> frozenset[str]:
    return frozenset(key for key, each in relations.items() if each.kind == "image" and each.outside)


def _links(relations: dict[str, Relation]) -> dict[str, str]:
    return {key: each.target for key, each in relations.items() if each.kind == "hyperlink" and each.outside}


def _is_picture(package: WordPackage, relation: Relation) -> bool:
    return relation.kind == "image" and not relation.outside and package.has(relation.target)


def _relations(found: Iterable[tuple[str, Relation]]) -> bytes:
    root = Element(f"{{{_RELATIONSHIPS}}}Relationships")
    for key, each in found:
        if each.kind in (*_KEPT_KINDS, "officeDocument"):
            target = each.target if each.outside else f"/{each.target}"
            SubElement(
                root, f"{{{_RELATIONSHIPS}}}Relationship", {"Id": key, "Type": f"{_KINDS}{each.kind}", "Target": target}
            )
    return _serialised(root)


def _serialised(tree: Element) -> bytes:
    content: bytes = tostring(tree, encoding="utf-8")
    return content


def _archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _comments(package: WordPackage) -> dict[str, str]:
    root = _tree(package, package.related("comments"))
    return {value(each, "id") or "": _text(each) for each in (root if root is not None else ())}


def _frame(package: WordPackage) -> Iterator[Remark]:
    """What stands around the pages: headers and footers, each text once; and macros."""
    relations = package.relations(package.main).values()
    for kind, name in (("header", "page header"), ("footer", "page footer")):
        parts = [each.target for each in relations if each.kind == kind and package.has(each.target)]
        for text in dict.fromkeys(_text(package.tree(part)) for part in parts):
            if text:
                yield lost(f"the {name}: {quoted(text)}")
    if any(each.kind == "vbaProject" for each in relations):
        yield lost("the document's macros; nothing in them was run")


def _text(element: Element) -> str:
    """The words of a part, a blank between paragraphs."""
    paragraphs = (each for each in element.iter() if local(each.tag) == "p")
    texts = ("".join(run.text or "" for run in each.iter() if local(run.tag) == "t") for each in paragraphs)
    return " ".join(" ".join(texts).split())
