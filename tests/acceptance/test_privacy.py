"""Nothing that `--verbose` shows names a person: no address, name or token, whatever goes wrong."""

import csv
import re
from pathlib import Path

import pytest

from tests.acceptance.projects import ISSUE, LETTER, SECRET_KEY, command, person, sample_project, through
from tests.cli.conftest import Run
from tests.servers.faults import Phase
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.smtp_sink import SmtpSink

SEND = ("--verbose", "send", ISSUE, "--live", "--late", "trial", "--json")
_TOKEN = re.compile(rb"opt%20out%20([a-z2-7]{60})")


def canaries(root: Path) -> set[str]:
    """Whatever of the project's list would give somebody away in a log."""
    (path,) = (root / "contacts").glob("*members.csv")
    with path.open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    boxes = {row["Email"].strip().partition("@")[0].lower() for row in people}
    names = {row["Name"].strip().lower() for row in people}
    return {word for word in boxes | names if len(word) > 6}


def assert_names_nobody(log: str, words: set[str]) -> None:
    lower = log.lower()
    assert [word for word in words if word in lower] == []
    assert SECRET_KEY not in log


def order(root: Path, *arguments: str, settings: dict[str, str]) -> tuple[int, str]:
    with command(root, *arguments, settings=settings) as started:
        ended = started.end()
    return ended.code, ended.err


def test_pulling_approving_and_sending_over_smtp_logs_nobody(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    root = sample_project(tmp_path / "project")
    settings = through(smtp_sink)
    opt_outs = str(root / "contacts" / "opt-outs" / "sample-opt-outs.csv")
    log = ""
    for arguments in (
        ("--verbose", "contacts", "pull", "--json"),
        ("--verbose", "opt-out", "import", opt_outs, "--json"),
        ("--verbose", "approve", ISSUE, "--by", "me", "--json"),
        SEND,
    ):
        code, err = order(root, *arguments, settings=settings)
        assert code == 0, err[-2000:]
        log += err
    assert "DEBUG" in log or "INFO" in log, "it was verbose"
    assert len(smtp_sink.messages()) > 250
    body = b"".join(message.content for message in smtp_sink.messages()).replace(b"=\r\n", b"").replace(b"=\n", b"")
    tokens = {token.decode() for token in _TOKEN.findall(body)}
    assert len(tokens) > 250
    assert_names_nobody(log, canaries(root) | tokens)


def test_a_server_that_repeats_addresses_in_its_answers_does_not_get_them_into_the_log(
    letter: Path, faulty_smtp: FaultySmtp
) -> None:
    faulty_smtp.on(Phase.RCPT, f"550 5.1.1 <{person(1)}>: user person1 unknown", to=person(1))
    faulty_smtp.on(Phase.DOT, f"451 4.3.0 mail to {person(2)} later", to=person(2))
    send = ("--verbose", "send", LETTER, "--live", "--late", "trial", "--json")
    code, log = order(letter, *send, settings=through(faulty_smtp))
    assert code == 1, log[-2000:]
    assert "550 5.1.1" in log
    assert "451 4.3.0" in log, "what happened is told"
    assert_names_nobody(log, canaries(letter))


def test_an_error_that_nobody_foresaw_names_its_kind_and_place_and_quotes_nothing(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError(f"the row of {person(1)}")

    monkeypatch.setattr("mlgroup_mail.contacts.cleaning.cleaned.clean", fail)
    monkeypatch.setattr("mlgroup_mail.contacts.pulling.clean", fail)
    shown = run("contacts", "pull")
    assert shown.code == 2
    assert "a fault of mlgroup-mail: builtins.KeyError" in shown.text
    assert "pulling.py, line" in shown.text
    assert person(1) not in shown.text
