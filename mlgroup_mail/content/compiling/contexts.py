"""What every merge field of a compiled mail stands in, found in its final HTML with a real tokenizer."""

import re
from collections.abc import Mapping

from mlgroup_mail.content.merge_fields import find_tokens
from mlgroup_mail.content.written_tags import CONDITIONAL, URL_ATTRIBUTES, PlacedParser, attributes_of
from mlgroup_mail.model.message import Slot, SlotContext

_BEFORE_QUERY = re.compile(r"(https?://[^\s/?#]+[^\s?#]*|mailto:[^\s?#]+)\?[^#]*\Z", re.IGNORECASE)
_BEFORE_QUERY_IN_TEXT = re.compile(
    r"(?<![^\s(<\[])(https?://[^\s/?#]+[^\s?#]*|mailto:[^\s?#]+)\?[^\s#]*\Z", re.IGNORECASE
)
_LONGEST_ADDRESS = 2000


class MisplacedFieldError(ValueError):
    """A merge field stands where no value could be written safely; says what to write instead."""

    def __init__(self, slot: Slot, message: str, mend: str) -> None:
        super().__init__(message)
        self.slot, self.mend = slot, mend


Found = list[tuple[int, str, SlotContext]]
"""(offset, token, context) of each occurrence, in order."""


def html_contexts(html: str, tokens: Mapping[str, Slot]) -> Found:
    """The context of each token in a page; raises MisplacedFieldError."""
    return sorted(_scan(html, tokens, 0))


def text_contexts(text: str, tokens: Mapping[str, Slot]) -> Found:
    """The context of each token in the plain-text part: inside the query of an address, or plain."""
    found = []
    for start, token in find_tokens(text, tokens):
        in_query = _BEFORE_QUERY_IN_TEXT.search(text, max(0, start - _LONGEST_ADDRESS), start)
        found.append((start, token, SlotContext.QUERY if in_query else SlotContext.PLAIN))
    return found


def _scan(html: str, tokens: Mapping[str, Slot], offset: int) -> Found:
    scanner = _Scanner(html, tokens, offset)
    scanner.feed(html)
    scanner.close()
    found = {start for start, _, _ in scanner.found}
    for start, token in find_tokens(html, tokens):
        if start + offset not in found:
            raise _refusal(tokens[token], "in the name of a tag or an attribute", "Put it into the text.")
    return scanner.found


class _Scanner(PlacedParser):
    def __init__(self, html: str, tokens: Mapping[str, Slot], offset: int) -> None:
        super().__init__(html, offset)
        self.found: Found = []
        self._tokens = tokens

    # The attributes as parsed have lost their places: they are found again in the tag as written.
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        written = self.get_starttag_text() or ""
        if not find_tokens(written, self._tokens):
            return
        for attribute in attributes_of(tag, written, self.at()):
            self._attribute(attribute.name, attribute.value, attribute.start)
            if not attribute.quoted:
                self._refuse_all(attribute.value, "in an attribute without quotes", "Put it into quotes.")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self._refuse_all(data, f"inside <{self.cdata_elem}>", "Styles and scripts are the same for everybody.")
        start = self.at()
        self._add(data, start, SlotContext.HTML_TEXT)

    def handle_comment(self, data: str) -> None:
        if not find_tokens(data, self._tokens):
            return
        conditional = CONDITIONAL.match(data)
        if conditional is None:
            self._refuse_all(data, "inside a comment", "Nobody reads a comment: put it into the text.")
            return
        # Outlook reads what stands in here as part of the page.
        start = self.at() + len("<!--") + conditional.start("content")
        self.found += _scan(conditional["content"], self._tokens, start)

    def handle_decl(self, decl: str) -> None:
        self._refuse_all(decl, "in a declaration", "Put it into the text.")

    def handle_pi(self, data: str) -> None:
        self._refuse_all(data, "in a processing instruction", "Put it into the text.")

    def unknown_decl(self, data: str) -> None:
        self._refuse_all(data, "in a declaration", "Put it into the text.")

    def _attribute(self, name: str, value: str, start: int) -> None:
        if name == "style" or name.startswith("on"):
            self._refuse_all(value, f"in the attribute “{name}”", "Styles and scripts are the same for everybody.")
        if name not in URL_ATTRIBUTES:
            self._add(value, start, SlotContext.ATTRIBUTE)
            return
        for position, token in find_tokens(value, self._tokens):
            self.found.append((start + position, token, _url_context(value, position, token, self._tokens[token])))

    def _add(self, text: str, start: int, context: SlotContext) -> None:
        self.found += [(start + position, token, context) for position, token in find_tokens(text, self._tokens)]

    def _refuse_all(self, text: str, place: str, mend: str) -> None:
        for _, token in find_tokens(text, self._tokens):
            raise _refusal(self._tokens[token], place, mend)


def _url_context(value: str, position: int, token: str, slot: Slot) -> SlotContext:
    if _BEFORE_QUERY.match(value, 0, position):
        return SlotContext.QUERY
    if value.strip() == token and slot.field.startswith("links."):
        return SlotContext.URL
    if slot.field.startswith("links."):
        raise _refusal(slot, "as a part of an address", f"Make it the whole address: [words]({{{{ {slot.field} }}}}).")
    raise _refusal(
        slot,
        "as an address or its first part",
        f"It may stand behind a question mark: https://example.org/form?name={{{{ {slot.field} }}}}.",
    )


def _refusal(slot: Slot, place: str, mend: str) -> MisplacedFieldError:
    return MisplacedFieldError(slot, f"{slot.field} cannot stand {place}", mend)
