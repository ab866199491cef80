"""Compile once, merge many: from an approved source to the message that a variant's recipients share.

Jinja, then Markdown, then MJML, then styles into the tags; merge fields pass through as tokens, and at the end each
gets the context it stands in.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from mlgroup_mail.content.calendar.events import Calendar
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.calendar.reader_time import EventTimes, seen_by_reader
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.compiling.calendar_part import calendar_part
from mlgroup_mail.content.compiling.contexts import Found, MisplacedFieldError, html_contexts, text_contexts
from mlgroup_mail.content.compiling.html import check_elements, check_part_of_page, mjml_to_html
from mlgroup_mail.content.compiling.variants import EVENT_TIMES, TRANSLATION
from mlgroup_mail.content.frozen import FrozenSource, texts_of
from mlgroup_mail.content.language.catalogues import direction_of
from mlgroup_mail.content.merge_fields import (
    LINK_FIELDS,
    RECIPIENT_FIELDS,
    SHARED_SETS,
    MergeField,
    MergeFields,
    Tokens,
    find_tokens,
)
from mlgroup_mail.content.pictures.placing import image_sources, place_images
from mlgroup_mail.content.templates.rendering import Renderer
from mlgroup_mail.content.templates.template_fields import field_use
from mlgroup_mail.content.templates.template_files import HTML_SUFFIX, TEXT_SUFFIX, template_place
from mlgroup_mail.content.templates.theming import theme_context
from mlgroup_mail.content.writing.blocks.event import Diary
from mlgroup_mail.content.writing.body import render_body
from mlgroup_mail.content.writing.markdown import value_in_markdown
from mlgroup_mail.content.writing.text_lines import LineMarks, unmarked
from mlgroup_mail.content.writing.words import Writing
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.message import CompiledMessage, Slot, SlotContext

Texts = tuple[tuple[str, str], ...]
"""Texts with their names, as a key under which something can be kept."""


def compile_message(source: FrozenSource, shared: Mapping[str, Any], *, public: bool = False) -> CompiledMessage:
    """Compile one variant. `shared` has the value of each of `variant_fields(source)`.

    A `public` copy is what anybody may read: without blocks marked `members_only`, joining links and ways to opt out.
    Raises CampaignError naming file, line and what to write instead.
    """
    texts = texts_of(source)
    tokens = Tokens(source.digest + json.dumps(dict(shared), sort_keys=True), "compiling")
    words = source.text_in(shared.get(TRANSLATION, ""))
    renderers = _renderers(tuple(texts.items()), tuple(source.templates.items()), words.language)
    try:
        parts = _rendered(source, words, renderers, _context(source, words, shared, tokens, public=public), tokens)
        compiled = _with_contexts(source, parts, tokens)
    except MisplacedFieldError as error:
        raise CampaignError(str(error), where=getattr(error.slot, "place", ""), mend=error.mend) from None
    except CampaignError as error:
        raise CampaignError.of(
            replace(problem, message=tokens.readable(problem.message)) for problem in error.problems
        ) from None
    html, images = place_images(compiled.html, source)
    return replace(
        compiled,
        html=html,
        images=images,
        calendar=calendar_part(source, words.language, public=public),
        language=words.language,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Renderers:
    """What renders the subject and its like, the text itself, and the templates."""

    lines: Renderer
    markdown: Renderer
    frames: Renderer


@functools.lru_cache(maxsize=16)
def _renderers(texts: Texts, templates: Texts, language: str) -> _Renderers:
    """The same for all variants of a source, so that its texts are checked and its Jinja is read once.

    Raises CampaignError for a merge field where none can stand, and for an MJML element that there is not.
    """
    field_use(dict(texts))
    check_elements({template_place(name): text for name, text in templates})
    return _Renderers(
        lines=Renderer(dict(texts), language=language),
        markdown=Renderer(dict(texts), language=language, finalize=value_in_markdown, extensions=[LineMarks]),
        frames=Renderer(dict(templates), language=language, place=template_place),
    )


def _rendered(
    source: FrozenSource, words: MailingText, renderers: _Renderers, context: dict[str, Any], tokens: Tokens
) -> dict[str, str]:
    """The subject, the page and the plain text, tokens in place."""
    frames = renderers.frames
    facts = context["campaign"]
    for name in ("subject", "title", "preheader"):
        facts[name] = " ".join(renderers.lines.render(words.name_of(name), context).split())
    if not facts["subject"]:
        raise _nothing_left("subject", words.places.get("subject", words.text_file))
    lines = unmarked(renderers.markdown.render(words.text_file, context), place=words.text_file)
    if not lines.lines:
        raise _nothing_left("text", words.text_file)
    body = render_body(
        lines,
        writing=Writing(images=context["images"], public=facts["public"], right_to_left=facts["direction"] == "rtl"),
        diary=Diary(events=context["events"], today=date.fromisoformat(facts["send_date"])),
        frames=frames,
        context=context,
        check=check_part_of_page,
    )
    html_name, text_name = source.template + HTML_SUFFIX, source.template + TEXT_SUFFIX
    in_page = context | {"body": body.mjml}
    mjml = frames.render(html_name, in_page)
    text = frames.render(text_name, context | {"body": body.text})
    page = mjml_to_html(mjml, place_at=lambda offset: frames.place_at(html_name, in_page, offset))
    for part in (facts["subject"], page, text):
        if tokens.damaged(part):
            raise CampaignError(
                "a merge field was changed on the way into the mail",
                where=words.text_file,
                mend="Let it stand alone in {{ }}, outside of filters, slices and macros.",
            )
    _refuse_lost(mjml, page, tokens)
    _must_hold(mjml, body.mjml, html_name)
    _must_hold(text, body.text, text_name)
    return {"subject": facts["subject"], "html": page, "text": text.strip("\n") + "\n"}


def _nothing_left(what: str, where: str) -> CampaignError:
    return CampaignError(
        f"nothing is left of the {what} once its conditions are decided",
        where=where,
        mend="Write what all its readers get, or give the condition an {% else %}.",
    )


def _must_hold(part: str, body: str, name: str) -> None:
    """The text stands in what its template made of it, however that indents it."""
    if "".join(body.split()) not in "".join(part.split()):
        raise CampaignError(
            "this template leaves the text out",
            where=template_place(name),
            mend="Write {{ body }} where it is to stand.",
        )


def _refuse_lost(mjml: str, page: str, tokens: Tokens) -> None:
    """MJML passes over attributes that it does not know, and the inliner over styles that it cannot read."""
    slots = tokens.slots
    kept = {token for _, token in find_tokens(page, slots)}
    for _, token in find_tokens(mjml, slots):
        if token not in kept:
            raise MisplacedFieldError(
                slots[token],
                f"{slots[token].field} does not reach the reader from here",
                "Put it into the text of an element: a style, or an attribute that MJML does not know, holds none.",
            )


def _context(
    source: FrozenSource, words: MailingText, shared: Mapping[str, Any], tokens: Tokens, *, public: bool
) -> dict[str, Any]:
    recipient = MergeFields({name: MergeField(f"recipient.{name}", tokens) for name in RECIPIENT_FIELDS})
    for name in SHARED_SETS:
        members = [key.partition(":")[2] for key, value in shared.items() if key.startswith(f"{name}:") and value]
        recipient[name] = tuple(shared.get(name, members))
    recipient |= {key: value for key, value in shared.items() if ":" not in key and key not in SHARED_SETS}
    images = image_sources(source)
    events = _calendar(source, words.language, shared.get(EVENT_TIMES, ()), public=public)
    return {
        **source.values,
        "recipient": recipient,
        "images": images,
        "links": MergeFields({name: "" if public else MergeField(f"links.{name}", tokens) for name in LINK_FIELDS}),
        "group": source.group | source.figures,
        "theme": theme_context(source.theme, images, direction_of(words.language)),
        "campaign": {
            "kind": source.kind,
            "topic": source.topic,
            "topic_title": source.topic_title,
            "language": words.language,
            "direction": direction_of(words.language),
            "public": public,
            "opt_out_page": source.opt_out_page,
            "send_date": source.send_written[:10],
            "event": events.get(source.event),
        },
        "events": events,
    }


def _calendar(source: FrozenSource, language: str, times: EventTimes, *, public: bool) -> Calendar:
    """The events as one variant's readers see them."""
    events = (seen_by_reader(event_from(written).in_language(language), times) for written in source.events.values())
    return Calendar({event.id: event.for_everybody() if public else event for event in events})


def _with_contexts(source: FrozenSource, parts: Mapping[str, str], compiling: Tokens) -> CompiledMessage:
    """Give every token the context it stands in: from here on there is one token for each field and context."""
    final = Tokens(source.digest, "compiled")
    slots = compiling.slots
    in_subject = [(at, token, SlotContext.HEADER) for at, token in find_tokens(parts["subject"], slots)]
    for _, token, _ in in_subject:
        if (field := slots[token].field).startswith("links."):
            raise MisplacedFieldError(slots[token], f"{field} cannot stand in a subject", "Put it into the text.")
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
