"""What the styles of a Word document say: which paragraphs are headings, quotations or list items, what is bold.

Source: ECMA-376 part 1, 17.7 (styles). Built-in styles have English names in every Word (17.7.4.9), and ids in its
language; whatever is based on one, or has an outline level, counts like it.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from mlgroup_mail.content.word.elements import child, local, switched_on, value

TITLE = 0
"""The heading level of a document's own title."""
DEEPEST_HEADING = 6

_DEEPEST_CHAIN = 20
_HEADING = re.compile(r"heading ([1-9])")
_DEEPER_LIST = re.compile(r"list(?: bullet| number| continue)? ([2-5])")
_BODY_LEVEL = 9
"""The outline level that is none (17.3.1.20)."""


class Styles:
    """The styles of a document, by id."""

    def __init__(self, root: Element | None) -> None:
        found = [each for each in (root if root is not None else ()) if local(each.tag) == "style"]
        self._styles = {value(each, "styleId") or "": each for each in reversed(found)}

    def heading(self, style_id: str | None) -> int | None:
        """The level of a heading (1 to 6, TITLE for the title); None where the style is none."""
        for style in self._chain(style_id):
            name = _name(style)
            if name == "title":
                return TITLE
            if found := _HEADING.fullmatch(name):
                return min(int(found[1]), DEEPEST_HEADING)
            level = outline_level(child(style, "pPr"))
            if level is not None:
                return level
        return None

    def is_quotation(self, style_id: str | None) -> bool:
        """Whether the style is one of Word's two for quotations."""
        return any(_name(style) in ("quote", "intense quote") for style in self._chain(style_id))

    def is_caption(self, style_id: str | None) -> bool:
        """Whether the style is that of words below a picture or a table."""
        return any(_name(style) == "caption" for style in self._chain(style_id))

    def is_contents(self, style_id: str | None) -> bool:
        """Whether the style is that of a line in a table of contents."""
        return any(re.fullmatch(r"toc [1-9]", _name(style)) for style in self._chain(style_id))

    def numbering(self, style_id: str | None) -> Element | None:
        """The list that the style's paragraphs are items of."""
        found = (child(style, "pPr", "numPr") for style in self._chain(style_id))
        return next((each for each in found if each is not None), None)

    def list_depth(self, style_id: str | None) -> int:
        """The depth that one of Word's own styles names, as "List Bullet 2" does (1); 0 is the outermost."""
        found = (_DEEPER_LIST.fullmatch(_name(style)) for style in self._chain(style_id))
        return next((int(each[1]) - 1 for each in found if each), 0)

    def switch(self, style_id: str | None, name: str) -> bool:
        """Whether the style turns a property of text on, as `b` for bold."""
        found = (switched_on(child(style, "rPr"), name) for style in self._chain(style_id))
        return next((each for each in found if each is not None), False)

    def _chain(self, style_id: str | None) -> Iterator[Element]:
        for _ in range(_DEEPEST_CHAIN):
            style = self._styles.get(style_id or "")
            if style is None:
                return
            yield style
            style_id = value(child(style, "basedOn"))


def outline_level(properties: Element | None) -> int | None:
    """The heading level that a paragraph's properties name; None for none."""
    text = value(child(properties, "outlineLvl")) or ""
    if not text.isdecimal() or int(text) >= _BODY_LEVEL:
        return None
    return min(int(text) + 1, DEEPEST_HEADING)


def _name(style: Element) -> str:
    return (value(child(style, "name")) or "").lower()
