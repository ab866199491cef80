"""One spelling for sending, one key for comparing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.addresses import AddressError
from mlgroup_mail.addresses.validating import validated
from tests.addresses.texts import ASCII_DOMAINS, LOCALS


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" anna@EXAMPLE.org\n", "anna@example.org"),
        ("Anna.Novak@example.org", "Anna.Novak@example.org"),
        ("ju\u0308rgen@münchen.example", "jürgen@xn--mnchen-3ya.example"),
        ("'anna@example.org", "'anna@example.org"),
    ],
)
def test_the_domain_is_folded_and_the_local_part_kept(text: str, address: str) -> None:
    assert addresses.normalise(text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("anna", "no @"),
        ("", "no @"),
        ("anna novak@example.org", "invalid characters"),
        ("Anna <anna@example.org>", "invalid"),
        ('"anna"@example.org', "quoting"),
        ("a@b@example.org", "invalid characters"),
        ("@example.org", "before the @"),
        ("é" * 64 + "@" + "a" * 60 + "." + "b" * 60 + ".example", "longer than 254"),
        ("anna@ex\u0430mple.org", "several scripts"),
    ],
)
def test_what_only_a_cell_may_hold_is_no_address(text: str, reason: str) -> None:
    """Settings, arguments and stored addresses are taken as they are or not at all."""
    with pytest.raises(AddressError, match=reason):
        addresses.normalise(text)


def test_two_spellings_of_one_mailbox_have_one_key() -> None:
    spellings = ["Anna@example.org", "anna@EXAMPLE.org", "ANNA@example.ORG"]
    assert len({addresses.key(addresses.normalise(each)) for each in spellings}) == 1


@given(st.text(max_size=10), st.text(max_size=10))
def test_keys_are_equal_where_only_case_differs(one: str, other: str) -> None:
    assert addresses.key(one.upper()) == addresses.key(one.upper().casefold())
    assert (addresses.key(one) == addresses.key(other)) == (one.casefold() == other.casefold())


@given(LOCALS, ASCII_DOMAINS)
def test_the_quick_way_decides_as_the_validator_does(local: str, domain: str) -> None:
    """Plain local parts are not shown to the slow validator; nothing may come out differently for it."""
    text = f"{local}@{domain}"
    try:
        expected = "@".join(validated(text))
    except AddressError:
        expected = "refused"
    try:
        found = addresses.normalise(text)
    except AddressError:
        found = "refused"
    assert found == expected


def test_an_allow_list_lets_a_domain_and_those_below_it_through() -> None:
    assert addresses.is_allowed("a@example.org", ("EXAMPLE.org",))
    assert addresses.is_allowed("a@mail.example.org", ("example.org",))
    assert not addresses.is_allowed("a@badexample.org", ("example.org",))
    assert not addresses.is_allowed("a@example.org", ())
    assert addresses.is_allowed("a@example.org", None)
