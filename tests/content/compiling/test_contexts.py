"""What a merge field stands in decides how its value is written; where nothing would be safe, it is refused."""

import pytest

from mlgroup_mail.content.compiling.contexts import MisplacedFieldError, html_contexts, text_contexts
from mlgroup_mail.content.merge_fields import Tokens
from mlgroup_mail.model.message import Slot, SlotContext

TOKENS = Tokens("seed", "test")
NAME = TOKENS.of(Slot(field="recipient.name", context=SlotContext.PLAIN))
LINK = TOKENS.of(Slot(field="links.opt_out", context=SlotContext.PLAIN))


@pytest.mark.parametrize(
    ("html", "contexts"),
    [
        (f"<p>Dear {NAME}, &amp; {NAME}</p>", ["html_text", "html_text"]),
        (f"<title>{NAME}</title>", ["html_text"]),
        (f"<img alt=\"A {NAME}\" title='{NAME}'>", ["attribute", "attribute"]),
        (f'<a href="{LINK}" title="{NAME}">\n{LINK}</a>', ["url", "attribute", "html_text"]),
        (f'<a\n  href="https://a.example/f?x=1&amp;n={NAME}#t">x</a>', ["query"]),
        (f'<a href="mailto:a@example.org?subject={NAME}">x</a>', ["query"]),
        (f'<a href="https://a.example/?next={LINK}">x</a>', ["query"]),
        (f'<!--[if mso]><a href="{LINK}">{NAME}</a><![endif]-->{NAME}', ["url", "html_text", "html_text"]),
        (f"<!--[if !mso]><!--><b>{NAME}</b><!--<![endif]-->", ["html_text"]),
        (f"<br/><img alt='{NAME}'/>", ["attribute"]),
    ],
)
def test_every_place_has_its_context(html: str, contexts: list[str]) -> None:
    found = html_contexts(html, TOKENS.slots)
    assert [context for _, _, context in found] == contexts
    for start, token, _ in found:
        assert html[start : start + len(token)] == token


@pytest.mark.parametrize(
    ("html", "message"),
    [
        (f"<style>.a{{color:{NAME}}}</style>", "inside <style>"),
        (f"<script>x='{NAME}'</script>", "inside <script>"),
        (f'<p style="color:{NAME}">x</p>', "attribute “style”"),
        (f'<p onclick="x({NAME})">x</p>', "attribute “onclick”"),
        (f"<!-- {NAME} -->", "inside a comment"),
        (f"<!--[if {NAME}]>x<![endif]-->", "cannot stand"),
        (f"<{NAME}>x</{NAME}>", "name of a tag"),
        (f"<p {NAME}='x'>x</p>", "name of a tag or an attribute"),
        (f"<p title={NAME}>x</p>", "without quotes"),
        (f'<a href="{NAME}">x</a>', "as an address"),
        (f'<a href="javascript:{NAME}">x</a>', "as an address"),
        (f'<a href="https://{NAME}/?a=1">x</a>', "as an address"),
        (f'<a href="https://a.example/{LINK}">x</a>', "as a part of an address"),
        (f"<!doctype {NAME}>", "in a declaration"),
    ],
)
def test_a_place_where_no_value_is_safe_is_refused(html: str, message: str) -> None:
    with pytest.raises(MisplacedFieldError, match=message):
        html_contexts(html, TOKENS.slots)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        (f"Dear {NAME},", "plain"),
        (f"the form (https://a.example/f?n={NAME})", "query"),
        (f"https://a.example/f {NAME}", "plain"),
        (f"is it?n={NAME}", "plain"),
    ],
)
def test_in_plain_text_a_value_inside_a_query_is_still_encoded(text: str, context: str) -> None:
    assert [found for _, _, found in text_contexts(text, TOKENS.slots)] == [context]
