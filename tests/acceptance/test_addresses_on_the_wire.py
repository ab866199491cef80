"""Addresses beyond ASCII, over the wire: domains as A-labels always, local parts only where the server can."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, small_project, through, write_list
from tests.cli.conftest import Run
from tests.content.message.raw_mime import read_message, words
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.smtp_sink import SmtpSink

PEOPLE = [
    ("ana@office.example", "Ana Silva", ""),
    ("jörg@office.example", "Jörg Groß", ""),
    ("wang@bücher.example", "王 小明", ""),
    ("用户@例子.example", "Nobody Else", ""),
]
PLAIN, INTERNATIONAL = {"ana@office.example", "wang@xn--bcher-kva.example"}, {
    "jörg@office.example",
    "用户@xn--fsqu00a.example",
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Path:
    root = small_project(tmp_path / "project")
    write_list(root, PEOPLE)
    assert run("--project", root, "contacts", "pull").code == 0
    assert run("--project", root, "approve", LETTER, "--by", "the editor").code == 0
    return root


def sent(run: Run, root: Path) -> tuple[int, dict[str, str], dict[str, str]]:
    """The exit code, and the state and the reason of each address."""
    code = run("--project", root, "send", LETTER, "--live", "--late", "trial").code
    log = [json.loads(line) for line in run("--project", root, "log", LETTER, "--json").out.splitlines()]
    return code, {line["address"]: line["state"] for line in log}, {line["address"]: line["reason"] for line in log}


def test_a_server_with_smtputf8_gets_every_address_as_it_is(
    project: Path, run: Run, use: Settings, start_faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = start_faulty_smtp(smtputf8=True)
    use(through(server))
    code, states, _ = sent(run, project)
    assert (code, states) == (0, dict.fromkeys(PLAIN | INTERNATIONAL, "accepted"))
    assert {taken.recipients for taken in server.accepted} == {(address,) for address in PLAIN | INTERNATIONAL}
    assert server.connections == 1
    mails = [line for line in server.commands if line.startswith("MAIL")]
    assert sum(line.endswith(" SMTPUTF8") for line in mails) == len(INTERNATIONAL), "the others are ordinary mail"
    for taken in server.accepted:
        (address,) = taken.recipients
        message = read_message(taken.content, utf8=address in INTERNATIONAL)
        name = next(name for person, name, _ in PEOPLE if person.split("@")[0] == address.split("@")[0])
        assert words(message.one("To")).split("<") == [f'"{name}" ' if name.isascii() else f"{name} ", f"{address}>"]
        others = [value for key, value in message.fields if key != "To"]
        assert all(value.isascii() for value in others), "only the address is written as UTF-8"


def test_a_server_without_it_refuses_these_deliveries_and_no_other(
    project: Path, run: Run, use: Settings, faulty_smtp: FaultySmtp
) -> None:
    use(through(faulty_smtp))
    code, states, reasons = sent(run, project)
    assert code == 0, "nothing is left undone"
    assert states == dict.fromkeys(PLAIN, "accepted") | dict.fromkeys(INTERNATIONAL, "refused")
    for address in INTERNATIONAL:
        assert "the server takes no address with letters outside ASCII before the @" in reasons[address]
    assert {taken.recipients for taken in faulty_smtp.taken} == {(address,) for address in PLAIN}
    assert all(line.isascii() for line in faulty_smtp.commands), "nothing of them has been said"
    assert all(read_message(taken.content) for taken in faulty_smtp.taken)


def test_a_server_of_somebody_else_takes_idn_addresses(
    project: Path, run: Run, use: Settings, smtp_sink: SmtpSink
) -> None:
    use(through(smtp_sink))
    _, states, _ = sent(run, project)
    taken = smtp_sink.recipients()
    assert set(taken) == {address for address, state in states.items() if state == "accepted"} >= PLAIN
    assert set(taken.values()) == {1}
    assert {state for address, state in states.items() if address not in taken} <= {"refused"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('address = "newsletter@example.org"', 'address = "rédaction@example.org"', "sender.newsletter.address"),
        ('reply_to = "ml-group@example.org"', 'reply_to = "équipe@example.org"', "sender.newsletter.reply_to"),
        ('opt_out_address = "ml-group@example.org"', 'opt_out_address = "équipe@example.org"', "group.opt_out_address"),
    ],
)
def test_our_own_addresses_must_be_such_as_every_server_takes(
    run: Run, tmp_path: Path, old: str, new: str, place: str
) -> None:
    root = small_project(tmp_path / "project")
    file = root / "mlgroup.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    result = run("--project", root, "status")
    assert result.code == 2
    assert place in result.text
    assert "few mail servers take from a sender" in result.text
