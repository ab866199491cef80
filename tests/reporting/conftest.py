"""Reports on small projects that are ready to send from, and a browser to look at their pages."""

from tests.acceptance.conftest import approved_letter, letter, run
from tests.servers.plugin import chromium

__all__ = ["approved_letter", "chromium", "letter", "run"]
