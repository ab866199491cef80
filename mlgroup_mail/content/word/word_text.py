"""What a Word document becomes."""

from dataclasses import dataclass

from mlgroup_mail.content.word.remarks import Remark


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture file to write beside the text."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class WordText:
    """The text of a campaign. `title` is "" where the document has none; `markdown` means nothing to Jinja.

    `kept` counts headings, links, list items, tables and pictures by those names, in the singular.
    """

    title: str
    markdown: str
    pictures: tuple[Picture, ...]
    kept: dict[str, int]
    remarks: tuple[Remark, ...]
