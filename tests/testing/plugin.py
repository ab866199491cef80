"""The real services beside the fakes: asked only where somebody has given a key, and else visibly not."""

import os

import pytest

KEY = "MLGROUP_TEST_SENDGRID_KEY"
NO_KEY = f"no key for the real SendGrid: {KEY} is not set"


def real_sendgrid_key() -> str:
    """The key; skips the test where there is none."""
    key = os.environ.get(KEY, "")
    if not key:
        pytest.skip(NO_KEY)
    return key


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was not asked of the real service, and how to ask it."""
    skipped = sum(NO_KEY in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.section("services that were not asked", yellow=True)
        terminalreporter.line(f"SendGrid: {skipped} tests skipped; {KEY} asks its sandbox (docs/testing.md)")
