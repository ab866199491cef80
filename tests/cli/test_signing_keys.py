"""A key that signed links and is missing: nobody's opt-out is dropped without a word."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, SECRET_KEY
from tests.cli.conftest import Result, Run

__all__ = ["approved_letter", "letter", "use"]

NEW = "another-key-for-tests-and-nothing-else-01234"


def opt_out_keys(found: Result) -> dict[str, str]:
    (check,) = [check for check in found.json["checks"] if check["name"] == "opt-out keys"]
    return dict(check)


def fingerprints(root: Path) -> list[str]:
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as ledger:
        return [row[0] for row in ledger.execute("SELECT fingerprint FROM signing_key ORDER BY signed_at")]


@pytest.fixture
def sent(run: Run, letter: Path) -> Path:
    """The letter went out, with links signed by the first key."""
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    return letter


def test_only_what_was_really_sent_makes_a_key_one_that_must_stay(run: Run, letter: Path, use: Settings) -> None:
    run("send", LETTER)
    run("preview", LETTER)
    assert fingerprints(letter) == []
    use({"MLGROUP_SECRET_KEYS": NEW})
    assert opt_out_keys(run("doctor", "--json"))["result"] == "pass"


def test_a_new_key_in_front_of_the_old_one_is_as_it_should_be(run: Run, sent: Path, use: Settings) -> None:
    use({"MLGROUP_SECRET_KEYS": f"{NEW},{SECRET_KEY}"})
    assert opt_out_keys(run("doctor", "--json"))["result"] == "pass"
    assert run("dispatch", "--live").code == 0


def test_where_the_key_of_mails_that_went_out_is_missing_nothing_is_sent(run: Run, sent: Path, use: Settings) -> None:
    (key,) = fingerprints(sent)
    use({"MLGROUP_SECRET_KEYS": NEW})
    found = opt_out_keys(run("doctor", "--json"))
    assert found["result"] == "fail"
    assert key in found["detail"]
    assert f"db retire-key {key} --reason" in found["mend"]
    for command in (["dispatch", "--live"], ["send", LETTER, "--live"]):
        refused = run(*command)
        assert refused.code == 2
        assert f"nothing is sent: a key is missing that links in mails were signed with: {key}" in refused.err
    assert "a key is missing" in run("send", LETTER).text, "the dry run says so too"
    assert fingerprints(sent) == [key]
    use({"MLGROUP_SECRET_KEYS": f"{NEW},{SECRET_KEY}"})
    assert run("dispatch", "--live").code == 0


def test_the_pages_are_served_and_say_that_a_key_is_missing(
    run: Run, sent: Path, use: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    from mlgroup_mail.settings.app import open_app
    from mlgroup_mail.web.app import pages_of

    use({"MLGROUP_SECRET_KEYS": NEW})
    with open_app(sent) as app:
        pages_of(app)
    assert "Whoever uses such a link is not opted out" in caplog.text
    assert SECRET_KEY not in caplog.text


def test_a_key_that_is_lost_for_good_is_given_up_by_a_person_with_a_reason(run: Run, sent: Path, use: Settings) -> None:
    (key,) = fingerprints(sent)
    use({"MLGROUP_SECRET_KEYS": NEW})
    assert run("db", "retire-key", key, "--reason", " ").code == 2
    assert run("db", "retire-key", "0" * 16, "--reason", "lost").code == 2
    told = run("db", "retire-key", key, "--reason", "the laptop was stolen", "--by", "the editor")
    assert told.code == 0
    assert "gets mail all the same" in told.text
    with closing(sqlite3.connect(sent / "var" / "mlgroup.db")) as ledger:
        (entry,) = ledger.execute("SELECT reason, actor FROM journal WHERE act = 'retire_key'")
    assert entry == (f"the laptop was stolen (key {key})", "the editor")
    assert run("dispatch", "--live").code == 0
    assert opt_out_keys(run("doctor", "--json"))["result"] == "pass"


def test_a_command_that_writes_to_nobody_notes_no_key(run: Run, sent: Path, use: Settings) -> None:
    """A colleague with another key on the same ledger must not stop the team's mail."""
    keys = fingerprints(sent)
    use({"MLGROUP_SECRET_KEYS": NEW})
    assert run("dispatch", "--live").code == 2
    assert run("opt-out", "bursts").code == 0
    assert fingerprints(sent) == keys
    use({"MLGROUP_SECRET_KEYS": f"{NEW},{SECRET_KEY}"})
    assert run("dispatch", "--live").code == 0, "with nobody left to write to"
    assert fingerprints(sent) == keys
    use({"MLGROUP_SECRET_KEYS": SECRET_KEY})
    assert run("dispatch", "--live").code == 0


def test_a_mail_to_a_single_person_notes_its_key(run: Run, letter: Path) -> None:
    assert run("test-send", LETTER, "--to", "editor@office.example").code == 0
    assert len(fingerprints(letter)) == 1


def test_a_key_that_is_there_is_not_given_up_and_one_that_was_given_up_stays_so(
    run: Run, sent: Path, use: Settings
) -> None:
    (key,) = fingerprints(sent)
    refused = run("db", "retire-key", key, "--reason", "lost")
    assert (refused.code, "its links work" in refused.err) == (2, True)
    use({"MLGROUP_SECRET_KEYS": NEW})
    assert run("db", "retire-key", key, "--reason", "lost").code == 0
    use({"MLGROUP_SECRET_KEYS": SECRET_KEY})
    run("test-send", LETTER, "--to", "editor@office.example")
    use({"MLGROUP_SECRET_KEYS": NEW})
    assert opt_out_keys(run("doctor", "--json"))["result"] == "pass", "no mail takes a person's decision back"


def test_without_any_key_the_missing_one_is_told_as_missing(run: Run, sent: Path, use: Settings) -> None:
    (sent / ".env").write_text("", encoding="utf-8")
    assert opt_out_keys(run("doctor", "--json"))["result"] == "fail"
    assert run("dispatch", "--live").code == 2
