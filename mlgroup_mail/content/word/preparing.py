"""A document's text, made ready for mammoth: what it would lose in silence is unwrapped, set apart or told.

One walk over the tree, in the order of reading. mammoth 1.13 skips `fldSimple`, `bdo`, `dir`, `cr` and `ruby` with
all their text, shows hidden text, and knows neither styles based on others nor what a chart is.
Source: ECMA-376 part 1, section 17 (WordprocessingML).
"""

from collections.abc import Callable, Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from mlgroup_mail.content.word.addresses import target
from mlgroup_mail.content.word.drawings import chosen_form, lost_drawing, lost_equation, lost_object, text_boxes
from mlgroup_mail.content.word.elements import child, like, local, properties_of, switched_on, value, words
from mlgroup_mail.content.word.fields import instruction_of, lost_control, merge_field, written_out
from mlgroup_mail.content.word.paragraph_styles import lends_emphasis, name_style
from mlgroup_mail.content.word.passages import Passages
from mlgroup_mail.content.word.remarks import Remark, Spots, look, lost, quoted, totals
from mlgroup_mail.content.word.styles import Styles

_EMPHASIS = ("b", "i")


def prepare(
    body: Element,
    styles: Styles,
    *,
    comments: Mapping[str, str],
    linked: frozenset[str] = frozenset(),
    links: Mapping[str, str] | None = None,
) -> tuple[Remark, ...]:
    """Change a tree in place so that mammoth keeps its text, and tell what it cannot keep.

    `comments` is the text of each comment by id, `linked` the ids of pictures that lie outside of the document,
    `links` where its links lead, by id.
    """
    walk = _Walk(styles, comments, linked, links or {})
    walk.through(body)
    return walk.remarks()


class _Walk:
    def __init__(
        self, styles: Styles, comments: Mapping[str, str], linked: frozenset[str], links: Mapping[str, str]
    ) -> None:
        self._styles, self._comments, self._linked, self._links = styles, comments, linked, links
        self._spots = Spots()
        self._passages = Passages(self._spots)
        self._style: str | None = None
        self._lends_emphasis: str | None = None
        self._boxes: list[Element] = []
        self._in_link = False
        self._counts = {"inserted": 0, "deleted": 0, "underlined": 0, "contents": 0}
        self._steps: dict[str, Callable[[Element], Iterable[Element]]] = {
            "p": self._paragraph,
            "r": self._run,
            "hyperlink": self._link,
            "t": self._text,
            "tab": self._space,
            "ptab": self._as_tab,
            "br": self._break,
            "cr": self._line_break,
            "noBreakHyphen": self._hyphen,
            "ins": self._inserted,
            "moveTo": self._inserted,
            "del": self._deleted,
            "moveFrom": self._deleted,
            "fldSimple": self._simple_field,
            "instrText": self._instruction,
            "bdo": self._unwrapped,
            "dir": self._unwrapped,
            "ruby": self._ruby,
            "sdt": self._control,
            "AlternateContent": self._alternative,
            "drawing": self._drawing,
            "pict": self._drawing,
            "object": self._object,
            "oMath": self._equation,
            "oMathPara": self._equation,
            "commentReference": self._comment,
            "altChunk": self._other_document,
            "pPr": lambda element: [element],
            "rPr": lambda element: [element],
        }

    def through(self, element: Element) -> None:
        """Take every child of an element through its step."""
        kept: list[Element] = []
        for each in element:
            step = self._steps.get(local(each.tag))
            if step:
                kept += step(each)
            else:
                self.through(each)
                kept.append(each)
        element[:] = kept

    def remarks(self) -> tuple[Remark, ...]:
        """Everything to tell: what has a place in its order, then what is only counted."""
        self._passages.end()
        return (*self._spots.remarks(), *totals(self._counts))

    def _paragraph(self, element: Element) -> list[Element]:
        outer = self._style, self._boxes
        properties = child(element, "pPr")
        self._style, self._boxes = value(child(properties, "pStyle")), []
        self._lends_emphasis = self._style if lends_emphasis(self._styles, self._style) else None
        if self._styles.is_contents(self._style):
            self._style, self._boxes = outer
            self._counts["contents"] += 1
            return []
        self.through(element)
        self._passages.end()
        self._spots.read("\n")
        name_style(element, self._styles, self._style)
        boxes = self._boxes
        self._style, self._boxes = outer
        return [element, *boxes]

    def _run(self, element: Element) -> list[Element]:
        properties = child(element, "rPr")
        if switched_on(properties, "vanish") and (text := words(element)):
            self._spots.note(lost(f"hidden text: {quoted(text)}"))
            return []
        text = "".join(each.text or "" for each in element.iter() if local(each.tag) == "t")
        self._passages.read("highlight", text, on=value(child(properties, "highlight")) not in (None, "none"))
        struck = bool(switched_on(properties, "strike") or switched_on(properties, "dstrike"))
        self._passages.read("strike", text, on=struck)
        style = value(child(properties, "rStyle"))
        # A link is underlined by its style, or stands in an element of its own.
        if value(child(properties, "u")) not in (None, "none") and not style and not self._in_link and words(element):
            self._counts["underlined"] += 1
        for name in _EMPHASIS:
            if switched_on(properties, name) is None and (
                self._styles.switch(style, name) or self._styles.switch(self._lends_emphasis, name)
            ):
                SubElement(properties_of(element, "rPr"), like(element, name))
        self.through(element)
        return [element]

    def _link(self, element: Element) -> list[Element]:
        self._in_link = True
        self.through(element)
        self._in_link = False
        address = self._links.get(value(element, "id") or "", "")
        if address and not target(address):
            self._spots.note(lost(f"a link that no reader could follow: {quoted(address)}"))
        return [element]

    def _text(self, element: Element) -> list[Element]:
        self._spots.read(element.text or "")
        return [element]

    def _space(self, element: Element) -> list[Element]:
        self._spots.read(" ")
        return [element]

    def _as_tab(self, element: Element) -> list[Element]:
        self._spots.read(" ")
        return [Element(like(element, "tab"))]

    def _hyphen(self, element: Element) -> list[Element]:
        self._spots.read("-")
        return [element]

    def _break(self, element: Element) -> list[Element]:
        if value(element, "type") == "page":
            self._spots.note(lost("a page break"))
        self._spots.read(" ")
        return [element]

    def _line_break(self, element: Element) -> list[Element]:
        self._spots.read(" ")
        return [Element(like(element, "br"))]

    def _inserted(self, element: Element) -> list[Element]:
        self._counts["inserted"] += 1
        self.through(element)
        return [element]

    def _deleted(self, _: Element) -> list[Element]:
        self._counts["deleted"] += 1
        return []

    def _unwrapped(self, element: Element) -> list[Element]:
        self.through(element)
        return list(element)

    def _ruby(self, element: Element) -> list[Element]:
        base = child(element, "rubyBase")
        if base is None:
            return []
        self.through(base)
        return [inner for run in base for inner in run if local(inner.tag) != "rPr"]

    def _simple_field(self, element: Element) -> list[Element]:
        self._told_field(instruction_of(element))
        self.through(element)
        return written_out(element)

    def _instruction(self, element: Element) -> list[Element]:
        self._told_field(element.text or "")
        return [element]

    def _told_field(self, instruction: str) -> None:
        for remark in merge_field(instruction):
            self._spots.note(remark)

    def _control(self, element: Element) -> list[Element]:
        if remark := lost_control(element):
            self._spots.note(remark)
            return []
        content = child(element, "sdtContent")
        if content is not None:
            self.through(content)
        return [element]

    def _alternative(self, element: Element) -> list[Element]:
        chosen = chosen_form(element)
        if chosen is None:
            return []
        self.through(chosen)
        return list(chosen)

    def _drawing(self, element: Element) -> list[Element]:
        if boxes := text_boxes(element):
            self._spots.note(look("a text box: its text stands after the paragraph it was beside"))
            for box in boxes:
                self.through(box)
                self._boxes += list(box)
            return []
        if remark := lost_drawing(element, self._linked):
            self._spots.note(remark)
            return []
        return [element]

    def _object(self, element: Element) -> list[Element]:
        self._spots.note(lost_object(element))
        return []

    def _equation(self, element: Element) -> list[Element]:
        self._spots.note(lost_equation(element))
        return []

    def _comment(self, element: Element) -> list[Element]:
        text = self._comments.get(value(element, "id") or "", "")
        self._spots.note(lost(f"a comment: {quoted(text)}" if text else "a comment"))
        return []

    def _other_document(self, _: Element) -> list[Element]:
        self._spots.note(lost("another document that is inserted here: open it, and copy its text"))
        return []
