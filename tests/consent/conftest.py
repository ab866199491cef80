"""A ledger with a few people."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.store import Store
from tests.acceptance.conftest import approved_letter, letter, use
from tests.cli.conftest import run
from tests.factories import add_contacts, make_contact, make_store

__all__ = ["approved_letter", "letter", "run", "use"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three people: contacts 1 to 3, `person1@office1.example` and so on."""
    with closing(make_store(tmp_path / "state")) as made:
        add_contacts(made, [make_contact(number) for number in (1, 2, 3)])
        yield made
