"""A ledger with a mailing, and ready projects."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.store import Store
from tests.acceptance.conftest import approved_letter, letter, use
from tests.cli.conftest import run
from tests.factories import make_store, planned_mailing

__all__ = ["approved_letter", "letter", "run", "use"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A mailing to six people, planned at noon and due at once."""
    with closing(make_store(tmp_path / "state")) as made:
        planned_mailing(made, 6)
        yield made
