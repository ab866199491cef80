"""What the steps after mammoth tell headings, quotations, captions and list items by."""

from xml.etree.ElementTree import Element

from mlgroup_mail.content.word.elements import child, like, properties_of, set_style, value
from mlgroup_mail.content.word.styles import Styles, outline_level

HEADING_STYLE = "MailHeading"
"""Paragraphs of heading level n get the style with this name and n."""
QUOTE_STYLE = "MailQuote"
CAPTION_STYLE = "MailCaption"
LIST_MARK = "mail-list-"
"""Each list item begins with a bookmark: this, the number of its list, "-" and the depth that its style names."""


def lends_emphasis(styles: Styles, style: str | None) -> bool:
    """Whether bold and italics of a paragraph's style are the author's: how headings look is the theme's to say."""
    return styles.heading(style) is None and not styles.is_quotation(style) and not styles.is_caption(style)


def name_style(paragraph: Element, styles: Styles, style: str | None) -> None:
    """Give a paragraph whose style is `style` what it is told by, in place."""
    properties = child(paragraph, "pPr")
    if styles.is_caption(style):
        set_style(paragraph, CAPTION_STYLE)
        return
    level = outline_level(properties)
    if level is None:
        level = styles.heading(style)
    if level is not None:
        set_style(paragraph, f"{HEADING_STYLE}{level}")
        return
    if styles.is_quotation(style):
        set_style(paragraph, QUOTE_STYLE)
    numbers = child(properties, "numPr")
    if numbers is None:
        numbers = styles.numbering(style)
        if numbers is not None:
            properties_of(paragraph).append(numbers)
    name = value(child(numbers, "numId"))
    if name and name != "0":
        mark = f"{LIST_MARK}{name}-{styles.list_depth(style)}"
        bookmark = Element(like(paragraph, "bookmarkStart"), {like(paragraph, "name"): mark})
        paragraph.insert(1 if child(paragraph, "pPr") is not None else 0, bookmark)
