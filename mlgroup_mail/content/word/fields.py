"""Fields and controls of a document: what Word fills in."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from mlgroup_mail.content.word.elements import child, like, switched_on, value, words
from mlgroup_mail.content.word.remarks import Remark, look, lost, quoted


def written_out(field: Element) -> list[Element]:
    """A simple field as the three marks and the text between them that mammoth reads fields by (17.16.2)."""
    begin, text, separate, end = (Element(like(field, "r")) for _ in range(4))
    for run, kind in ((begin, "begin"), (separate, "separate"), (end, "end")):
        SubElement(run, like(field, "fldChar"), {like(field, "fldCharType"): kind})
    SubElement(text, like(field, "instrText")).text = instruction_of(field)
    return [begin, text, separate, *field, end]


def instruction_of(field: Element) -> str:
    """What a simple field tells Word to fill in."""
    return value(field, "instr") or ""


def merge_field(instruction: str) -> Sequence[Remark]:
    """What is told of a field of Word's own mail merge; nothing of any other."""
    found = re.match(r'\s*MERGEFIELD\s+"?([^"\\]+)', instruction)
    return (look(f"a field of Word's mail merge, {quoted(found[1])}: write a field of ours instead"),) if found else ()


def lost_control(control: Element) -> Remark | None:
    """What is not kept of a control: a table of contents, and what nobody has filled in; None for one with a text."""
    properties = child(control, "sdtPr")
    if value(child(properties, "docPartObj", "docPartGallery")) == "Table of Contents":
        return lost("a table of contents")
    if switched_on(properties, "showingPlcHdr"):
        return lost(f"a field that nobody has filled in: {quoted(words(control))}")
    return None
