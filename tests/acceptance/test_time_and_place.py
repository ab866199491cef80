"""A wrong clock and a wrong place keep live mail back, with a reason and a mend; looking goes on."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlgroup_mail.clock import SystemClock
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, through
from tests.cli.conftest import Run
from tests.servers.smtp_sink import SmtpSink

SEND = ("send", LETTER, "--live", "--late", "trial")


def doctor(run: Run, name: str) -> tuple[str, str, str]:
    (check,) = [each for each in run("doctor", "--json").json["checks"] if each["name"] == name]
    return check["result"], check["detail"], check["mend"]


def shift_clock(letter: Path, by: str) -> None:
    """As if the machine's clock had been another when live mail last went."""
    ledger = sqlite3.connect(letter / "var" / "mlgroup.db")
    with ledger:
        ledger.execute("UPDATE clock_mark SET wall = strftime('%Y-%m-%d %H:%M:%f000', wall, ?)", (by,))
    ledger.close()


@pytest.mark.parametrize(("by", "words"), [("+1 day", "set back by 24 hours"), ("-1 day", "set forward by 24 hours")])
def test_a_clock_that_jumped_sends_nothing_until_somebody_says_it_is_right(
    run: Run, letter: Path, use: Settings, smtp_sink: SmtpSink, by: str, words: str
) -> None:
    use(through(smtp_sink))
    assert run("dispatch", "--live").code == 1, "past its end: nothing goes, and the clock is noted"
    assert doctor(run, "ledger's time")[0] == "pass"
    shift_clock(letter, by)
    for order in (SEND, ("dispatch", "--live")):
        refused = run(*order)
        assert (refused.code, refused.out) == (2, "")
        assert words in refused.text
        assert "db trust-clock --reason" in refused.text
    assert smtp_sink.messages() == []
    assert run("status", LETTER, "--json").json["state"] == "expired", "`--late` has changed nothing either"
    result, detail, mend = doctor(run, "ledger's time")
    assert (result, words in detail, "trust-clock" in mend) == ("fail", True, True)
    assert run("db", "trust-clock", "--reason", " ").code == 2
    assert run("db", "trust-clock", "--reason", "compared with the office's").code == 0
    assert run(*SEND).code == 0
    assert len(smtp_sink.messages()) == 6
    assert run("verify").code == 0


def test_a_clock_that_jumps_while_mail_goes_ends_the_run_and_expires_nobody(
    run: Run, letter: Path, use: Settings, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three days ahead is past the mailing's end: whoever was put off would be refused for good, in silence."""
    use(through(smtp_sink, smtp_connections=1))
    right = SystemClock.now

    def jumping(clock: SystemClock) -> datetime:
        return right(clock) + timedelta(days=3 if smtp_sink.messages() else 0)

    monkeypatch.setattr(SystemClock, "now", jumping)
    stopped = run(*SEND)
    assert stopped.code == 2
    assert "set forward by 72 hours" in stopped.text
    assert "db trust-clock --reason" in stopped.text
    assert len(smtp_sink.messages()) == 2, "the window that was open"
    for order in (("send", LETTER, "--live"), ("dispatch", "--live")):
        assert run(*order).code == 2, "nor does anything else go by it, or expire"
    monkeypatch.setattr(SystemClock, "now", right)
    found = run("status", LETTER, "--json").json
    assert (found["state"], found["counts"]["accepted"], found["counts"]["planned"]) == ("sending", 2, 4)
    assert run("send", LETTER, "--live").code == 0
    assert len(smtp_sink.messages()) == 6
    assert run("verify").code == 0


def test_what_stays_on_this_machine_may_have_a_clock_of_its_own(run: Run, letter: Path, use: Settings) -> None:
    for now in ("2021-11-03T09:00:00Z", "2021-11-02T10:00:00Z"):
        use({"MLGROUP_NOW": now})
        assert run("dispatch", "--live").code == 0


@pytest.mark.parametrize("folder", ["Dropbox", "OneDrive - Statistics Office"])
def test_a_ledger_in_a_synchronised_folder_sends_nothing_and_doctor_warns(
    run: Run, letter: Path, use: Settings, folder: str
) -> None:
    (letter / folder).mkdir()
    ledger = sqlite3.connect(letter / "var" / "mlgroup.db")
    copy = sqlite3.connect(letter / folder / "mlgroup.db")
    ledger.backup(copy)
    ledger.close()
    copy.close()
    use({"MLGROUP_DATABASE_URL": f"sqlite:///{letter / folder / 'mlgroup.db'}"})
    for order in (SEND, ("dispatch", "--live")):
        refused = run(*order)
        assert (refused.code, refused.out) == (2, "")
        assert f"keeps in step with other machines ({folder})" in refused.text
        assert "MLGROUP_DATABASE_URL=sqlite:" in refused.text
    assert not (letter / "ledger.toml").exists(), "not even the first live send was begun"
    assert run("status").code == 0
    assert run("send", LETTER).code == 0, "a dry run changes nothing"
    result, detail, mend = doctor(run, "place")
    assert (result, folder in detail, "PostgreSQL" in mend) == ("warn", True, True)
    use({"MLGROUP_DATABASE_URL": f"sqlite:///{letter / 'var' / 'mlgroup.db'}"})
    assert doctor(run, "place")[0] == "pass"
    assert run(*SEND).code == 0
