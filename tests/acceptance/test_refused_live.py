"""A live command that is refused changes nothing, and the dry run before it says that it will be."""

from pathlib import Path

import pytest

from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run


@pytest.fixture
def elsewhere(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An approved letter, in a project whose live mail is recorded in another ledger."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:00:00Z")
    assert "It goes out with" in run("send", LETTER).out
    (letter / "ledger.toml").write_text('ledger = "another"\n', encoding="utf-8")
    return letter


@pytest.mark.parametrize("command", [("send", LETTER, "--live"), ("dispatch", "--live")])
def test_a_live_command_on_another_ledger_plans_nothing(run: Run, elsewhere: Path, command: tuple[str, ...]) -> None:
    refused = run(*command)
    assert refused.code == 2
    assert "recorded in another ledger" in refused.err
    status = run("status", LETTER, "--json").json
    assert (status["state"], status["audience"]) == ("approved", 0)


def test_the_dry_run_promises_nothing_that_would_be_refused(run: Run, elsewhere: Path) -> None:
    dry = run("send", LETTER)
    assert dry.code == 0
    out = " ".join(dry.out.split())
    assert "not ready: this project's live mail is recorded in another ledger" in out
    assert "It goes out with" not in out
    assert "nothing was sent" in out
    remarks = run("send", LETTER, "--json").json["remarks"]
    assert any("recorded in another ledger" in remark for remark in remarks)


def test_doctor_does_not_call_another_ledger_the_newest(run: Run, elsewhere: Path) -> None:
    checks = {each["name"]: each for each in run("doctor", "--json").json["checks"]}
    assert checks["ledger"]["result"] == "fail"
    assert checks["older copy"]["result"] == "warn"
    assert "another ledger" in checks["older copy"]["detail"]
