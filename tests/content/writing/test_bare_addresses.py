"""A pasted web address is a link in the page, and as it was in the plain text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.content.writing.plain_text import to_text
from mlgroup_mail.settings.project import Project
from tests.content.projects import compiled


def links(text: str) -> list[str]:
    return re.findall(r'<a href="([^"]*)"', parser().render(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://a.example/x, please.", ["https://a.example/x"]),
        ("(https://a.example/x_(y)_z).", ["https://a.example/x_(y)_z"]),
        ("**https://a.example/x**!", ["https://a.example/x"]),
        ("https://a.example/?a=1&b=2#c", ["https://a.example/?a=1&amp;b=2#c"]),
        ("見てhttps://a.example/xを。", ["https://a.example/x"]),
        ("A value: https&#58;&#47;&#47;a.example", []),
        ("https://a.example/x&#45;y https://a.example/x\\_y https://b.example", ["https://b.example"]),
        ("[https://a.example](https://b.example) <https://c.example>", ["https://b.example", "https://c.example"]),
        ("`https://a.example`", []),
        ("```\nhttps://a.example\n```", []),
        ("xhttps://a.example ftp://a.example https:// https://?", []),
    ],
)
def test_an_address_ends_before_what_stands_behind_it(text: str, expected: list[str]) -> None:
    assert links(text) == expected


@given(st.text(alphabet="ab/.:,()*_&?= é見\n[]`<>", max_size=20))
def test_the_plain_text_stays_as_it_was_typed(behind: str) -> None:
    """Whatever stands behind an address, what a reader of plain text sees is what Markdown made of it before."""
    text = f"x https://a.example/{behind}"
    before = parser()
    plain = to_text(before.parse(text))
    before.disable("bare_addresses")
    try:
        assert plain == to_text(before.parse(text))
    finally:
        before.enable("bare_addresses")


def test_a_merge_field_in_an_address_reaches_link_and_words(project: Project) -> None:
    message = compiled(project, "Answer at https://a.example/?who={{ recipient.first_name }}.")
    (href,) = re.findall(r'href="(https://a.example/[^"]*)"', message.html)
    assert message.tokens[href.partition("=")[2]].field == "recipient.first_name"
    assert re.search(r">https://a.example/\?who=q\w+z</a>\.", message.html)
    assert re.search(r"Answer at https://a.example/\?who=q\w+z\.", message.text)
