"""The public copy of a mailing: what anybody may read, on a website or in an archive."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import TRANSLATION, variant_fields
from mlgroup_mail.content.compiling.written_addresses import addresses_in, bare, holds_address
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.merging import merge_html, merge_subject, merge_text
from mlgroup_mail.content.writing.blocks.naming import lines_for_members
from mlgroup_mail.content.written_tags import tags_of
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.model.message import CompiledMessage, MergeValues

_NOBODY = Contact(address="reader@example.org", status="")
"""Whom it is written for: somebody of whom nothing is known."""
_NOTHING = MergeValues(
    address="", opt_out="mailto:nobody@example.org", opt_out_all="mailto:nobody@example.org", opt_out_mail=""
)
"""What its fields are filled with; ways to opt out are in no public copy, and these in none either."""


def public_copy(source: FrozenSource, translation: str = "") -> CompiledMessage:
    """The original or a translation for everybody: no token is left in it, and no way to opt out.

    Merge fields have their fallback, or are gone with the blank before them. Raises CampaignError.
    """
    fields = variant_fields(source)
    shared = fields.shared(fields.key(_NOBODY))
    return _public(source, shared | ({TRANSLATION: translation} if translation else {}))


def leaking_links(
    source: FrozenSource, variants: Iterable[tuple[Mapping[str, Any], CompiledMessage]], translation: str = ""
) -> tuple[str, ...]:
    """Addresses that are for members only, and that anybody would find in the public copy, sorted.

    For members are the joining links of events, and what some readers see in a part that the public copy leaves out.
    `variants` are the readers' shared values, each with what was compiled for them. Raises CampaignError.
    """
    if not _has_parts_for_members(source, translation):
        return ()
    public = _written(public_copy(source, translation))
    taken_out = Counter(bare(event["joining_link"]) for event in source.events.values() if event.get("joining_link"))
    for shared, compiled in variants:
        # The same reader twice, so that only what is for members makes the difference.
        taken_out |= _addresses(_without_fields(compiled)) - _addresses(_public(source, shared))
    return tuple(sorted(address for address in taken_out if holds_address(public, address)))


def _has_parts_for_members(source: FrozenSource, translation: str) -> bool:
    text = source.text_in(translation)
    joining = any(event.get("joining_link") for event in source.events.values())
    return joining or bool(lines_for_members(text)) or "campaign.public" in text.text


def _public(source: FrozenSource, shared: Mapping[str, Any]) -> CompiledMessage:
    return _without_fields(compile_message(source, shared, public=True))


def _without_fields(compiled: CompiledMessage) -> CompiledMessage:
    empty = [token for token, slot in compiled.tokens.items() if not slot.fallback]
    before = re.compile(rf"[ \t]+(?={'|'.join(empty)})") if empty else None
    subject, html, text = (
        before.sub("", part) if before else part for part in (compiled.subject, compiled.html, compiled.text)
    )
    tidy = replace(compiled, subject=subject, html=html, text=text)
    return replace(
        tidy,
        subject=merge_subject(tidy, _NOTHING),
        html=merge_html(tidy, _NOTHING),
        text=merge_text(tidy, _NOTHING),
        tokens={},
    )


def _addresses(compiled: CompiledMessage) -> Counter[str]:
    """How often each address stands in a mail, as a link or as words."""
    links = (
        bare(unescape(found.value))
        for found in tags_of(compiled.html).attributes
        if found.name == "href" and found.value
    )
    return Counter(links) + Counter(addresses_in(compiled.text))


def _written(compiled: CompiledMessage) -> str:
    """All that a copy says, in each of its forms."""
    # In a calendar, long lines are broken, and some marks stand behind a backslash (RFC 5545, 3.1 and 3.3.11).
    calendar = re.sub(r"\\([\\;,])", r"\1", re.sub("\r\n[ \t]", "", compiled.calendar).replace("\\n", "\n"))
    return "\n".join((compiled.subject, compiled.html, compiled.text, calendar))
