"""What may be shown of an address."""

import pytest
from hypothesis import given

from mlgroup_mail import addresses
from tests.addresses.texts import ASCII_DOMAINS, NAMES


@pytest.mark.parametrize(
    ("address", "masked"),
    [("anna@example.org", "a…@example.org"), ("Émile@example.org", "É…@example.org"), ("nobody", "…"), ("", "…")],
)
def test_a_masked_address_shows_one_letter_and_the_domain(address: str, masked: str) -> None:
    assert addresses.mask(address) == masked


def test_a_server_answer_is_shown_without_addresses() -> None:
    answer = "550 5.1.1 <anna@example.org>: user unknown (via ben@example.net)"
    assert addresses.mask_text(answer) == "550 5.1.1 <a…@example.org>: user unknown (via b…@example.net)"


@pytest.mark.parametrize("at", ["@", "＠", "﹫", "%40"])
def test_an_address_is_masked_however_its_at_sign_is_written(at: str) -> None:
    assert addresses.mask_text(f"ask anna{at}example.org") == "ask a…@example.org"


@given(NAMES, ASCII_DOMAINS)
def test_nothing_of_a_name_but_its_first_letter_is_shown(local: str, domain: str) -> None:
    assert addresses.mask_text(f"<{local}@{domain}>, said the server") == f"<{local[0]}…@{domain}>, said the server"
