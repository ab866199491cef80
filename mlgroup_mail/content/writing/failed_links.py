"""What was typed as a link or a picture, and is none to Markdown: readers would see its brackets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.writing.blocks.kinds import BlockKind
from mlgroup_mail.content.writing.typed_text import ESCAPED, NO_TEXT, typed_texts

_FAILED = re.compile(
    rf"(?P<picture>!)?(?<!{ESCAPED})\[[^\[\]]*(?<!{ESCAPED})\]"
    r"\((?P<address>[^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedLink:
    """As `written`, with the `address` between its round brackets; `where` is file and line."""

    where: str
    written: str
    address: str
    picture: bool


def failed_links(text: MailingText) -> Iterator[FailedLink]:
    """Each “[words](address)” that stays as it is; in code it is meant to, and a button without a link is told anyway.

    Raises CampaignError for a misspelt block.
    """
    for typed in typed_texts(text):
        if typed.block is BlockKind.BUTTON:
            continue
        for found in _FAILED.finditer(typed.text):
            yield FailedLink(
                where=typed.where(found.start("address")),
                written=" ".join(found[0].replace(NO_TEXT, "").replace(ESCAPED, "").split()),
                address=found["address"].replace(ESCAPED, ""),
                picture=bool(found["picture"]),
            )
