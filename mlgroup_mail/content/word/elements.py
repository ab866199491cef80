"""Looking into WordprocessingML: elements and attributes by their local names."""

from xml.etree.ElementTree import Element, SubElement


def local(name: str) -> str:
    """The name of an element or attribute without its namespace: strict and transitional documents differ in those."""
    return name.rpartition("}")[2]


def child(element: Element | None, *path: str) -> Element | None:
    """The first element at a path of local names."""
    for name in path:
        element = next((each for each in element if local(each.tag) == name), None) if element is not None else None
    return element


def value(element: Element | None, name: str = "val") -> str | None:
    """An attribute by its local name; None where it or the element is missing."""
    if element is None:
        return None
    return next((text for key, text in element.attrib.items() if local(key) == name), None)


def switched_on(properties: Element | None, name: str) -> bool | None:
    """What a property that is on or off says (17.17.4); None where it says nothing."""
    element = child(properties, name)
    return None if element is None else value(element) not in ("0", "false", "off", "none")


def graphic(element: Element) -> str:
    """What kind of graphic stands in a drawing, by the last word of its data's address (20.1.2.2.17)."""
    data = next((each for each in element.iter() if local(each.tag) == "graphicData"), None)
    return (value(data, "uri") or "").rpartition("/")[2]


def has(element: Element, name: str) -> bool:
    """Whether an element of that name stands anywhere in it."""
    return any(local(each.tag) == name for each in element.iter())


def words(element: Element) -> str:
    """The text in it, on one line."""
    return " ".join("".join(each.text or "" for each in element.iter() if local(each.tag) == "t").split())


def like(element: Element, name: str) -> str:
    """A name in the namespace of an element."""
    return f"{element.tag.rpartition('}')[0]}}}{name}"


def properties_of(element: Element, name: str = "pPr") -> Element:
    """The properties of a paragraph (or, by `name`, of something else), made where there are none."""
    found = child(element, name)
    if found is None:
        found = Element(like(element, name))
        element.insert(0, found)
    return found


def set_style(paragraph: Element, style: str) -> None:
    """Give a paragraph another style, and take it out of its list."""
    properties = properties_of(paragraph)
    for each in [each for each in properties if local(each.tag) in ("pStyle", "numPr")]:
        properties.remove(each)
    SubElement(properties, like(paragraph, "pStyle"), {like(paragraph, "val"): style})
