"""Addresses of offices and machines are told from those of people."""

import pytest

from mlgroup_mail import addresses
from mlgroup_mail.addresses import NOBODY_READS, ROLE_LOCALS, SHARED


@pytest.mark.parametrize(
    "local", ["info", "Office", "PRESS", "info2", "poststelle", "direccion", "segreteria", "noreply"]
)
def test_an_office_is_told_by_what_stands_before_the_at_sign(local: str) -> None:
    assert addresses.is_role(f"{local}@example.org")


@pytest.mark.parametrize("local", ["anna", "infos.novak", "info-stat", "press.anna", "office22", "contact+anna", ""])
def test_only_the_whole_word_counts(local: str) -> None:
    """A person whose name begins like an office is a person."""
    assert not addresses.is_role(f"{local}@example.org")


def test_addresses_that_nobody_reads_are_said_to_be_so() -> None:
    assert addresses.role_remark("No-Reply") == NOBODY_READS
    assert addresses.role_remark("office") == SHARED
    assert addresses.role_remark("anna") == ""


def test_the_words_can_be_compared_with_folded_local_parts() -> None:
    """Whole columns are decided by membership, so every word stands there as folding leaves it."""
    assert all(word == word.casefold() and "@" not in word and not word[-2:].isdigit() for word in ROLE_LOCALS)
