"""Addresses: one spelling, one key, a mask."""

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressError

READ = {
    "anna@example.org": "anna@example.org",
    "  anna@example.org \n": "anna@example.org",
    "Anna.Novak@Stats.CZ.Example": "Anna.Novak@stats.cz.example",
    "mailto:anna@example.org": "anna@example.org",
    "MAILTO:anna@example.org?subject=Hello": "anna@example.org",
    "Anna Novak <anna@example.org>": "anna@example.org",
    '"Novak, Anna" <anna@example.org>': "anna@example.org",
    "Anna <mailto:anna@example.org>": "anna@example.org",
    "<anna@example.org>": "anna@example.org",
    "anna@example.org;": "anna@example.org",
    "anna@example.org.": "anna@example.org",
    "anna@example.org,": "anna@example.org",
    "\u200banna@example.org\ufeff": "anna@example.org",
    "\u202aanna@example.org\u202c": "anna@example.org",
    "\u00a0anna@example.org\u00a0": "anna@example.org",
    "anna\uff20example.org": "anna@example.org",
    "anna+news@example.org": "anna+news@example.org",
    "o'rourke@example.org": "o'rourke@example.org",
    "jürgen@example.org": "jürgen@example.org",
    "ju\u0308rgen@example.org": "jürgen@example.org",
    "anna@münchen.example": "anna@xn--mnchen-3ya.example",
    "anna@xn--mnchen-3ya.example": "anna@xn--mnchen-3ya.example",
    "anna@MÜNCHEN.example": "anna@xn--mnchen-3ya.example",
    "anna@στατιστική.example": "anna@xn--jxafyaf4ccfbc.example",
    "anna@統計.example": "anna@xn--4d0av1x.example",
}

REFUSED = {
    "": "missing",
    "   ": "missing",
    "\u200b": "missing",
    "anna": "no @",
    "anna.example.org": "no @",
    "n/a": "no @",
    "anna@example.org; ben@example.org": "more than one @",
    "anna@example.org, ben@example.org": "more than one @",
    "anna@@example.org": "more than one @",
    "anna novak@example.org": "blank",
    "anna@ example.org": "blank",
    "anna@example.org (work)": "blank",
    "anna@example.org\r\nBcc: everybody": "line break",
    "anna\u2028@example.org": "line break",
    "anna\x00@example.org": "control characters",
    "anna@example.org\x1b": "control characters",
    '=HYPERLINK("mailto:anna@example.org")': "formula",
    '"anna novak"@example.org': "blank",
    '"anna"@example.org': "quoting",
    "@example.org": "before the @",
    "anna@": "after the @",
    "anna..b@example.org": "two periods",
    ".anna@example.org": "period",
    "anna.@example.org": "period",
    "anna@example..org": "two periods",
    "anna@statistics": "should have a period",
    "anna@-a.example": "hyphen",
    "anna@exa_mple.org": "invalid characters",
    "anna@[192.0.2.1]": "IP address",
    "a" * 65 + "@example.org": "too long",
    "anna@" + "b" * 64 + ".example": "too many",
    "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".exampleee": "longer than 254",
    "anna@it’s.example": "invalid",
}


@pytest.mark.parametrize(("text", "address"), READ.items())
def test_reads_what_people_copy_into_a_cell(text: str, address: str) -> None:
    assert addresses.read(text) == address


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_says_why_a_text_is_no_address(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        addresses.read(text)


@pytest.mark.parametrize("text", [text for text in REFUSED if "@" in text and len(text) < 60])
def test_the_reason_does_not_repeat_the_address(text: str) -> None:
    """Reasons are logged; addresses must not be."""
    with pytest.raises(AddressError) as caught:
        addresses.read(text)
    assert "anna" not in str(caught.value)
    assert "it’s" not in str(caught.value)


def test_a_refused_domain_is_refused_every_time() -> None:
    """What is remembered for a domain is also that it is wrong, and why."""
    for local in ("anna", "ben", "anna"):
        with pytest.raises(AddressError, match="hyphen"):
            addresses.normalise(f"{local}@-a.example")


def test_two_spellings_of_one_mailbox_have_one_key() -> None:
    spellings = ["Anna@example.org", "anna@EXAMPLE.org", "ANNA@example.ORG"]
    assert len({addresses.key(addresses.normalise(each)) for each in spellings}) == 1


@pytest.mark.parametrize(
    ("address", "masked"),
    [("anna@example.org", "a…@example.org"), ("Émile@example.org", "É…@example.org"), ("nobody", "…"), ("", "…")],
)
def test_a_masked_address_shows_one_letter_and_the_domain(address: str, masked: str) -> None:
    assert addresses.mask(address) == masked


def test_a_server_answer_is_shown_without_addresses() -> None:
    answer = "550 5.1.1 <anna@example.org>: user unknown (via ben@example.net)"
    assert addresses.mask_text(answer) == "550 5.1.1 <a…@example.org>: user unknown (via b…@example.net)"


LOCAL = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}){0,2}", fullmatch=True)
DOMAIN = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,3}example", fullmatch=True)


@given(LOCAL, DOMAIN)
def test_the_quick_way_decides_as_the_validator_does(local: str, domain: str) -> None:
    """Plain local parts are not shown to the slow validator; nothing may come out differently for it."""
    text = f"{local}@{domain}"
    assert _outcome(addresses.normalise, text) == _outcome(addresses._validated, text)


@given(st.one_of(st.text(max_size=40), st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20))))
def test_whatever_is_read_is_one_clean_address_and_reads_the_same_again(text: str) -> None:
    try:
        address = addresses.read(text)
    except AddressError:
        return
    assert addresses.read(address) == address == addresses.normalise(address)
    assert address.count("@") == 1
    assert not any(char.isspace() or not char.isprintable() for char in address)
    assert addresses.domain(address).isascii()
    assert email.utils.parseaddr(address)[1] == address


def _outcome(read: object, text: str) -> str:
    assert callable(read)
    try:
        return str(read(text))
    except AddressError:
        return "refused"
