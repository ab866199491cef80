"""From a picture that matplotlib wrote to one that stands within a page: its colours the page's, its names its own.

No style attribute is left, so that a page may forbid all styles but its own (Content-Security-Policy).
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DROPPED = {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def for_page(written: str, *, name: str, title: str, variables: Mapping[str, str]) -> str:
    """The picture as an element of HTML, named for people who do not see it; ids begin with `name`.

    `variables` maps the colours that were drawn with to CSS variables of the page.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(written)  # noqa: S314  # Our own library wrote it.
    _drop(root)
    for element in root.iter():
        _plain_attributes(element, variables)
    _rename(root, name)
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title", "class": "plot"}
    label = ElementTree.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    label.text = title
    root.insert(0, label)
    return ElementTree.tostring(root, encoding="unicode")


def _drop(element: ElementTree.Element) -> None:
    for child in list(element):
        if child.tag in _DROPPED:
            element.remove(child)
        else:
            _drop(child)


def _plain_attributes(element: ElementTree.Element, variables: Mapping[str, str]) -> None:
    """What stands in `style` as attributes of its own; fonts are the page's."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, colon, value = declaration.partition(":")
        if colon and not key.strip().startswith("font"):
            element.set(key.strip(), value.strip())
        elif key.strip() in {"font", "font-size"}:
            element.set("font-size", re.search(r"[\d.]+px", value)[0])  # type: ignore[index]
    for key, value in element.attrib.items():
        if value in variables:
            element.set(key, f"var(--{variables[value]})")


def _rename(root: ElementTree.Element, name: str) -> None:
    """Keep the ids that something refers to, each unique on the page."""
    referred: set[str] = set()
    for element in root.iter():
        if link := element.attrib.pop(f"{{{_XLINK}}}href", None):
            referred.add(link.removeprefix("#"))
            element.set("href", f"#{name}-{link.removeprefix('#')}")
        for key, value in element.attrib.items():
            if found := _REFERENCE.search(value):
                referred.add(found[1])
                element.set(key, f"url(#{name}-{found[1]})")
    for element in root.iter():
        own = element.attrib.pop("id", "")
        if own in referred:
            element.set("id", f"{name}-{own}")
