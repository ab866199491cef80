"""Writing a recipient's value into the place it stands in."""

import html
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import quote

from mlgroup_mail.content.merge_fields import split_at_tokens
from mlgroup_mail.model.message import CompiledMessage, MergeValues, Slot, SlotContext

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Embeddings, overrides and isolates would turn the text around a value; the plain marks (LRM, RLM, ALM) do not.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Only the scheme in either case, as in `headers`.
_ADDRESS = re.compile(r"(?i:https?://|mailto:)[!#-;=?-~]+", re.ASCII)


def clean(value: str) -> str:
    """A value on one line: no control character, nothing that turns the text around it, valid Unicode."""
    if value.isprintable():
        return value
    value = _BREAKS.sub(" ", value)
    return _SURROGATES.sub("\ufffd", _TURNS.sub("", value)).strip()


def _escaped(value: str) -> str:
    # Both quotes, whichever the serialiser chose for the attribute; ">" so that no comment can end early.
    return html.escape(value, quote=True)


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("a link must be an https or mailto address in ASCII")
    return value.replace("&", "&amp;")


def _query(value: str) -> str:
    return quote(value, safe="")


_WRITERS: dict[SlotContext, Callable[[str], str]] = {
    SlotContext.HTML_TEXT: _escaped,
    SlotContext.ATTRIBUTE: _escaped,
    SlotContext.URL: _address,
    SlotContext.QUERY: _query,
    SlotContext.PLAIN: str,
    SlotContext.HEADER: str,
}


@cache
def attribute_of(field: str) -> str:
    """The attribute of `MergeValues` that a merge field stands for: `recipient.first_name` is `first_name`."""
    return field.partition(".")[2]


def written(slot: Slot, values: MergeValues) -> str:
    """A slot's text for one recipient. Raises ValueError for a link that is none: ours, never a contact's."""
    # A link is ours and checked instead: what is wrong with it must not be mended in silence.
    given: str = getattr(values, attribute_of(slot.field))
    value = given if slot.context is SlotContext.URL else clean(given)
    if not value.strip():
        value = slot.fallback or ""
    return _WRITERS[slot.context](value)


def merge_subject(compiled: CompiledMessage, values: MergeValues) -> str:
    """The subject as one recipient reads it."""
    return _merge(compiled.subject, compiled, values)


def merge_html(compiled: CompiledMessage, values: MergeValues) -> str:
    """The page as one recipient sees it."""
    return _merge(compiled.html, compiled, values)


def merge_text(compiled: CompiledMessage, values: MergeValues) -> str:
    """The plain-text part as one recipient reads it."""
    return _merge(compiled.text, compiled, values)


def _merge(text: str, compiled: CompiledMessage, values: MergeValues) -> str:
    pieces, slots = split_at_tokens(text, compiled.tokens)
    parts = [pieces[0]]
    for slot, piece in zip(slots, pieces[1:], strict=True):
        parts += written(slot, values), piece
    return "".join(parts)
