"""Compile once, merge many: from an approved source to the message that a variant's recipients share.

Jinja, then Markdown, then MJML, then styles into the tags; merge fields pass through as tokens, and at the end each
gets the context it stands in.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlgroup_mail.content.body import render_body
from mlgroup_mail.content.calendar_part import calendar_part
from mlgroup_mail.content.compiling_html import check_elements, mjml_to_html
from mlgroup_mail.content.contexts import Found, MisplacedFieldError, html_contexts, text_contexts
from mlgroup_mail.content.events import Calendar, event_from
from mlgroup_mail.content.frozen import FrozenSource, FrozenText, texts_of
from mlgroup_mail.content.images import place_images
from mlgroup_mail.content.markdown import escape_markdown
from mlgroup_mail.content.merge_fields import (
    LINK_FIELDS,
    RECIPIENT_FIELDS,
    SHARED_SETS,
    MergeField,
    Tokens,
    find_tokens,
)
from mlgroup_mail.content.rendering import Renderer
from mlgroup_mail.content.template_fields import field_use
from mlgroup_mail.content.template_files import HTML_SUFFIX, TEXT_SUFFIX, template_place
from mlgroup_mail.content.variants import TRANSLATION
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.message import CompiledMessage, Slot, SlotContext


def compile_message(source: FrozenSource, shared: Mapping[str, Any], *, public: bool = False) -> CompiledMessage:
    """Compile one variant. `shared` has the value of each of `variant_fields(source)`.

    A `public` copy is what anybody may read: without blocks marked `members_only`, joining links and ways to opt out.
    Raises CampaignError naming file, line and what to write instead.
    """
    texts = texts_of(source)
    field_use(texts)
    check_elements({template_place(name): text for name, text in source.templates.items()})
    tokens = Tokens(source.digest + json.dumps(dict(shared), sort_keys=True), "compiling")
    words = source.text_in(shared.get(TRANSLATION, ""))
    parts = _rendered(source, words, texts, _context(source, words, shared, tokens, public=public))
    for part in parts.values():
        if tokens.damaged(part):
            raise CampaignError(
                "a merge field was changed on the way into the mail",
                where=source.text_file,
                mend="Let it stand alone in {{ }}, outside of filters, slices and macros.",
            )
    try:
        compiled = _with_contexts(source, parts, tokens)
    except MisplacedFieldError as error:
        where = _first_mention(texts, error.field)
        raise CampaignError(str(error), where=where, mend=error.mend) from None
    html, images = place_images(compiled.html, source)
    return replace(
        compiled,
        html=html,
        images=images,
        calendar=calendar_part(source, public=public),
        language=words.language,
    )


def _rendered(
    source: FrozenSource, words: FrozenText, texts: Mapping[str, str], context: dict[str, Any]
) -> dict[str, str]:
    """The subject, the page and the plain text, tokens in place."""
    lines = Renderer(texts, language=words.language)
    writing = Renderer(texts, language=words.language, finalize=escape_markdown)
    frames = Renderer(source.templates, language=words.language, place=template_place)
    facts = context["campaign"]
    for name in ("subject", "title", "preheader"):
        facts[name] = " ".join(lines.render(f"{words.text_file} ({name})", context).split())
    body = render_body(writing.render(words.text_file, context).strip("\n"), frames, context)
    html_name, text_name = source.template + HTML_SUFFIX, source.template + TEXT_SUFFIX
    mjml = frames.render(html_name, context | {"body": body.mjml})
    text = frames.render(text_name, context | {"body": body.text})
    return {
        "subject": facts["subject"],
        "html": mjml_to_html(mjml, place=template_place(html_name)),
        "text": text.strip("\n") + "\n",
    }


def _context(
    source: FrozenSource, words: FrozenText, shared: Mapping[str, Any], tokens: Tokens, *, public: bool
) -> dict[str, Any]:
    recipient: dict[str, Any] = {name: MergeField(f"recipient.{name}", tokens) for name in RECIPIENT_FIELDS}
    for name in SHARED_SETS:
        members = [key.partition(":")[2] for key, value in shared.items() if key.startswith(f"{name}:") and value]
        recipient[name] = tuple(shared.get(name, members))
    recipient |= {key: value for key, value in shared.items() if ":" not in key and key not in SHARED_SETS}
    return {
        **source.values,
        "recipient": recipient,
        "links": {name: MergeField(f"links.{name}", tokens) for name in LINK_FIELDS},
        "group": source.group | source.figures,
        "theme": source.theme,
        "campaign": {
            "kind": source.kind,
            "topic": source.topic,
            "topic_title": source.topic_title,
            "language": words.language,
            "public": public,
            "opt_out_page": source.opt_out_page,
            "send_date": source.send_written[:10],
        },
        "events": Calendar({name: event_from(written) for name, written in source.events.items()}),
    }


def _with_contexts(source: FrozenSource, parts: Mapping[str, str], compiling: Tokens) -> CompiledMessage:
    """Give every token the context it stands in: from here on there is one token for each field and context."""
    final = Tokens(source.digest, "compiled")
    slots = compiling.slots
    in_subject = [(at, token, SlotContext.HEADER) for at, token in find_tokens(parts["subject"], slots)]
    in_html = html_contexts(parts["html"], slots)
    in_text = text_contexts(parts["text"], slots)
    subject, html, text = (
        _renamed(parts[name], found, slots, final)
        for name, found in (("subject", in_subject), ("html", in_html), ("text", in_text))
    )
    return CompiledMessage(subject=subject, html=html, text=text, language=source.language, tokens=final.slots)


def _renamed(text: str, found: Found, slots: Mapping[str, Slot], final: Tokens) -> str:
    pieces: list[str] = []
    end = 0
    for start, token, context in found:
        slot = slots[token]
        pieces += text[end:start], final.of(Slot(field=slot.field, context=context, fallback=slot.fallback))
        end = start + len(token)
    return "".join([*pieces, text[end:]])


def _first_mention(texts: Mapping[str, str], field: str) -> str:
    """File and line where a merge field is first written, the campaign's own texts before the templates."""
    for place, text in texts.items():
        if found := re.search(rf"\{{\{{-?\s*{re.escape(field)}\b", text):
            return f"{place}, line {text.count(chr(10), 0, found.start()) + 1}"
    return "the compiled mail"
