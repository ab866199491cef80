"""A document's text, made ready for mammoth: what it would lose in silence is unwrapped, set apart or told.

One walk over the tree, in the order of reading. mammoth 1.13 skips `fldSimple`, `bdo`, `dir`, `cr` and `ruby` with
all their text, shows hidden text, and knows neither styles based on others nor what a chart is.
Source: ECMA-376 part 1, section 17 (WordprocessingML).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from mlgroup_mail.content.word.elements import (
    child,
    graphic,
    has,
    like,
    local,
    properties_of,
    set_style,
    switched_on,
    value,
    words,
)
from mlgroup_mail.content.word.remarks import Remark, Spots, look, lost, quoted, totals
from mlgroup_mail.content.word.styles import Styles, outline_level

HEADING_STYLE = "MailHeading"
"""Paragraphs of heading level n get the style with this name and n."""
QUOTE_STYLE = "MailQuote"
LIST_MARK = "mail-list-"
"""Each list item begins with a bookmark: this, the number of its list, "-" and the depth that its style names."""

_GRAPHICS = {
    "chart": "a chart: copy it in Word, and paste it as a picture",
    "chartex": "a chart: copy it in Word, and paste it as a picture",
    "diagram": "a SmartArt graphic: copy it in Word, and paste it as a picture",
    "wordprocessingShape": "a drawn shape",
    "wordprocessingGroup": "a group of drawings: save it as one picture",
    "wordprocessingCanvas": "a drawing: save it as a picture",
    "wordprocessingInk": "a drawing made with a pen",
}
_EMPHASIS = ("b", "i")
_MARKED = {
    "highlight": "highlighted in the document, not in the mail",
    "strike": "struck through in the document, kept as it reads",
}


def prepare(
    body: Element, styles: Styles, *, comments: Mapping[str, str], linked: frozenset[str] = frozenset()
) -> tuple[Remark, ...]:
    """Change a tree in place so that mammoth keeps its text, and tell what it cannot keep.

    `comments` is the text of each comment by id, `linked` the ids of pictures that lie outside of the document.
    """
    walk = _Walk(styles, comments, linked)
    walk.through(body)
    return walk.remarks()


class _Walk:
    def __init__(self, styles: Styles, comments: Mapping[str, str], linked: frozenset[str]) -> None:
        self._styles, self._comments, self._linked = styles, comments, linked
        self._spots = Spots()
        self._style: str | None = None
        self._lends_emphasis: str | None = None
        self._boxes: list[Element] = []
        self._in_link = False
        self._counts = {"inserted": 0, "deleted": 0, "underlined": 0, "contents": 0}
        self._marked: dict[str, tuple[int, str]] = dict.fromkeys(_MARKED, (0, ""))
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
        self._end_marks()
        return (*self._spots.remarks(), *totals(self._counts))

    def _paragraph(self, element: Element) -> list[Element]:
        outer = self._style, self._boxes
        properties = child(element, "pPr")
        self._style, self._boxes = value(child(properties, "pStyle")), []
        level = self._styles.heading(self._style)
        # How headings and quotations look is the theme's to say.
        self._lends_emphasis = None if level is not None or self._styles.is_quotation(self._style) else self._style
        if self._styles.is_contents(self._style):
            self._style, self._boxes = outer
            self._counts["contents"] += 1
            return []
        self.through(element)
        self._end_marks()
        self._spots.read("\n")
        self._name_style(element, properties)
        boxes = self._boxes
        self._style, self._boxes = outer
        return [element, *boxes]

    def _name_style(self, element: Element, properties: Element | None) -> None:
        """Give headings, quotations and list items what mammoth and the steps after it tell them by."""
        level = outline_level(properties)
        if level is None:
            level = self._styles.heading(self._style)
        if level is not None:
            set_style(element, f"{HEADING_STYLE}{level}")
            return
        if self._styles.is_quotation(self._style):
            set_style(element, QUOTE_STYLE)
        numbers = child(properties, "numPr")
        if numbers is None:
            numbers = self._styles.numbering(self._style)
            if numbers is not None:
                properties_of(element).append(numbers)
        name = value(child(numbers, "numId"))
        if name and name != "0":
            mark = f"{LIST_MARK}{name}-{self._styles.list_depth(self._style)}"
            bookmark = Element(like(element, "bookmarkStart"), {like(element, "name"): mark})
            element.insert(1 if child(element, "pPr") is not None else 0, bookmark)

    def _run(self, element: Element) -> list[Element]:
        properties = child(element, "rPr")
        if switched_on(properties, "vanish") and (text := words(element)):
            self._spots.note(lost(f"hidden text: {quoted(text)}"))
            return []
        self._mark("highlight", element, on=value(child(properties, "highlight")) not in (None, "none"))
        struck = bool(switched_on(properties, "strike") or switched_on(properties, "dstrike"))
        self._mark("strike", element, on=struck)
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

    def _mark(self, name: str, element: Element, *, on: bool) -> None:
        """Runs beside each other that carry the same mark are one passage."""
        text = "".join(each.text or "" for each in element.iter() if local(each.tag) == "t")
        at, passage = self._marked[name]
        if on:
            self._marked[name] = (at if passage else self._spots.here, passage + text)
        elif text.strip():
            self._end_marks(name)

    def _end_marks(self, *names: str) -> None:
        for name in names or _MARKED:
            at, text = self._marked[name]
            self._marked[name] = (0, "")
            if text.strip():
                self._spots.note(look(f"{_MARKED[name]}: {quoted(text)}"), at)

    def _link(self, element: Element) -> list[Element]:
        self._in_link = True
        self.through(element)
        self._in_link = False
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
        """As the three marks and the text between them that mammoth reads fields by (17.16.2)."""
        instruction = value(element, "instr") or ""
        self._told_field(instruction)
        self.through(element)
        begin, text, separate, end = (Element(like(element, "r")) for _ in range(4))
        for run, kind in ((begin, "begin"), (separate, "separate"), (end, "end")):
            SubElement(run, like(element, "fldChar"), {like(element, "fldCharType"): kind})
        SubElement(text, like(element, "instrText")).text = instruction
        return [begin, text, separate, *element, end]

    def _instruction(self, element: Element) -> list[Element]:
        self._told_field(element.text or "")
        return [element]

    def _told_field(self, instruction: str) -> None:
        if found := re.match(r'\s*MERGEFIELD\s+"?([^"\\]+)', instruction):
            self._spots.note(look(f"a field of Word's mail merge, {quoted(found[1])}: write a field of ours instead"))

    def _control(self, element: Element) -> list[Element]:
        properties = child(element, "sdtPr")
        gallery = value(child(properties, "docPartObj", "docPartGallery")) or ""
        if gallery == "Table of Contents":
            self._spots.note(lost("a table of contents"))
            return []
        if switched_on(properties, "showingPlcHdr"):
            self._spots.note(lost(f"a field that nobody has filled in: {quoted(words(element))}"))
            return []
        content = child(element, "sdtContent")
        if content is not None:
            self.through(content)
        return [element]

    def _alternative(self, element: Element) -> list[Element]:
        """One thing in two forms (part 3, 10.2): the newer, except for drawings whose pictures only the older shows."""
        choice, fallback = child(element, "Choice"), child(element, "Fallback")
        chosen = choice
        if choice is None or (
            fallback is not None
            and not has(choice, "txbxContent")
            and has(fallback, "imagedata")
            and graphic(choice) != "picture"
        ):
            chosen = fallback
        if chosen is None:
            return []
        self.through(chosen)
        return list(chosen)

    def _drawing(self, element: Element) -> list[Element]:
        if boxes := [each for each in element.iter() if local(each.tag) == "txbxContent"]:
            # Once: a box within another is already part of its text.
            self._spots.note(look("a text box: its text stands after the paragraph it was beside"))
            self.through(boxes[0])
            self._boxes += list(boxes[0])
            for box in boxes[1:]:
                if box not in list(boxes[0].iter()):
                    self.through(box)
                    self._boxes += list(box)
            return []
        if not any(value(each, "embed") for each in element.iter()) and any(
            value(each, name) in self._linked for each in element.iter() for name in ("link", "id")
        ):
            self._spots.note(lost("a picture that is only linked: insert it into the document"))
            return []
        if has(element, "imagedata") or graphic(element) == "picture":
            return [element]
        self._spots.note(lost(_GRAPHICS.get(graphic(element), "a drawing")))
        return []

    def _object(self, element: Element) -> list[Element]:
        program = next((value(each, "ProgID") for each in element.iter() if local(each.tag) == "OLEObject"), None)
        if (program or "").startswith("Equation"):
            return self._equation(element)
        self._spots.note(lost(f"an embedded object: {quoted(program)}" if program else "an embedded object"))
        return []

    def _equation(self, element: Element) -> list[Element]:
        text = "".join(each.text or "" for each in element.iter() if local(each.tag) == "t")
        self._spots.note(lost(f"an equation: {quoted(text)}" if text.strip() else "an equation"))
        return []

    def _comment(self, element: Element) -> list[Element]:
        text = self._comments.get(value(element, "id") or "", "")
        self._spots.note(lost(f"a comment: {quoted(text)}" if text else "a comment"))
        return []

    def _other_document(self, _: Element) -> list[Element]:
        self._spots.note(lost("another document that is inserted here: open it, and copy its text"))
        return []
