"""What the tests of the contact list share."""

from tests.cli.conftest import run

__all__ = ["run"]
