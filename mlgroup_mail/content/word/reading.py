"""From a Word document to the text of a campaign."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup

from mlgroup_mail.content.word.blocks import BlockKind, Blocks, Step, read_blocks
from mlgroup_mail.content.word.captions import with_captions
from mlgroup_mail.content.word.headings import levelled, split_title, with_bold_headings, with_hints
from mlgroup_mail.content.word.list_marks import with_typed_lists
from mlgroup_mail.content.word.package import opened_word
from mlgroup_mail.content.word.pictures import take_pictures
from mlgroup_mail.content.word.to_html import word_html
from mlgroup_mail.content.word.word_text import WordText
from mlgroup_mail.content.word.wraps import joined
from mlgroup_mail.content.word.writing import written
from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.errors import CampaignError

_STEPS: tuple[Callable[[Blocks], Step], ...] = (
    with_bold_headings,
    levelled,
    with_typed_lists,
    with_hints,
    with_captions,
)
_COUNTED = {
    "heading_open": "heading",
    "link_open": "link",
    "list_item_open": "list item",
    "table_open": "table",
    "image": "picture",
}


def read_word(path: Path) -> WordText:
    """Read a Word document; raises CampaignError, saying what to do, where that cannot be done."""
    with opened_word(path) as package:
        html = word_html(package)
        soup = BeautifulSoup(html.html, "html.parser")
        pictures, about_pictures = take_pictures(soup, package.content)
        blocks, about_blocks = read_blocks(soup)
    if not blocks:
        raise CampaignError("there is no text in this document", where=str(path), mend="Is it the right file?")
    remarks = [*html.remarks, *about_pictures, *about_blocks]
    blocks, told = joined(blocks)
    remarks += told
    title, (blocks, told) = split_title(blocks)
    remarks += told
    for step in _STEPS:
        blocks, told = step(blocks)
        remarks += told
    markdown = written(blocks)
    return WordText(
        title=title,
        markdown=markdown,
        pictures=tuple(pictures),
        kept=_kept(markdown),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _kept(markdown: str) -> dict[str, int]:
    tokens = [each for token in parser().parse(markdown) for each in (token, *(token.children or ()))]
    kinds = ("image" if each.type == "fence" and each.info == BlockKind.FIGURE else each.type for each in tokens)
    counts = Counter(_COUNTED[kind] for kind in kinds if kind in _COUNTED)
    return {name: counts[name] for name in _COUNTED.values() if counts[name]}
