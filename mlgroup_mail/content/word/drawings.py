"""Drawings, embedded objects and equations: what mammoth keeps of them, and what is told of the rest."""

from xml.etree.ElementTree import Element

from mlgroup_mail.content.word.elements import child, graphic, has, local, value
from mlgroup_mail.content.word.remarks import Remark, lost, quoted

_GRAPHICS = {
    "chart": "a chart: copy it in Word, and paste it as a picture",
    "chartex": "a chart: copy it in Word, and paste it as a picture",
    "diagram": "a SmartArt graphic: copy it in Word, and paste it as a picture",
    "wordprocessingShape": "a drawn shape",
    "wordprocessingGroup": "a group of drawings: save it as one picture",
    "wordprocessingCanvas": "a drawing: save it as a picture",
    "wordprocessingInk": "a drawing made with a pen",
}


def text_boxes(drawing: Element) -> list[Element]:
    """The boxes of a drawing that hold text, each once: one within another is already part of its text."""
    boxes = [each for each in drawing.iter() if local(each.tag) == "txbxContent"]
    return [box for at, box in enumerate(boxes) if not any(box in list(outer.iter()) for outer in boxes[:at])]


def lost_drawing(drawing: Element, linked: frozenset[str]) -> Remark | None:
    """What is not kept of a drawing without text; None for a picture. `linked` are the ids of pictures elsewhere."""
    if not any(value(each, "embed") for each in drawing.iter()) and any(
        value(each, name) in linked for each in drawing.iter() for name in ("link", "id")
    ):
        return lost("a picture that is only linked: insert it into the document")
    if has(drawing, "imagedata") or graphic(drawing) == "picture":
        return None
    return lost(_GRAPHICS.get(graphic(drawing), "a drawing"))


def lost_object(element: Element) -> Remark:
    """What is told of an embedded object."""
    program = next((value(each, "ProgID") for each in element.iter() if local(each.tag) == "OLEObject"), None)
    if (program or "").startswith("Equation"):
        return lost_equation(element)
    return lost(f"an embedded object: {quoted(program)}" if program else "an embedded object")


def lost_equation(element: Element) -> Remark:
    """What is told of an equation."""
    text = "".join(each.text or "" for each in element.iter() if local(each.tag) == "t")
    return lost(f"an equation: {quoted(text)}" if text.strip() else "an equation")


def chosen_form(alternative: Element) -> Element | None:
    """One thing in two forms (part 3, 10.2): the newer, except for drawings whose pictures only the older shows."""
    choice, fallback = child(alternative, "Choice"), child(alternative, "Fallback")
    if choice is None or (
        fallback is not None
        and not has(choice, "txbxContent")
        and has(fallback, "imagedata")
        and graphic(choice) != "picture"
    ):
        return fallback
    return choice
