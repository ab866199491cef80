"""The command line and ready projects, as the acceptance tests have them."""

from tests.acceptance.conftest import approved_letter, letter, use
from tests.cli.conftest import run

__all__ = ["approved_letter", "letter", "run", "use"]
