"""An address is found however it is written, and no other is taken for it."""

from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.compiling.written_addresses import addresses_in, holds_address

MEETING = "https://meet.example.org/j/1?pwd=a&b=2"
FORM = "https://forms.example.org/members"


@pytest.mark.parametrize(
    "text",
    [
        f"<a href='{FORM}'>x</a>",
        f"Write {FORM}.",
        f"({FORM})",
        f"{FORM}/",
        f"{FORM}?lang=en",
        f"{FORM}#top",
        "HTTPS://FORMS.example.org/members",
        "http://forms.example.org/members",
        "see forms.example.org/members, please",
        f"https://r.example/?to={quote(FORM, safe='')}",
        f"https://r.example/?to={quote(quote(FORM, safe=''), safe='')}",
        "https://forms.example.org/%6Dembers",
    ],
)
def test_an_address_is_found_however_it_is_written(text: str) -> None:
    assert holds_address(text, FORM)
    assert holds_address(text, f"{FORM}/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{FORM}-2",
        f"{FORM}/help",
        f"{FORM}hip",
        f"{FORM}.pdf",
        "https://forms.example.org/",
        "https://myforms.example.org/members",
        "https://a.forms.example.org/members",
    ],
)
def test_another_address_is_another(text: str) -> None:
    assert not holds_address(text, FORM)


def test_a_host_alone_is_found_as_an_address_only() -> None:
    assert holds_address("See https://www.example.org, please", "https://www.example.org/")
    assert not holds_address("https://www.example.org/news, ana@www.example.org", "https://www.example.org/")


_PARTS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}[a-z0-9]", fullmatch=True)


@given(st.lists(_PARTS, min_size=1, max_size=3), _PARTS, st.sampled_from([str, escape, lambda text: quote(text, "")]))
def test_what_is_read_out_of_a_text_is_found_in_it(path: list[str], query: str, form: object) -> None:
    address = f"https://meet.example.org/{'/'.join(path)}?a={query}&b=1"
    assert addresses_in(f"Join at {address}, or call.") == [address]
    assert callable(form)
    assert holds_address(f"<p>x {form(address)} y</p>", address)
    assert not holds_address(f"<p>x {form(address)}z y</p>", address)
